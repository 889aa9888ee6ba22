"""Fan-out: after its commit, each event is matched with the workspace's endpoints, and deliveries are queued."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypedDict, cast

import sqlalchemy as sa
import structlog

from airside.db.base import IdList, Instant, Row, TenantKey, new_id
from airside.db.conditions import live
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.events.catalog import UNCHOSEN, get_kind
from airside.events.envelope import list_parts, name_event
from airside.events.tables import events
from airside.pql.expression import QueryError
from airside.runtime.site import Site
from airside.webhooks.endpoints import FAILING, Switched, receives_lifecycle_events
from airside.webhooks.filters import FilteredEvent, is_filtered, passes_filter
from airside.webhooks.forward import hold_deliveries
from airside.webhooks.queue import DeliveryQueue, NewDelivery
from airside.webhooks.reach import LIMITS, Happened, Limited, may_receive
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints

BATCH = 100  # events of one transaction; on SQLite other writers wait for it
MANY = 500  # times that an endpoint is asked about an event: some milliseconds

_log = structlog.get_logger("airside.webhooks")


class HappenedEvent(Happened):
    """What matching reads of an event."""

    workspace_id: str
    id: str
    entity_id: str
    actor_id: str | None
    is_private: bool
    endpoint_id: str | None
    installation_id: str | None
    created_at: datetime


class WaitingEvent(HappenedEvent):
    """An event that hasn't been fanned out."""

    sequence: int
    changes: list[dict[str, Any]]


class EventData(TypedDict):
    id: str
    data: dict[str, Any]
    data_v2: dict[str, Any]
    previous: dict[str, Any]


class TargetEndpoint(TenantKey, Limited, Switched):
    """What matching reads of an endpoint."""

    installation_id: str | None
    version: str
    is_active: bool
    event_names: list[str] | None
    filter_pql: str
    ignored_actor_id: str | None
    deleted_at: datetime | None
    listener_id: str | None
    generation: int


async def fan_out(site: Site, queue: DeliveryQueue) -> bool:
    """Queue the deliveries of the oldest events that haven't been fanned out; True when there may be more.

    The events are locked meanwhile, so any number of workers can share the work."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        waiting = await tx.fetch_all(_WAITING)
        if not waiting:
            return False
        listeners = await _list_listeners(tx, waiting)
        await fetch_data(tx, waiting, listeners)
        receiving = [endpoint for endpoint in listeners if not _records_missed(endpoint)]
        failing = [endpoint for endpoint in listeners if _records_missed(endpoint)]
        planned = await _plan(waiting, receiving)
        await _enqueue(tx, site, queue, planned, receiving, now)
        await _record_missed(tx, await _plan(waiting, failing), now)
        _announce_left_out(tx, site, waiting, listeners)
        await _mark_fanned_out(tx, waiting, now)
    site.counters.add("airside_events_fanned_out", by=len(waiting))
    site.counters.add("airside_webhook_deliveries_planned", by=len(planned))
    return len(waiting) == BATCH


async def _plan(happened: Sequence[WaitingEvent], listeners: Sequence[TargetEndpoint]) -> list[NewDelivery]:
    """`plan_deliveries`; beside the event loop where many have to be asked, or queries have to be read."""
    if len(happened) * len(listeners) > MANY or any(endpoint["filter_pql"] for endpoint in listeners):
        return await asyncio.to_thread(plan_deliveries, happened, listeners)
    return plan_deliveries(happened, listeners)


def plan_deliveries(
    happened: Iterable[WaitingEvent], listeners: Iterable[TargetEndpoint]
) -> list[NewDelivery]:
    """One for each event, endpoint and part, in the order of the events."""
    by_workspace: dict[str, list[TargetEndpoint]] = {}
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


def wants_event(endpoint: TargetEndpoint, event: HappenedEvent) -> bool:
    """Whether an endpoint of the event's workspace receives it. Filters belong here."""
    if event["endpoint_id"] is not None:  # a ping or a test event, sent whatever the endpoint subscribes to
        return endpoint["id"] == event["endpoint_id"]
    if event["is_private"]:
        return False
    if event["installation_id"] is not None:
        return endpoint["installation_id"] == event["installation_id"] and _listens(endpoint, event)
    if event["name"].startswith("app."):  # sent to that app, and to the workspace's own webhooks
        if endpoint["installation_id"] == event["entity_id"]:
            return receives_lifecycle_events(endpoint) and not _is_its_own(endpoint, event)
        return endpoint["installation_id"] is None and _listens(endpoint, event)
    return _listens(endpoint, event)


