"""The delivery log as people read it: deliveries, and the events that were skipped as the app's own changes.

A skipped event has no row: it is computed from the bot's events when the log is read. No other reason for
skipping is shown, since an app's author must not see events that the app may not read.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, IdList, first_id_at
from airside.db.conditions import tenant
from airside.db.database import Database
from airside.db.statements import Statement, any_of, first_of_each
from airside.events.catalog import get_kind
from airside.events.envelope import name_event
from airside.events.tables import entity_sequences, events
from airside.webhooks.deliveries import LAST_ID, PAGE, LogEntry, Notice, Search, list_deliveries
from airside.webhooks.fanout import HappenedEvent, fetch_data, wants_event
from airside.webhooks.tables import EndpointRow, webhook_deliveries, webhook_endpoints

LEFT_OUT = "left_out"  # the state of an event that wasn't sent because the endpoint's own bot caused it
MAX_SCANNED = 1000  # of the bots' events read for one page, whether or not an endpoint subscribes to them
_SCAN_BATCH = (
    50  # events matched before the event loop gets a turn: each may be matched with dozens of endpoints
)
_SLACK = timedelta(minutes=1)  # by which an event's id may be later than its time: the longest request


class IgnoringEndpoint(EndpointRow):
    """An endpoint as if it were enabled, and didn't ignore its own bot."""

    ended_at: datetime | None


Ignoring = dict[tuple[str, str | None], list[IgnoringEndpoint]]  # by workspace and bot
_Left = tuple[IgnoringEndpoint, HappenedEvent]


class _Enabled(TypedDict):
    ignored_actor_id: str | None
    is_active: bool
    is_suspended: bool
    disabled_reason: str | None
    deleted_at: datetime | None


class _Sent(TypedDict):
    event_id: str


_ENABLED: _Enabled = {
    "ignored_actor_id": None,
    "is_active": True,
    "is_suspended": False,
    "disabled_reason": None,
    "deleted_at": None,
}


class LogPage(msgspec.Struct, frozen=True):
    """Entries, newest first, and the `before` of the next page; None on the last one.

    A skipped event has the state LEFT_OUT and the event's id. A page can have few entries, or none, although more
    pages follow."""

    entries: list[LogEntry]
    following: str | None


async def read_log(
    db: Database,
    endpoints: Sequence[EndpointRow],
    *,
    limit: int = PAGE,
    before: str | None = None,
    search: Search | None = None,
) -> LogPage:
    """The matching entries of these endpoints, newest first, starting after the entry with the id `before`."""
    search, sent, left, reached = search or Search(), list[Notice](), list[LogEntry](), None
    if search.status != LEFT_OUT:
        sent = await list_deliveries(db, endpoints, limit=limit + 1, before=before, search=search)
    if search.status in ("", LEFT_OUT):
        left, reached = await _list_left_out(db, endpoints, before or LAST_ID, search)
    # The ids of both are ordered by time, so one id is a cursor into both.
    both: list[LogEntry] = [*sent, *left]
    entries = sorted(both, key=lambda row: row["id"], reverse=True)
    if reached is not None:
        entries = [row for row in entries if row["id"] >= reached]
    if len(entries) > limit:
        return LogPage(entries[:limit], entries[limit - 1]["id"])
    return LogPage(entries, reached)


async def _list_left_out(
    db: Database, endpoints: Sequence[EndpointRow], before: str, search: Search
) -> tuple[list[LogEntry], str | None]:
    """Newest first, with the id of the last event scanned; None when there are no more to scan."""
    ignoring = _by_ignored_actor(endpoints)
    if not ignoring:
        return [], None
    done = await _fetch_done(db, ignoring, before, search)
    is_last = len(done) < MAX_SCANNED or (search.since is not None and done[-1]["created_at"] < search.since)
    reached = None if is_last else done[-1]["id"]
    done = [event for event in done if _is_searched(event, search)]
    await fetch_data(db, done, endpoints)
    left = await _match(done, ignoring)
    sent = await _find_sent(db, left, ignoring)
    entries = [_as_entry(endpoint, event) for endpoint, event in left if event["id"] not in sent]
    return [row for row in entries if _is_named(row, search)], reached


