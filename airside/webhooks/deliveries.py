"""Reading the delivery log, and redelivering."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypedDict

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, IdList, Instant, Row, TenantKey
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of, any_text_of
from airside.errors import NotFound, Refused
from airside.events.catalog import get_kind
from airside.events.tables import events
from airside.live.wakeups import Wakeups
from airside.runtime.site import Site
from airside.webhooks.cancel import finish_cancelling
from airside.webhooks.listeners import wake_up_of
from airside.webhooks.queue import DELIVER
from airside.webhooks.tables import (
    AttemptRow,
    DeliveryRow,
    EndpointRow,
    is_undelivered,
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
)

PAGE = 50
STATUSES = ("pending", "delivered", "failed", "cancelled", "missed")
BATCH = 500  # deliveries requeued in one transaction; on SQLite other writers wait for it
SPREAD = timedelta(
    seconds=1
)  # requeued deliveries become due in this span before now, each at its own instant


class LoggedDelivery(DeliveryRow):
    """A delivery with its event's record, its endpoint and its last attempt."""

    name: str  # the event's, in the catalogue
    entity_id: str
    url: str
    installation_id: str | None
    is_listened: bool  # whether its endpoint is one of `airside listen`
    attempt_count: int
    http_status: int | None
    duration_ms: int | None
    error: str | None


class LogEntry(TypedDict):
    """An entry of the delivery log: what a delivery and an event that was left out have in common."""

    workspace_id: str
    id: str
    endpoint_id: str
    event_id: str
    version: str
    created_at: datetime
    name: str
    entity_id: str
    url: str
    is_listened: bool
    attempt_count: int
    http_status: int | None
    duration_ms: int | None
    error: str | None
    event: str  # in the names of its version
    action: str
    state: str  # pending, retrying, delivered, failed, cancelled, missed, left_out


class Notice(LoggedDelivery):
    """A delivery as people read it."""

    event: str  # in the names of its version
    action: str
    state: str  # pending, retrying, delivered, failed, cancelled or missed


class NumberedAttempt(AttemptRow):
    number: int  # from 1


class _Due(TypedDict):
    id: str
    created_at: datetime


class Search(msgspec.Struct, kw_only=True):
    """Filters on deliveries; an empty one matches all."""

    status: str = ""  # as stored: pending | delivered | failed | cancelled | missed
    event: str = ""  # the event's name in the catalogue or in the delivery's version
    names: list[str] = []  # any of these names in the catalogue
    since: datetime | None = None
    until: datetime | None = None
    mentioned: str = ""  # the id of the delivery, an attempt, the event or the entity


async def list_deliveries(
    reader: Reader,
    endpoints: Sequence[TenantKey],
    *,
    limit: int = PAGE,
    before: str | None = None,
    search: Search | None = None,
) -> list[Notice]:
    """The matching deliveries of these endpoints, newest first, after the delivery with the id `before`."""
    if not endpoints:
        return []
    keys = {
        "workspace_ids": list({endpoint["workspace_id"] for endpoint in endpoints}),
        "endpoint_ids": [endpoint["id"] for endpoint in endpoints],
    }
    asked = {name: value for name, value in msgspec.structs.asdict(search or Search()).items() if value}
    newest = _newest(tuple(sorted(asked)))
    rows = await reader.fetch_all(newest, before=before or LAST_ID, limit=limit, **keys, **asked)
    return [_as_notice(row) for row in rows]


async def find_delivery(reader: Reader, workspace_id: str, delivery_id: str) -> Notice | None:
    row = await reader.fetch_one(_ONE, in_workspace=workspace_id, delivery=delivery_id)
    return None if row is None else _as_notice(row)


async def list_attempts(reader: Reader, workspace_id: str, delivery_id: str) -> list[NumberedAttempt]:
    """Its attempts, oldest first, each with its `number`; headers are lists of name and value."""
    rows = await reader.fetch_all(_ATTEMPTS, in_workspace=workspace_id, delivery=delivery_id)
    return [{**row, "number": number} for number, row in enumerate(rows, start=1)]


async def redeliver(
    tx: Transaction, wakeups: Wakeups, *, workspace_id: str, delivery_id: str, now: datetime
) -> None:
    """Redeliver as soon as possible, with the same event id and a new retry schedule.

    A delivery that is in flight is left alone. Raises NotFound, or Refused when the endpoint is disabled."""
    delivery = await tx.lock(webhook_deliveries, workspace_id=workspace_id, id=delivery_id)
    if delivery is None:
        raise NotFound
    endpoint = await require_listening(tx, workspace_id, delivery["endpoint_id"])
    await redeliver_selected(tx, wakeups, endpoint=endpoint, ids=[delivery_id], now=now)


