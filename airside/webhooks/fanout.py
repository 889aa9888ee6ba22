"""From events to deliveries: every event meets every listener once, after its commit."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from airside.db.base import IdList, Instant, Row
from airside.db.database import Transaction
from airside.db.statements import Statement, any_of
from airside.events.catalog import get_kind
from airside.events.envelope import count_parts, name_event
from airside.events.tables import events
from airside.site import Site
from airside.webhooks.queue import DeliveryQueue, NewDelivery
from airside.webhooks.tables import webhook_endpoints

BATCH = 100  # events of one transaction; on SQLite other writers wait for it


async def fan_out(site: Site, queue: DeliveryQueue) -> bool:
    """Make the deliveries of the oldest events that wait; True when more may be waiting.

    Events are locked while they are worked on, so any number of workers share the work."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        waiting = await tx.fetch_all(_WAITING)
        if not waiting:
            return False
        await queue.enqueue(tx, plan_deliveries(waiting, await _list_listeners(tx, waiting)), now)
        await _mark_fanned_out(tx, waiting, now)
    return len(waiting) == BATCH


def plan_deliveries(happened: Iterable[Row], listeners: Iterable[Row]) -> list[NewDelivery]:
    """One for each event, listener and part, in the order in which it happened."""
    by_workspace: dict[str, list[Row]] = {}
    for endpoint in listeners:
        by_workspace.setdefault(endpoint["workspace_id"], []).append(endpoint)
    ordered = sorted(happened, key=lambda event: (event["created_at"], event["sequence"]))
    return [
        delivery
        for event in ordered
        for endpoint in by_workspace.get(event["workspace_id"], ())
        if wants_event(endpoint, event)
        for delivery in _parts_for(endpoint, event)
    ]


def wants_event(endpoint: Row, event: Row) -> bool:
    """Whether a live endpoint of the event's workspace is told. Filters belong here."""
    if event["is_private"]:
        return False
    if event["name"].startswith("app."):  # what happens to an app concerns that app, and the workspace
        return endpoint["installation_id"] in (None, event["entity_id"])
    return True


def _parts_for(endpoint: Row, event: Row) -> Iterable[NewDelivery]:
    kind, version = get_kind(event["name"]), endpoint["version"]
    for part in range(count_parts(kind, version, event["changes"])):
        yield NewDelivery(
            event["workspace_id"], endpoint["id"], event["id"], name_event(kind, version), version, part
        )


async def _list_listeners(tx: Transaction, waiting: list[Row]) -> list[Row]:
    return await tx.fetch_all(_LISTENERS, workspace_ids=list({event["workspace_id"] for event in waiting}))


async def _mark_fanned_out(tx: Transaction, waiting: list[Row], now: datetime) -> None:
    await tx.execute(
        _MARK,
        now=now,
        workspace_ids=list({event["workspace_id"] for event in waiting}),
        ids=[event["id"] for event in waiting],
    )


_WAITING = Statement(
    sa.select(
        events.c.workspace_id,
        events.c.id,
        events.c.name,
        events.c.entity_id,
        events.c.sequence,
        events.c.changes,
        events.c.is_private,
        events.c.created_at,
    )
    .where(events.c.fanned_out_at.is_(None))
    .order_by(events.c.id)
    .limit(sa.literal_column(str(BATCH)))
    .with_for_update(skip_locked=True)
)
_LISTENERS = Statement(
    sa.select(
        webhook_endpoints.c.workspace_id,
        webhook_endpoints.c.id,
        webhook_endpoints.c.installation_id,
        webhook_endpoints.c.version,
    )
    .where(
        any_of(webhook_endpoints.c.workspace_id, "workspace_ids", IdList()),
        webhook_endpoints.c.deleted_at.is_(None),
        webhook_endpoints.c.is_active,
    )
    .order_by(webhook_endpoints.c.id)
)
_MARK = Statement(
    sa.update(events)
    .where(any_of(events.c.workspace_id, "workspace_ids", IdList()), any_of(events.c.id, "ids", IdList()))
    .values(fanned_out_at=sa.bindparam("now", type_=Instant()))
)