def _listens(endpoint: TargetEndpoint, event: HappenedEvent) -> bool:
    """Whether it is enabled, may receive the event and subscribes to it: by name, actor and filter."""
    if not _is_there(endpoint, event):
        return False
    if not _is_chosen(endpoint, event["name"]) or _is_its_own(endpoint, event):
        return False
    return not endpoint["filter_pql"] or not is_filtered(event["name"]) or _passes(endpoint, event)


def _is_chosen(endpoint: TargetEndpoint, name: str) -> bool:
    """Events of UNCHOSEN are sent whatever the endpoint subscribes to; only `airside listen` can leave them out."""
    chosen = endpoint["event_names"]
    return chosen is None or name in chosen or (name in UNCHOSEN and endpoint["listener_id"] is None)


def _is_its_own(endpoint: TargetEndpoint, event: HappenedEvent) -> bool:
    return endpoint["ignored_actor_id"] is not None and endpoint["ignored_actor_id"] == event["actor_id"]


def _is_there(endpoint: TargetEndpoint, event: HappenedEvent) -> bool:
    if endpoint["deleted_at"] is not None or not (endpoint["is_active"] or _records_missed(endpoint)):
        return False
    return may_receive(endpoint, event)


def _passes(endpoint: TargetEndpoint, event: HappenedEvent) -> bool:
    """As in Plane, a filter that can't be evaluated matches nothing."""
    try:
        data = cast(FilteredEvent, event)  # `fetch_data` has added what it reads
        return passes_filter(endpoint["filter_pql"], data, event["created_at"].astimezone(UTC).date())
    except (QueryError, Invalid) as error:
        _log.warning("webhook_filter_broke", endpoint=endpoint["id"], event_id=event["id"], error=str(error))
        return False


def _records_missed(endpoint: TargetEndpoint) -> bool:
    """Whether it was disabled for failing: its deliveries are recorded as missed, to be redelivered later."""
    return endpoint["disabled_reason"] == FAILING and endpoint["deleted_at"] is None


def _parts_for(endpoint: TargetEndpoint, event: WaitingEvent) -> Iterable[NewDelivery]:
    kind, version = get_kind(event["name"]), endpoint["version"]
    for part in list_parts(kind, version, event["changes"], endpoint["ignored_actor_id"]):
        yield NewDelivery(
            event["workspace_id"],
            endpoint["id"],
            event["id"],
            name_event(kind, version),
            version,
            part,
            endpoint["generation"],
        )


async def _list_listeners(tx: Transaction, waiting: list[WaitingEvent]) -> list[TargetEndpoint]:
    """The endpoints that are enabled or disabled for failing, and those that an event addresses directly."""
    return await tx.fetch_all(
        _LISTENERS,
        workspace_ids=list({event["workspace_id"] for event in waiting}),
        installation_ids=list({event["entity_id"] for event in waiting if event["name"].startswith("app.")}),
        ids=list({event["endpoint_id"] for event in waiting if event["endpoint_id"]}),
    )


async def fetch_data(
    reader: Reader, waiting: Sequence[HappenedEvent], listeners: Sequence[TargetEndpoint]
) -> None:
    """Add the data that filters read to the events; only where an endpoint has a filter, since it is large."""
    filtering = {endpoint["workspace_id"] for endpoint in listeners if endpoint["filter_pql"]}
    needed = [event for event in waiting if event["workspace_id"] in filtering and is_filtered(event["name"])]
    if not needed:
        return
    rows = await reader.fetch_all(_DATA, workspace_ids=list(filtering), ids=[event["id"] for event in needed])
    found = {row["id"]: row for row in rows}
    for event in needed:
        cast(Row, event).update(found[event["id"]])


