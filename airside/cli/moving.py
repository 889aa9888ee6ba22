"""`airside export` and `airside import`: a workspace moves out into a folder, and in from one."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_json
from airside.cli.unusable import Unusable
from airside.cli.workspace import get_admin, get_named, get_person

if TYPE_CHECKING:
    from airside.db.base import Row
    from airside.moving.progress import Progress
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
    folder: Annotated[Path | None, typer.Argument(help="What `airside export` wrote.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="URL of another Plane, instead of a folder.")
    ] = None,
    workspace: Annotated[str | None, typer.Option(help="Slug of the workspace there.")] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="AIRSIDE_IMPORT_API_KEY",
            help="API key of an admin there; better in the environment, or asked for on a terminal.",
        ),
    ] = None,
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
    """Bring a workspace in from a folder, or from another Plane. A second run goes on where the first one ended.

    Ends with status 3 if something couldn't come; the report says what, and why."""
    from airside.cli.moving_progress import show_progress

    if (folder is None) == (from_ is None) or (from_ is None) != (workspace is None):
        raise typer.BadParameter("Name a folder, or with --from and --workspace another Plane.")
    key = "" if from_ is None else api_key or _ask_for_key()

    async def work(site: "Site") -> dict[str, Any]:
        with show_progress() as progress:
            if folder is not None:
                return await _bring(site, folder, into, owner, progress, [])
            return await _bring_from(site, from_ or "", key, workspace or "", into, owner, progress)

    _print_report(on_site(work), report, as_json=as_json)


def _ask_for_key() -> str:
    """Raises Unusable without a terminal."""
    if not sys.stdin.isatty():
        raise Unusable("there is no API key; set AIRSIDE_IMPORT_API_KEY")
    return typer.prompt("API key", hide_input=True, err=True)


async def _bring_from(
    site: "Site", url: str, key: str, slug: str, into: str | None, owner: str | None, progress: "Progress"
) -> dict[str, Any]:
    """What is fetched is kept until everything came, so that it isn't asked for again."""
    from airside.moving.remote_client import RemotePlane
    from airside.moving.remote_fetch import fetch_workspace, folder_of

    staging = folder_of(site.settings.data, url, slug)
    async with RemotePlane(site.settings, url, key, progress) as source:
        now = site.clock.now().isoformat()
        fetched, not_served = await fetch_workspace(source, slug, staging, progress, now)
    brought = await _bring(site, fetched, into, owner, progress, not_served)
    await asyncio.to_thread(shutil.rmtree, staging)
    return brought


async def _bring(
    site: "Site",
    folder: Path,
    into: str | None,
    owner: str | None,
    progress: "Progress",
    not_served: "list[Row]",
) -> dict[str, Any]:
    from airside.moving.bundle import Bundle
    from airside.moving.import_folder import import_folder

    bundle = Bundle(folder)
    named = bundle.manifest.workspace
    slug = into or str(named.get("slug") or "")
    workspace, made = await _enter(site, slug, str(named.get("name") or slug), owner)
    admin_id = await get_admin(site, workspace, None)
    brought = await import_folder(site, workspace, bundle, admin_id, progress, made_workspace=made)
    return {"workspace": workspace["slug"], **brought.as_json(), "not_served": not_served}


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
        for one in made["not_served"]:
            typer.echo(f"{one['family'].replace('_', ' ')}: {one['reason']}", err=True)
        for one in made["changed"]:
            typer.echo(f"{_count(one)} came without a part. {one['what']}", err=True)
        for one in made["left"]:
            typer.echo(f"{_count(one)} didn't come. {one['reason']}", err=True)
    if made["left"]:
        raise typer.Exit(STATUS_INCOMPLETE)


def _count(one: dict[str, Any]) -> str:
    return f"{one['records']:,} {one['family'].replace('_', ' ')}"
