"""Gauges, queried from the database at each scrape, so that every process exports the same values."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, Instant, Row
from airside.db.conditions import live
from airside.db.database import Database, Reader
from airside.db.statements import Statement
from airside.events.tables import events
from airside.webhooks.endpoints import FAILING, OFF
from airside.webhooks.queue.database import turns_of, waiting_endpoints
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints, webhook_listeners

MAX_ENDPOINTS = 20  # endpoints with samples of their own: the worst ones, to limit the cardinality


class Gauge(NamedTuple):
    """One metric with its samples: the values of its labels, and the value."""

    name: str
    sentence: str
    labels: tuple[str, ...]
    samples: list[tuple[tuple[str, ...], float]]


async def read_gauges(db: Database, now: datetime) -> list[Gauge]:
    """All gauges. None of them reads the finished deliveries, which are kept for a month for the log."""
    return [
        *await _read_events(db, now),
        *await _read_queue(db, now),
        *await _read_endpoints(db, now),
    ]


async def count_waiting_events(reader: Reader) -> int:
    """Events recorded and not fanned out yet."""
    return (await _one(reader, _EVENTS))["count"]


async def _read_events(reader: Reader, now: datetime) -> list[Gauge]:
    waiting = await _one(reader, _EVENTS)
    return [
        _plain("airside_events_waiting", "Events not fanned out yet.", waiting["count"]),
        _plain(
            "airside_events_oldest_waiting_seconds",
            "Age of the oldest of them.",
            _age(waiting["oldest"], now),
        ),
    ]


async def _read_queue(db: Database, now: datetime) -> list[Gauge]:
    pending, due = await _one(db, _PENDING), await _one(db, _DUE, now=now)
    leased = (await _one(db, _LEASED[db.dialect.name], now=now, resting=[]))["count"]
    held = (await _one(db, _HELD))["count"]
    states = {
        "due": due["count"] - leased,
        "under_way": leased,
        "retrying": pending["count"] - due["count"],
        "held_for_listeners": held,
    }
    return [
        Gauge(
            "airside_webhook_queue_deliveries",
            "Deliveries that wait: due now, under way, due later, or held for airside listen.",
            ("state",),
            [((state,), max(0, count)) for state, count in states.items()],
        ),
        _plain(
            "airside_webhook_queue_oldest_due_seconds",
            "For how long the delivery that is overdue the most has been due.",
            _age(due["oldest"], now),
        ),
    ]


async def _read_endpoints(reader: Reader, now: datetime) -> list[Gauge]:
    found = await reader.fetch_all(_BY_STATE)
    states: dict[str, float] = {"well": 0, "failing": 0}
    for row in found:
        state = _state_of(row)
        states[state] = states.get(state, 0) + row["count"]
    failing, waited_for = await reader.fetch_all(_FAILING), await reader.fetch_all(_WAITED_FOR)
    listening = (await _one(reader, _LISTENERS))["count"]
    return [
        Gauge(
            "airside_webhook_endpoints",
            "Endpoints by health: well, failing, or off for a reason.",
            ("state",),
            [((state,), count) for state, count in sorted(states.items())],
        ),
        Gauge(
            "airside_webhook_endpoint_failing_seconds",
            f"Since when every attempt has failed, for the {MAX_ENDPOINTS} endpoints that fail longest.",
            ("workspace", "endpoint"),
            [((row["workspace_id"], row["id"]), _age(row["first_failure_at"], now)) for row in failing],
        ),
        Gauge(
            "airside_webhook_endpoint_waiting",
            f"Deliveries that wait, for the {MAX_ENDPOINTS} endpoints with the most.",
            ("workspace", "endpoint"),
            [((row["workspace_id"], row["endpoint_id"]), row["count"]) for row in waited_for],
        ),
        _plain("airside_webhook_listeners", "Computers known to airside listen.", listening),
    ]


def _state_of(row: Row) -> str:
    if not row["is_active"]:
        reason = row["disabled_reason"] or OFF
        return "failing_disabled" if reason == FAILING else reason
    return "failing" if row["is_failing"] else "well"


async def _one(reader: Reader, statement: Statement, **params: Any) -> Row:
    row = await reader.fetch_one(statement, **params)
    assert row is not None  # an aggregate always has one
    return row


def _plain(name: str, sentence: str, value: float) -> Gauge:
    return Gauge(name, sentence, (), [((), value)])


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


_count = sa.func.count().label("count")
_e, _d, _w = events.c, webhook_deliveries.c, webhook_endpoints.c
_now = sa.bindparam("now", type_=Instant())
_is_pending, _is_due = _d.next_attempt_at.is_not(None), _d.next_attempt_at <= _now
_waiting = events.alias("waiting")
_oldest = (
    sa.select(_waiting.c.created_at)
    .where(_waiting.c.fanned_out_at.is_(None))
    .order_by(_waiting.c.id)
    .limit(sa.literal_column("1", sa.Integer))
    .scalar_subquery()
)
_EVENTS = Statement(sa.select(_count, _oldest.label("oldest")).where(_e.fanned_out_at.is_(None)))
_PENDING = Statement(sa.select(_count).select_from(webhook_deliveries).where(_is_pending))
_DUE = Statement(
    sa.select(_count, sa.func.min(_d.next_attempt_at, type_=Instant()).label("oldest")).where(
        _is_pending, _is_due
    )
)


def _count_leased(dialect_name: str) -> Statement:
    """Counted in the queue's windows, which contain every leased delivery."""
    turns = turns_of(waiting_endpoints(), dialect_name)
    return Statement(sa.select(_count).select_from(turns).where(turns.c.leased_until > _now))