def _by_ignored_actor(endpoints: Sequence[EndpointRow]) -> Ignoring:
    """Endpoints by workspace and bot, as if enabled; an app's URL comes before its listeners."""
    found: Ignoring = {}
    for endpoint in sorted(endpoints, key=lambda row: row["listener_id"] is not None):
        if endpoint["ignored_actor_id"] is not None:
            whose = (endpoint["workspace_id"], endpoint["ignored_actor_id"])
            found.setdefault(whose, []).append({**endpoint, **_ENABLED, "ended_at": endpoint["deleted_at"]})
    return found


async def _match(done: list[HappenedEvent], ignoring: Ignoring) -> list[_Left]:
    """Each event that would have been sent, once, with the first endpoint that subscribes to it."""
    left: list[_Left] = []
    for start in range(0, len(done), _SCAN_BATCH):
        for event in done[start : start + _SCAN_BATCH]:
            for endpoint in ignoring.get((event["workspace_id"], event["actor_id"]), ()):
                if _was_there(endpoint, event["created_at"]) and wants_event(endpoint, event):
                    left.append((endpoint, event))
                    break
        await asyncio.sleep(0)
    return left


async def _fetch_done(db: Database, ignoring: Ignoring, before: str, search: Search) -> list[HappenedEvent]:
    """The newest events that the bots caused, MAX_SCANNED at most."""
    workspace_ids = list({workspace_id for workspace_id, _ in ignoring})
    if search.until is not None:
        before = min(before, first_id_at(search.until + _SLACK))
    if search.mentioned:
        return await _fetch_mentioned(db, workspace_ids, before, search.mentioned)
    one_of_each = [listening[0]["id"] for listening in ignoring.values()]
    by_bots = _BY_BOTS[db.dialect.name]
    return await db.fetch_all(by_bots, workspace_ids=workspace_ids, endpoint_ids=one_of_each, before=before)


async def _fetch_mentioned(
    db: Database, workspace_ids: list[str], before: str, mentioned: str
) -> list[HappenedEvent]:
    """The newest events of one record, or one event, by any actor."""
    place = await db.fetch_value(_PLACE, workspace_ids=workspace_ids, mentioned=mentioned)
    if place is None:
        found = await db.fetch_all(_ITSELF, workspace_ids=workspace_ids, mentioned=mentioned)
        return [event for event in found if event["id"] < before]
    return await db.fetch_all(_MENTIONED, place=place, before=before, mentioned=mentioned)


async def _find_sent(db: Database, left: list[_Left], ignoring: Ignoring) -> set[str]:
    """The ids of the events that were sent after all, because the app received its own events at that time."""
    by_bot: dict[tuple[str, str | None], list[str]] = {}
    for _, event in left:
        by_bot.setdefault((event["workspace_id"], event["actor_id"]), []).append(event["id"])
    sent: set[str] = set()
    for whose, event_ids in by_bot.items():  # one query for all would combine every event with every endpoint
        endpoint_ids = [endpoint["id"] for endpoint in ignoring[whose]]
        keys = {"workspace_ids": [whose[0]], "endpoint_ids": endpoint_ids, "event_ids": event_ids}
        sent.update(row["event_id"] for row in await db.fetch_all(_SENT, **keys))
    return sent


def _was_there(endpoint: IgnoringEndpoint, at: datetime) -> bool:
    return endpoint["created_at"] <= at and (endpoint["ended_at"] is None or at < endpoint["ended_at"])


def _is_searched(event: HappenedEvent, search: Search) -> bool:
    """By its time and its name in the catalogue."""
    if search.since is not None and event["created_at"] < search.since:
        return False
    if search.until is not None and event["created_at"] >= search.until:
        return False
    return not search.names or event["name"] in search.names


