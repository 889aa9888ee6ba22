"""`airside webhook`: a workspace's webhooks and apps' endpoints, their log, redelivery, test events."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.workspace import get_admin, get_named
from airside.system.clock import read_instant

if TYPE_CHECKING:
    from airside.runtime.site import Site
    from airside.webhooks.deliveries import LogEntry
    from airside.webhooks.tables import EndpointRow

cli = typer.Typer(help="Webhooks: list, read the delivery log, redeliver.", no_args_is_help=True)

Workspace = Annotated[str, typer.Option(help="Slug of the workspace.")]
Webhook = Annotated[str, typer.Argument(help="Id of the webhook, as list shows it.")]


@cli.command("list")
def list_all(workspace: Workspace, as_json: Json = False) -> None:
    """List everything that listens to a workspace: its own webhooks, and those of installed apps."""
    from airside.webhooks.endpoints import list_endpoints

    async def work(site: "Site") -> list[dict[str, Any]]:
        found = await get_named(site, workspace)
        return [_show(row) for row in await list_endpoints(site.db, found["id"])]

    webhooks = on_site(work)
    if as_json:
        print_json({"webhooks": webhooks})
        return
    for row in webhooks:
        state = "on" if row["is_active"] else f"off ({row['disabled_reason'] or 'ended'})"
        typer.echo(f"{row['id']}  {row['version']}  {state}  {row['url']}  {row['title']}")


@cli.command("deliveries")
def list_log(
    webhook: Webhook,
    workspace: Workspace,
    status: Annotated[
        str, typer.Option(help="pending, delivered, failed, cancelled, missed or left_out.")
    ] = "",
    event: Annotated[str, typer.Option(help="Name of the event.")] = "",
    mentions: Annotated[str, typer.Option(help="Id of a delivery, attempt, event or record.")] = "",
    since: Annotated[str, typer.Option(help="A time such as 2026-01-31T12:00.")] = "",
    as_json: Json = False,
) -> None:
    """List the newest deliveries, and what an app wasn't sent because its own bot did it (left_out)."""
    from airside.webhooks.deliveries import Search
    from airside.webhooks.log import LEFT_OUT, read_log

    search = Search(status=status, event=event, mentioned=_read_id(mentions), since=_read_time(since))

    async def work(site: "Site") -> list[dict[str, Any]]:
        endpoint = await _get_endpoint(site, workspace, webhook)
        return [_show_delivery(row) for row in (await read_log(site.db, [endpoint], search=search)).entries]

    found = on_site(work)
    if as_json:
        print_json({"deliveries": found})
        return
    for row in found:
        answer = row["http_status"] or row["error"] or ("own change" if row["state"] == LEFT_OUT else "-")
        typer.echo(
            f"{row['id']}  {row['created_at']:%Y-%m-%d %H:%M:%S}  {row['state']}  {answer}  {row['event']}"
        )
    if any(row["state"] == LEFT_OUT for row in found):
        typer.echo(
            "An app is sent what its own bot did only if it is set to receive its own changes.", err=True
        )


@cli.command("redeliver")
def redeliver(
    webhook: Webhook,
    workspace: Workspace,
    delivery: Annotated[list[str] | None, typer.Option(help="Id of a delivery; can be repeated.")] = None,
    since: Annotated[
        str, typer.Option(help="A time such as 2026-01-31T12:00: all undelivered since then.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Redeliver the given deliveries, or all undelivered ones since a time, with the same event ids."""
    from airside.webhooks.deliveries import redeliver_selected, redeliver_since

    ids, begin = [_read_id(one) for one in delivery or []], _read_time(since)
    if bool(ids) == bool(begin):
        raise typer.BadParameter("give either --delivery or --since")

    async def work(site: "Site") -> dict[str, Any]:
        endpoint = await _get_endpoint(site, workspace, webhook)
        if begin is not None:
            return {"redelivered": await redeliver_since(site, endpoint=endpoint, since=begin)}
        async with site.db.transaction() as tx:
            count = await redeliver_selected(
                tx, site.wakeups, endpoint=endpoint, ids=ids, now=site.clock.now()
            )
        return {"redelivered": count}

    print_result(on_site(work), as_json=as_json)


@cli.command("test")
def send_test(
    webhook: Webhook,
    workspace: Workspace,
    event: Annotated[str, typer.Option(help="Any event of the catalogue.")] = "webhook.ping",
    as_json: Json = False,
) -> None:
    """Send a sample event to a webhook, regardless of its subscriptions and also while it is disabled."""
    from airside.events.catalog import list_kinds
    from airside.identity.users import get_user
    from airside.webhooks.samples import send_sample

    if event not in list_kinds():
        raise typer.BadParameter(f"there is no event {event}")

    async def work(site: "Site") -> dict[str, Any]:
        endpoint = await _get_endpoint(site, workspace, webhook)
        by_user_id = await get_admin(site, await get_named(site, workspace), None)
        now = site.clock.now()
        async with site.db.transaction() as tx:
            by = await get_user(tx, by_user_id)
            event_id = await send_sample(tx, site.wakeups, endpoint=endpoint, name=event, by=by, now=now)
        return {"event_id": event_id}

    print_result(on_site(work), as_json=as_json)


async def _get_endpoint(site: "Site", workspace: str, webhook_id: str) -> "EndpointRow":
    """Raises NotFound."""
    from airside.errors import NotFound
    from airside.webhooks.endpoints import find_endpoint

    found = await find_endpoint(site.db, (await get_named(site, workspace))["id"], _read_id(webhook_id))
    if found is None:
        raise NotFound(f"There is no webhook {webhook_id} in {workspace}.")
    return found


def _read_id(text: str) -> str:
    from airside.db.base import is_uuid

    if text and not is_uuid(text):
        raise typer.BadParameter(f"{text} is not an id")
    return text.lower()


def _read_time(text: str) -> datetime | None:
    """Parse a time; UTC without an offset."""
    if not text:
        return None
    found = read_instant(text)
    if found is None:
        raise typer.BadParameter(f"{text} is not a time such as 2026-01-31T12:00")
    return found


def _show(row: "EndpointRow") -> dict[str, Any]:
    names = (
        "id",
        "title",
        "url",
        "version",
        "is_active",
        "disabled_reason",
        "installation_id",
        "event_names",
    )
    return {name: row[name] for name in (*names, "filter_pql", "first_failure_at")}


def _show_delivery(row: "LogEntry") -> dict[str, Any]:
    names = ("id", "event_id", "event", "state", "created_at", "attempt_count", "http_status", "error")
    return {name: row[name] for name in names}