_LEASED = {name: _count_leased(name) for name in ("sqlite", "postgresql")}
_HELD = Statement(sa.select(_count).select_from(webhook_deliveries).where(_d.forward_at.is_not(None)))
_failing = _w.first_failure_at.is_not(None)
_yes, _no = sa.literal_column("1", sa.Integer), sa.literal_column("0", sa.Integer)
_is_failing = sa.case((_failing, _yes), else_=_no).label("is_failing")
_BY_STATE = Statement(
    sa.select(_w.is_active, _w.disabled_reason, _is_failing, _count)
    .where(live(webhook_endpoints))
    .group_by(_w.is_active, _w.disabled_reason, _is_failing)
)
_FAILING = Statement(
    sa.select(_w.workspace_id, _w.id, _w.first_failure_at)
    .where(live(webhook_endpoints), _w.is_active, _failing)
    .order_by(_w.first_failure_at, _w.id)
    .limit(sa.literal_column(str(MAX_ENDPOINTS)))
)


def _longest_waiting() -> Statement:
    """Counted in the index of pending deliveries, which has no workspace; that is looked up for the few found."""
    most = (
        sa.select(_d.endpoint_id, _count)
        .where(_is_pending)
        .group_by(_d.endpoint_id)
        .order_by(_count.desc(), _d.endpoint_id)
        .limit(sa.literal_column(str(MAX_ENDPOINTS)))
        .subquery("most")
    )
    one = webhook_deliveries.alias("one")
    workspace_id = (
        sa.select(one.c.workspace_id)
        .where(one.c.endpoint_id == most.c.endpoint_id, one.c.next_attempt_at.is_not(None))
        .order_by(one.c.next_attempt_at)
        .limit(sa.literal_column("1", sa.Integer))
        .scalar_subquery()
    )
    return Statement(
        sa.select(
            sa.type_coerce(workspace_id, Id()).label("workspace_id"), most.c.endpoint_id, most.c.count
        ).order_by(most.c.count.desc(), most.c.endpoint_id)
    )


_WAITED_FOR = _longest_waiting()
_LISTENERS = Statement(
    sa.select(_count).select_from(webhook_listeners).where(webhook_listeners.c.ended_at.is_(None))
)
