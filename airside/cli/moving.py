"""`airside export` and `airside import`: a workspace moves out into a folder, and in from one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_json
from airside.cli.workspace import get_admin, get_named, get_person

if TYPE_CHECKING:
    from airside.db.base import Row
    from airside.runtime.site import Site

STATUS_INCOMPLETE = 3  # something couldn't come


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
        print_json(made)
        return
    rows, left = sum(made["rows"].values()), len(made["left_out"])
    typer.echo(f"{workspace} is in {to}: {rows:,} records, {made['file_bytes']:,} bytes of files.")
    if left:
        typer.echo(f"{left} files are missing in the storage; manifest.json names them.", err=True)


def import_(
    folder: Annotated[Path, typer.Argument(help="What `airside export` wrote.")],
    into: Annotated[
        str | None,
        typer.Option(help="Slug of the workspace, which is made if there is none. Default: the source's."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="E-mail of the first admin of a workspace that is made.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the whole report into this file, as JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a workspace in from a folder. A second run goes on where the first one was interrupted.

    Ends with status 3 if something couldn't come; the report says what, and why."""
    from airside.cli.moving_progress import show_progress
    from airside.moving.bundle import Bundle
    from airside.moving.import_folder import import_folder

    async def work(site: "Site") -> dict[str, Any]:
        bundle = Bundle(folder)
        slug = into or str(bundle.manifest.workspace.get("slug") or "")
        workspace, made = await _enter(site, slug, str(bundle.manifest.workspace.get("name") or slug), owner)
        admin_id = await get_admin(site, workspace, None)
        with show_progress() as progress:
            brought = await import_folder(site, workspace, bundle, admin_id, progress, made_workspace=made)
        return {"workspace": workspace["slug"], **brought.as_json()}

    _print_report(on_site(work), report, as_json=as_json)


async def _enter(site: "Site", slug: str, name: str, owner: str | None) -> "tuple[Row, bool]":
    """The workspace, and whether it was made just now. Raises NotFound, Invalid and UnprovenEmail."""
    from airside.errors import NotFound
    from airside.workspaces.create import NAME_LENGTH, create_workspace
    from airside.workspaces.find import find_workspace

    found = await find_workspace(site.db, slug)
    if found is not None:
        return found, False
    if owner is None:
        raise NotFound(f"There is no workspace with the slug {slug}. Name with --owner who gets a new one.")
    person = await get_person(site, owner)
    return await create_workspace(site, name=name[:NAME_LENGTH], slug=slug, owner_id=person["id"]), True


def _print_report(made: dict[str, Any], report: Path | None, *, as_json: bool) -> None:
    """The counts, and on stderr what couldn't come."""
    if report is not None:
        import msgspec

        report.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    if as_json:
        print_json(made)
    else:
        typer.echo(
            f"{sum(made['came'].values()):,} records came, {sum(made['present'].values()):,} were here."
        )
        for person in made["people"]["named_only"]:
            typer.echo(f"only a name: {person['name']} {person['email'] or ''}. {person['reason']}", err=True)
        for one in made["changed"]:
            typer.echo(f"{_count(one)} came without a part. {one['what']}", err=True)
        for one in made["left"]:
            typer.echo(f"{_count(one)} didn't come. {one['reason']}", err=True)
    if made["left"]:
        raise typer.Exit(STATUS_INCOMPLETE)


def _count(one: dict[str, Any]) -> str:
    return f"{one['records']:,} {one['family'].replace('_', ' ')}"
