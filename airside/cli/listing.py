"""`airside listing`: the marketplace of this instance, for its operators."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import As, Workspace, get_client
from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.workspace import get_named, get_person

if TYPE_CHECKING:
    from airside.db.base import Row
    from airside.runtime.site import Site

cli = typer.Typer(help="The marketplace: listings and their review.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The app's slug, as `airside listing list` shows it.")]
Words = Annotated[str, typer.Option(help="Message to the author.")]


@cli.command("list")
def list_listings(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only listings in review.")] = False,
    as_json: Json = False,
) -> None:
    """List the listings: those that wait for review, and those that were decided on."""
    from airside.marketplace.find import list_reviewed, list_submitted

    async def work(site: "Site") -> list[dict[str, Any]]:
        rows = await list_submitted(site.db, limit=1000)
        if not waiting:
            rows += await list_reviewed(site.db, limit=1000)
        return [_show(row) for row in rows]

    found = on_site(work)
    if as_json:
        print_json({"listings": found})
        return
    for row in found:
        typer.echo(f"{row['slug']}  {row['standing']}  {row['state']}")


@cli.command("check")
def check(slug: Slug, as_json: Json = False) -> None:
    """Run the automatic checks on the version in review, else on the public one."""
    from airside.apps.tables import apps
    from airside.errors import Refused
    from airside.marketplace.checks import run_checks
    from airside.marketplace.find import get_listing_by_slug
    from airside.marketplace.snapshot import read_snapshot

    async def work(site: "Site") -> list[dict[str, Any]]:
        listing = await get_listing_by_slug(site.db, slug)
        stored = listing["submitted"] or listing["published"]
        app = await site.db.find(apps, id=listing["app_id"])
        if stored is None or app is None:
            raise Refused("Its author hasn't sent it to review yet.")
        return [
            {
                "check": each.words,
                "is_met": each.is_met,
                "is_required": each.is_required,
                "detail": each.detail,
            }
            for each in await run_checks(site, read_snapshot(stored), app)
        ]

    found = on_site(work)
    if as_json:
        print_json({"checks": found})
        return
    for each in found:
        mark = "ok     " if each["is_met"] else ("missing" if each["is_required"] else "better ")
        typer.echo(f"{mark}  {each['check']}{'  (' + each['detail'] + ')' if each['detail'] else ''}")


@cli.command("approve")
def approve(slug: Slug, as_json: Json = False) -> None:
    """Approve the version in review, which publishes it."""
    from airside.marketplace.review import approve_listing

    print_result(on_site(lambda site: _shown(approve_listing(site, slug, None))), as_json=as_json)


@cli.command("request-changes")
def request_changes(slug: Slug, words: Words, as_json: Json = False) -> None:
    """Send the version in review back to its author."""
    from airside.marketplace.review import request_changes as send_back

    print_result(on_site(lambda site: _shown(send_back(site, slug, None, words))), as_json=as_json)


@cli.command("delist")
def delist(
    slug: Slug, reason: Annotated[str, typer.Option(help="Message to the author.")], as_json: Json = False
) -> None:
    """Remove an app from the marketplace; its installations stay."""
    from airside.marketplace.review import delist_listing

    print_result(on_site(lambda site: _shown(delist_listing(site, slug, None, reason))), as_json=as_json)


@cli.command("verify")
def verify(
    slug: Slug,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether the publisher is verified.")] = True,
    as_json: Json = False,
) -> None:
    """Mark an app's publisher as verified: its workspace, under the name in the listing."""
    from airside.errors import Refused
    from airside.marketplace.find import get_listing_by_slug
    from airside.marketplace.publishers import set_verified
    from airside.marketplace.snapshot import read_snapshot

    async def work(site: "Site") -> dict[str, Any]:
        listing = await get_listing_by_slug(site.db, slug)
        stored = listing["submitted"] or listing["published"]
        if stored is None:
            raise Refused("Its author hasn't sent it to review yet.")
        name = read_snapshot(stored).publisher
        await set_verified(site, listing["workspace_id"], name, None, is_verified=on)
        return {"publisher": name, "is_verified": on}

    print_result(on_site(work), as_json=as_json)


@cli.command("export")
def export(
    slug: Slug,
    output: Annotated[Path | None, typer.Option(help="Output file. Default: stdout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="No effect: the output is JSON.")] = False,
) -> None:
    """Export a listed app for another instance, with its pictures, without ids and secrets."""
    from airside.cli.console import Unusable
    from airside.marketplace.export_bundle import export_listing
    from airside.marketplace.find import get_listing_by_slug

    async def work(site: "Site") -> bytes:
        return await export_listing(site, await get_listing_by_slug(site.db, slug))

    data = on_site(work)
    if output is None:
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data + b"\n")
    except OSError as error:
        raise Unusable(f"can't write {output}: {error.strerror}") from None


@cli.command("import")
def import_(file: Path, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Register the app of an exported listing, with new secrets, which are shown once; its listing is a draft."""
    from airside.cli.console import Unusable
    from airside.marketplace.import_bundle import receive_listing

    try:
        data = file.read_bytes()
    except OSError as error:
        raise Unusable(f"can't read {file}: {error.strerror}") from None

    async def work(site: "Site") -> dict[str, Any]:
        where, by = await get_named(site, workspace), await get_person(site, as_)
        received = await receive_listing(site, data, where["id"], by["id"], is_command=True)
        return {
            "slug": received.listing["slug"],
            "client_id": received.made.app["client_id"],
            "client_secret": received.made.client_secret,
            "webhook_secret": received.made.webhook_secret,
        }

    print_result(on_site(work), as_json=as_json)


@cli.command("submit")
def submit(client_id: str, as_: As, as_json: Json = False) -> None:
    """Submit an app's draft listing for review, as its author."""
    from airside.marketplace.submit import submit_listing

    async def work(site: "Site") -> dict[str, Any]:
        app = await get_client(site, client_id)
        return _show(await submit_listing(site, app, (await get_person(site, as_))["id"]))

    print_result(on_site(work), as_json=as_json)


async def _shown(act: Any) -> dict[str, Any]:
    return _show(await act)


def _show(listing: "Row") -> dict[str, Any]:
    return {name: listing[name] for name in ("slug", "standing", "state")}