async def _enqueue(
    tx: Transaction,
    site: Site,
    queue: DeliveryQueue,
    planned: list[NewDelivery],
    endpoints: list[TargetEndpoint],
    now: datetime,
) -> None:
    """Deliveries to `airside listen` are held until it fetches them; all others are queued for the workers."""
    listeners = {one["id"]: one["listener_id"] for one in endpoints if one["listener_id"] is not None}
    await queue.enqueue(tx, [one for one in planned if one.endpoint_id not in listeners], now)
    held = [one for one in planned if one.endpoint_id in listeners]
    if held:
        await hold_deliveries(tx, site, held, listeners, now)


async def _record_missed(tx: Transaction, missed: list[NewDelivery], now: datetime) -> None:
    for delivery in missed:
        row = {
            "workspace_id": delivery.workspace_id,
            "id": new_id(),
            "endpoint_id": delivery.endpoint_id,
            "event_id": delivery.event_id,
            "event_name": delivery.event_name,
            "version": delivery.version,
            "part": delivery.part,
            "status": "missed",
            "attempts": 0,
            "created_at": now,
            "completed_at": now,
        }
        await tx.insert(webhook_deliveries, row)


def _announce_left_out(
    tx: Transaction, site: Site, waiting: list[WaitingEvent], listeners: list[TargetEndpoint]
) -> None:
    """Refresh open delivery logs: they also show the bot's own events, which weren't sent (log.py)."""
    acted = {(event["workspace_id"], event["actor_id"]) for event in waiting if event["actor_id"] is not None}
    for endpoint in listeners:
        if (endpoint["workspace_id"], endpoint["ignored_actor_id"]) in acted:
            tx.on_commit(partial(site.wakeups.announce, f"deliveries:{endpoint['id']}"))


async def _mark_fanned_out(tx: Transaction, waiting: list[WaitingEvent], now: datetime) -> None:
    await tx.execute(
        _MARK,
        now=now,
        workspace_ids=list({event["workspace_id"] for event in waiting}),
        ids=[event["id"] for event in waiting],
    )


_e, _w = events.c, webhook_endpoints.c
_in_workspaces = any_of(_w.workspace_id, "workspace_ids", IdList())
_WAITING = Statement(
    sa.select(
        *(_e.workspace_id, _e.id, _e.name, _e.entity_id, _e.sequence, _e.actor_id),
        *(_e.project_id, _e.changes, _e.is_private, _e.endpoint_id, _e.installation_id, _e.created_at),
    )
    .where(_e.fanned_out_at.is_(None))
    .order_by(_e.id)
    .limit(sa.literal_column(str(BATCH)))
    .with_for_update(skip_locked=True),
    WaitingEvent,
)
_DATA = Statement(
    sa.select(_e.id, _e.data, _e.data_v2, _e.previous).where(
        any_of(_e.workspace_id, "workspace_ids", IdList()), any_of(_e.id, "ids", IdList())
    ),
    EventData,
)
_LISTENERS = Statement(
    sa.select(
        *(_w.workspace_id, _w.id, _w.installation_id, _w.version, _w.is_active, _w.disabled_reason),
        *(_w.event_names, _w.filter_pql, _w.ignored_actor_id, _w.deleted_at, _w.listener_id, _w.generation),
        *LIMITS,
    )
    .where(
        _in_workspaces,
        sa.or_(
            sa.and_(live(webhook_endpoints), sa.or_(_w.is_active, _w.disabled_reason == FAILING)),
            any_of(_w.installation_id, "installation_ids", IdList()),
            any_of(_w.id, "ids", IdList()),
        ),
    )
    .order_by(_w.id),
    TargetEndpoint,
)
_MARK = Statement(
    sa.update(events)
    .where(any_of(_e.workspace_id, "workspace_ids", IdList()), any_of(_e.id, "ids", IdList()))
    .values(fanned_out_at=sa.bindparam("now", type_=Instant()))
)