async def redeliver_selected(
    tx: Transaction, wakeups: Wakeups, *, endpoint: TenantKey, ids: list[str], now: datetime
) -> int:
    """Redeliver these, oldest first; returns how many. Ids of other endpoints' deliveries are skipped.

    For a few hundred at most. Raises Refused."""
    current = await require_listening(tx, endpoint["workspace_id"], endpoint["id"])
    rows = await tx.fetch_all(_SELECTED, ids=ids, now=now, **_place_of(endpoint))
    await _queue_again(tx, wakeups, current, rows, now - SPREAD)
    return len(rows)


async def redeliver_since(site: Site, *, endpoint: TenantKey, since: datetime) -> int:
    """Redeliver everything since then that failed, was cancelled or was missed, oldest first; returns how many.

    A long backlog is queued in many short transactions, so that other writers aren't blocked. Raises Refused."""
    now, place = site.clock.now(), _place_of(endpoint)
    count, reached = 0, {"created_at": since, "after": _FIRST_ID}
    await finish_cancelling(site, endpoint["workspace_id"], endpoint["id"])
    while True:
        async with site.db.transaction() as tx:
            current = await require_listening(tx, endpoint["workspace_id"], endpoint["id"])
            rows = await tx.fetch_all(_UNDELIVERED, now=now, limit=BATCH, **reached, **place)
            begin = now - SPREAD + timedelta(microseconds=count)
            await _queue_again(tx, site.wakeups, current, rows, begin)
        count += len(rows)
        if len(rows) < BATCH:
            return count
        reached = {"created_at": rows[-1]["created_at"], "after": rows[-1]["id"]}


async def _queue_again(
    tx: Transaction, wakeups: Wakeups, endpoint: EndpointRow, rows: list[_Due], begin: datetime
) -> None:
    """Restart their retry schedules, due a microsecond apart: they are sent in the order of `rows`."""
    requeue = _REQUEUE["next_attempt_at" if endpoint["listener_id"] is None else "forward_at"]
    places = [
        {
            "in_workspace": endpoint["workspace_id"],
            "delivery": row["id"],
            "generation": endpoint["generation"],
            "due": begin + timedelta(microseconds=place),
        }
        for place, row in enumerate(rows)
    ]
    if places:
        await tx.execute_all(requeue, places)
    tx.on_commit(lambda: _wake_worker(wakeups, endpoint))


def _place_of(endpoint: TenantKey) -> Row:
    return {"in_workspace": endpoint["workspace_id"], "endpoint": endpoint["id"]}


def _wake_worker(wakeups: Wakeups, endpoint: EndpointRow) -> None:
    listener_id = endpoint["listener_id"]
    wakeups.wake(DELIVER if listener_id is None else wake_up_of(listener_id))
    wakeups.announce(f"deliveries:{endpoint['id']}")


async def require_listening(reader: Reader, workspace_id: str, endpoint_id: str) -> EndpointRow:
    """The endpoint. Raises Refused unless a delivery queued for it now would be sent."""
    endpoint = await reader.find(webhook_endpoints, workspace_id=workspace_id, id=endpoint_id)
    if endpoint is None or endpoint["deleted_at"] is not None or not endpoint["is_active"]:
        raise Refused("This webhook is switched off, so nothing can be sent to it.")
    if endpoint["is_suspended"]:
        raise Refused("The app is suspended in this workspace, so nothing can be sent to it.")
    return endpoint


def _as_notice(row: LoggedDelivery) -> Notice:
    is_retrying = row["status"] == "pending" and row["attempt_count"] > 0
    return {
        **row,
        "event": row["event_name"],
        "action": get_kind(row["name"]).v1_action if row["version"] == "v1" else "",
        "state": "retrying" if is_retrying else row["status"],
    }


_FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_d, _a = webhook_deliveries.c, webhook_attempts.c


