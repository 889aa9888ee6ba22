"""`airside app manifest`: an app's registration as YAML, written out and applied."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import As, get_client, show_registered
from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.unusable import Unusable
from airside.cli.workspace import get_named, get_person

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="An app's registration as YAML.", no_args_is_help=True)
MAX_FILE_BYTES = 1024 * 1024  # bytes read of a file; above the size limit of manifests

File = Annotated[str, typer.Argument(help="The manifest; - reads it from standard input.")]
App = Annotated[str | None, typer.Option("--app", help="Client id of the app to change.")]
Into = Annotated[
    str | None, typer.Option("--workspace", help="Slug of the workspace in which to register a new app.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@cli.command("export")
def export(client_id: str, as_json: Json = False) -> None:
    """Write an app's manifest to standard output."""
    from airside.developer.manifest import export_manifest

    async def work(site: "Site") -> str:
        return export_manifest(await get_client(site, client_id))

    text = on_site(work)
    if as_json:
        print_json({"manifest": text})
        return
    typer.echo(text, nl=False)


@cli.command("apply")
def apply(
    file: File,
    as_: As,
    app: App = None,
    workspace: Into = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Update an app from its manifest, or register it, and show the changes."""
    if (app is None) == (workspace is None):
        raise typer.BadParameter("say --app to change one, or --workspace to register it there")
    text = read_manifest_file(file)
    if app is not None:
        result = on_site(lambda site: _change(site, app, as_, text, dry_run=dry_run))
    else:
        result = on_site(lambda site: _register(site, workspace or "", as_, text, dry_run=dry_run))
    lines = result.pop("diff")
    if as_json:
        print_json({**result, "diff": lines})
        return
    for line in lines:
        typer.echo(line)
    print_result(result, as_json=False)


async def _change(site: "Site", client_id: str, as_: str, text: str, *, dry_run: bool) -> dict[str, Any]:
    from airside.developer.manifest import apply_manifest, plan_manifest

    found, by = await get_client(site, client_id), await get_person(site, as_)
    plan = plan_manifest(text, found)
    if not dry_run:
        await apply_manifest(site, found, by["id"], text)
    return {
        "client_id": client_id,
        "changes": [change.name for change in plan.changes],
        "applied": not dry_run,
        "diff": plan.lines,
    }


async def _register(site: "Site", workspace: str, as_: str, text: str, *, dry_run: bool) -> dict[str, Any]:
    from airside.developer.manifest import create_from_manifest, plan_manifest

    into, by = await get_named(site, workspace), await get_person(site, as_)
    plan = plan_manifest(text, None)
    if dry_run:
        return {"name": plan.fields["name"], "applied": False, "diff": plan.lines}
    made = await create_from_manifest(site, into["id"], by["id"], text)
    return show_registered(made) | {"applied": True, "diff": plan.lines}


def read_manifest_file(name: str) -> str:
    """Raises Unusable."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES)
        else:
            with Path(name).open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Unusable(f"{name} can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise Unusable(f"{name} is no text in UTF-8") from None
