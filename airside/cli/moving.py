"""`airside export` and `airside import`: a workspace moves out into a folder, and in from one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_result
from airside.cli.workspace import get_named

if TYPE_CHECKING:
    from airside.runtime.site import Site


def export(
    workspace: Annotated[str, typer.Argument(help="Slug of the workspace.")],
    to: Annotated[Path, typer.Option(help="The folder to write; empty, or not there yet.")],
    as_json: Json = False,
) -> None:
    """Write a workspace into a folder: its records as JSON lines, and its files.

    What is private to people is in it; passwords, tokens and webhook secrets are not. `airside import` reads it."""
    from airside.cli.moving_progress import show_progress
    from airside.moving.export import export_workspace

    async def work(site: "Site") -> dict[str, Any]:
        found = await get_named(site, workspace)
        with show_progress() as progress:
            made = await export_workspace(site, found, to, progress)
        return {
            "workspace": workspace,
            "folder": str(to),
            "rows": dict(made.rows),
            "file_bytes": made.file_bytes,
            "left_out": made.left_out,
        }

    made = on_site(work)
    if as_json:
        print_result(made, as_json=True)
        return
    rows, left = sum(made["rows"].values()), len(made["left_out"])
    typer.echo(f"{workspace} is in {to}: {rows:,} records, {made['file_bytes']:,} bytes of files.")
    if left:
        typer.echo(f"{left} files are missing in the storage; manifest.json names them.", err=True)