def _with_last_attempt() -> sa.Select[tuple[object, ...]]:
    last, counted = webhook_attempts.alias("last"), webhook_attempts.alias("counted")
    last_id = (
        sa.select(_a.id)
        .where(_a.workspace_id == _d.workspace_id, _a.delivery_id == _d.id)
        .order_by(_a.id.desc())
        .limit(sa.literal_column("1"))
        .correlate(webhook_deliveries)
        .scalar_subquery()
    )
    count = (
        sa.select(sa.func.count())
        .select_from(counted)
        .where(counted.c.workspace_id == _d.workspace_id, counted.c.delivery_id == _d.id)
        .scalar_subquery()
    )
    joined = (
        webhook_deliveries.join(
            events, sa.and_(events.c.workspace_id == _d.workspace_id, events.c.id == _d.event_id)
        )
        .join(
            webhook_endpoints,
            sa.and_(
                webhook_endpoints.c.workspace_id == _d.workspace_id, webhook_endpoints.c.id == _d.endpoint_id
            ),
        )
        .outerjoin(last, sa.and_(last.c.workspace_id == _d.workspace_id, last.c.id == last_id))
    )
    return sa.select(
        webhook_deliveries,
        events.c.name,
        events.c.entity_id,
        webhook_endpoints.c.url,
        webhook_endpoints.c.installation_id,
        webhook_endpoints.c.listener_id.is_not(None).label("is_listened"),
        count.label("attempt_count"),
        last.c.response_status.label("http_status"),
        last.c.duration_ms,
        last.c.error,
    ).select_from(joined)


def _is_mentioned() -> sa.ColumnElement[bool]:
    wanted, mentioned = sa.bindparam("mentioned", type_=Id()), webhook_attempts.alias("mentioned")
    attempts = sa.select(mentioned.c.delivery_id).where(
        mentioned.c.workspace_id == _d.workspace_id, mentioned.c.id == wanted
    )
    ids = (_d.id, _d.event_id, events.c.entity_id)
    return sa.or_(*(column == wanted for column in ids), _d.id.in_(attempts.correlate(webhook_deliveries)))


_event = sa.bindparam("event", type_=sa.Text())
_SEARCHED: dict[str, sa.ColumnElement[bool]] = {
    "status": _d.status == sa.bindparam("status", type_=sa.Text()),
    "event": sa.or_(events.c.name == _event, _d.event_name == _event),
    "names": any_text_of(events.c.name, "names"),
    "since": _d.created_at >= sa.bindparam("since", type_=Instant()),
    "until": _d.created_at < sa.bindparam("until", type_=Instant()),
    "mentioned": _is_mentioned(),
}


@cache
def _newest(searched: tuple[str, ...]) -> Statement[LoggedDelivery]:
    return Statement(
        _with_last_attempt()
        .where(
            any_of(_d.workspace_id, "workspace_ids", IdList()),
            any_of(_d.endpoint_id, "endpoint_ids", IdList()),
            _d.id < sa.bindparam("before", type_=Id()),
            *(_SEARCHED[name] for name in searched),
        )
        .order_by(_d.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer())),
        LoggedDelivery,
    )


def _to_send_again(*which: sa.ColumnElement[bool]) -> sa.Select[Any, Any]:
    """Locks the rows until the transaction ends; skips deliveries that are in flight."""
    now = sa.bindparam("now", type_=Instant())
    return (
        sa.select(_d.id, _d.created_at)
        .where(
            tenant(webhook_deliveries, "in_workspace"),
            _d.endpoint_id == sa.bindparam("endpoint", type_=Id()),
            sa.or_(_d.leased_until.is_(None), _d.leased_until <= now),
            *which,
        )
        .order_by(_d.created_at, _d.id)
        .with_for_update()
    )


def _requeue(due: str) -> Statement:
    """`due` is the column that says when it is due: `next_attempt_at` for workers, `forward_at` for a listener."""
    return Statement(
        sa.update(webhook_deliveries)
        .where(tenant(webhook_deliveries, "in_workspace"), _d.id == _delivery)
        .values(
            {
                "status": "pending",
                "attempts": 0,
                "leased_until": None,
                "completed_at": None,
                "generation": sa.bindparam("generation", type_=sa.Integer()),
                due: sa.bindparam("due", type_=Instant()),
            }
        )
    )


_delivery = sa.bindparam("delivery", type_=Id())
_SELECTED = Statement(_to_send_again(any_of(_d.id, "ids", IdList())), _Due)
_UNDELIVERED = Statement(
    _to_send_again(
        is_undelivered,
        sa.tuple_(_d.created_at, _d.id)
        > sa.tuple_(sa.bindparam("created_at", type_=Instant()), sa.bindparam("after", type_=Id())),
    ).limit(sa.bindparam("limit", type_=sa.Integer())),
    _Due,
)
_REQUEUE = {due: _requeue(due) for due in ("next_attempt_at", "forward_at")}
_ONE = Statement(
    _with_last_attempt().where(tenant(webhook_deliveries, "in_workspace"), _d.id == _delivery), LoggedDelivery
)
_ATTEMPTS = Statement(
    sa.select(webhook_attempts)
    .where(tenant(webhook_attempts, "in_workspace"), _a.delivery_id == _delivery)
    .order_by(_a.started_at, _a.id),
    AttemptRow,
)