def _is_named(entry: LogEntry, search: Search) -> bool:
    return search.event in ("", entry["name"], entry["event"])


def _as_entry(endpoint: IgnoringEndpoint, event: HappenedEvent) -> LogEntry:
    kind, version = get_kind(event["name"]), endpoint["version"]
    return {
        "workspace_id": event["workspace_id"],
        "id": event["id"],
        "name": event["name"],
        "entity_id": event["entity_id"],
        "created_at": event["created_at"],
        "event_id": event["id"],
        "endpoint_id": endpoint["id"],
        "version": version,
        "url": endpoint["url"],
        "event": name_event(kind, version),
        "action": kind.v1_action if version == "v1" else "",
        "state": LEFT_OUT,
        "attempt_count": 0,
        "http_status": None,
        "duration_ms": None,
        "error": None,
        "is_listened": False,
    }


_e, _w, _d = events.c, webhook_endpoints.c, webhook_deliveries.c
_s = entity_sequences.c
_READ = (
    *("workspace_id", "id", "name", "entity_id", "actor_id", "project_id"),
    *("is_private", "endpoint_id", "installation_id", "created_at"),
)
_before = sa.bindparam("before", type_=Id())
_wanted = sa.bindparam("mentioned", type_=Id())
_max_scanned: sa.ColumnClause[int] = sa.literal_column(str(MAX_SCANNED))


def _by_bots(dialect_name: str) -> Statement[HappenedEvent]:
    """The newest events of each bot, by its index alone, and of those the newest. ORDER BY names the bot too, which
    only that index supports; by ids alone a database may scan the primary key."""
    done = events.alias("done")
    newest = (
        sa.select(*(done.c[name] for name in _READ))
        .where(
            done.c.workspace_id == _w.workspace_id,
            done.c.actor_id >= _w.ignored_actor_id,
            sa.tuple_(done.c.actor_id, done.c.id) < sa.tuple_(_w.ignored_actor_id, _before),
        )
        .order_by(done.c.actor_id.desc(), done.c.id.desc())
        .limit(_max_scanned)
        .correlate(webhook_endpoints)
    )
    found, joined = first_of_each(webhook_endpoints, newest, done, "found", dialect_name)
    return Statement(
        sa.select(*(found.c[name] for name in _READ))
        .select_from(joined)
        .where(any_of(_w.workspace_id, "workspace_ids", IdList()), any_of(_w.id, "endpoint_ids", IdList()))
        .order_by(found.c.id.desc())
        .limit(_max_scanned),
        HappenedEvent,
    )


def _mentioned() -> Statement[HappenedEvent]:
    """The events of one record in its workspace; over several no index has them in order. ORDER BY as above."""
    return Statement(
        sa.select(*(_e[name] for name in _READ))
        .where(
            tenant(events, "place"),
            _e.entity_id >= _wanted,
            sa.tuple_(_e.entity_id, _e.id) < sa.tuple_(_wanted, _before),
        )
        .order_by(_e.entity_id.desc(), _e.id.desc())
        .limit(_max_scanned),
        HappenedEvent,
    )


_BY_BOTS = {name: _by_bots(name) for name in ("sqlite", "postgresql")}
_MENTIONED = _mentioned()
_PLACE = Statement(
    sa.select(_s.workspace_id).where(
        any_of(_s.workspace_id, "workspace_ids", IdList()), _s.entity_id == _wanted
    )
)
_ITSELF = Statement(
    sa.select(*(_e[name] for name in _READ)).where(
        any_of(_e.workspace_id, "workspace_ids", IdList()), _e.id == _wanted
    ),
    HappenedEvent,
)
_SENT = Statement(
    sa.select(_d.event_id).where(
        any_of(_d.workspace_id, "workspace_ids", IdList()),
        any_of(_d.endpoint_id, "endpoint_ids", IdList()),
        any_of(_d.event_id, "event_ids", IdList()),
    ),
    _Sent,
)
