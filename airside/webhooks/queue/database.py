"""The database as queue: nothing else to install, any number of workers.

A claim reads the first few due deliveries of each endpoint, its window. Leased ones stay in the window, so an
endpoint never has more than that in flight, over all workers. An endpoint with a backlog of a hundred thousand, all
due at one instant, costs a claim no more than one with ten. Endpoints that the worker limits (webhooks/pace.py) are
skipped.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypedDict

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from airside.db.base import Id, IdList, Instant, TenantKey, new_id
from airside.db.conditions import tenant
from airside.db.database import Transaction
from airside.db.statements import Statement, any_of, first_of_each
from airside.runtime.site import Site
from airside.webhooks.queue import DELIVER, FREE, Lease, NewDelivery, Restraint, Status
from airside.webhooks.tables import webhook_deliveries

ENDPOINT_WINDOW = 10  # deliveries that one endpoint may have in flight, over all workers
LEASE = timedelta(seconds=30)  # well above an attempt's 10 s: a lease only expires when its worker died


class WaitingDelivery(TenantKey):
    """Where a pending delivery is in its endpoint's queue."""

    endpoint_id: str
    next_attempt_at: datetime
    leased_until: datetime | None
    turn: int  # in its endpoint's window, from 1


class PendingDelivery(TypedDict):
    id: str
    next_attempt_at: datetime | None
    leased_until: datetime | None


class _Leased(TenantKey):
    endpoint_id: str


class _Settled(TypedDict):
    id: str


class QueuedDelivery(TenantKey):
    """What is written of a new delivery."""

    endpoint_id: str
    event_id: str
    event_name: str
    version: str
    part: int
    generation: int
    next_attempt_at: datetime
    created_at: datetime


class DatabaseQueue:
    """The default engine."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def enqueue(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        await self.write(tx, deliveries, now)
        if deliveries:
            tx.on_commit(lambda: self._site.wakeups.wake(DELIVER))

    async def write(
        self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime
    ) -> list[QueuedDelivery]:
        """Insert their rows and return them, without waking the workers."""
        rows = [_as_row(delivery, now, len(deliveries) - place) for place, delivery in enumerate(deliveries)]
        await tx.execute_all(_INSERT, rows)
        for endpoint_id in {row["endpoint_id"] for row in rows}:
            tx.on_commit(partial(self._site.wakeups.announce, f"deliveries:{endpoint_id}"))
        return rows

    async def claim(self, limit: int, restraint: Restraint = FREE) -> list[Lease]:
        return await self._lease(_DUE, restraint, limit=limit)

    async def claim_these(self, keys: Sequence[tuple[str, str]], restraint: Restraint = FREE) -> list[Lease]:
        """Lease the given (workspace and delivery ids) that are due, not leased and in their endpoint's window."""
        return await self._lease(_THESE, restraint, **_keys_of(keys))

    async def list_pending(self, keys: Sequence[tuple[str, str]]) -> dict[str, PendingDelivery]:
        """The given that are pending, by id, with `next_attempt_at` and `leased_until`."""
        return {row["id"]: row for row in await self._site.db.fetch_all(_PENDING, **_keys_of(keys))}

    async def list_overdue(self, since: datetime, limit: int) -> list[WaitingDelivery]:
        """Deliveries that were due and not leased at `since`, within their endpoint's window."""
        db = self._site.db
        return await db.fetch_all(_DUE[db.dialect.name], now=since, limit=limit, resting=[], single=[])

    async def reconcile(self) -> bool:
        """Nothing to do: the table is the queue."""
        return False

    async def _lease(
        self, choice: Mapping[str, Statement[WaitingDelivery]], restraint: Restraint, **params: Any
    ) -> list[Lease]:
        """Choose by a read, since mostly nothing is due; then lease those that no other worker took meanwhile."""
        now, db = self._site.clock.now(), self._site.db
        until = now + LEASE
        params |= {"resting": restraint.resting, "single": restraint.single}
        rows = await db.fetch_all(choice[db.dialect.name], now=now, **params)
        chosen = [(row["workspace_id"], row["id"]) for row in rows]
        if not chosen:
            return []
        async with db.transaction() as tx:
            rows = await tx.fetch_all(_LEASE, until=until, now=now, **_keys_of(chosen))
        leased = {row["id"]: Lease(row["workspace_id"], row["id"], until, row["endpoint_id"]) for row in rows}
        return [leased[delivery_id] for _, delivery_id in chosen if delivery_id in leased]

    async def settle(
        self, tx: Transaction, lease: Lease, status: Status, now: datetime, retry_at: datetime | None = None
    ) -> bool:
        touched = await tx.execute(
            _SETTLE,
            in_workspace=lease.workspace_id,
            delivery=lease.delivery_id,
            until=lease.until,
            status=status,
            retry_at=retry_at,
            completed_at=None if retry_at else now,
        )
        return touched == 1

    async def settle_delivered(self, tx: Transaction, leases: Sequence[Lease], now: datetime) -> set[str]:
        """One statement for each claim that the leases come from."""
        by_claim: dict[datetime, list[tuple[str, str]]] = {}
        for lease in leases:
            by_claim.setdefault(lease.until, []).append((lease.workspace_id, lease.delivery_id))
        settled = set[str]()
        for until, keys in by_claim.items():
            rows = await tx.fetch_all(_SETTLE_DELIVERED, until=until, now=now, **_keys_of(keys))
            settled |= {row["id"] for row in rows}
        return settled

    async def release(self, leases: Iterable[Lease]) -> None:
        leases = list(leases)
        if not leases:
            return
        async with self._site.db.transaction() as tx:
            for lease in leases:
                await tx.execute(
                    _RELEASE, in_workspace=lease.workspace_id, delivery=lease.delivery_id, until=lease.until
                )


def _as_row(delivery: NewDelivery, now: datetime, before: int) -> QueuedDelivery:
    return {
        "workspace_id": delivery.workspace_id,
        "id": new_id(),
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_name": delivery.event_name,
        "version": delivery.version,
        "part": delivery.part,
        "generation": delivery.generation,
        # A microsecond apart, so that they are sent in the order of the events.
        "next_attempt_at": now - timedelta(microseconds=before),
        "created_at": now,
    }


def _keys_of(keys: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "workspace_ids": list({workspace_id for workspace_id, _ in keys}),
        "ids": [delivery_id for _, delivery_id in keys],
    }


class _insert_new(sa.Insert):  # noqa: N801 - reads as a function, as Core's own constructs do
    """INSERT … ON CONFLICT DO NOTHING: the same SQL in both databases, which Core has only per dialect."""

    inherit_cache = False


@compiles(_insert_new)
def _compile_insert_new(element: _insert_new, compiler: Any, **kw: Any) -> str:
    return compiler.visit_insert(element, **kw) + " ON CONFLICT DO NOTHING"


_d = webhook_deliveries.c
_now = sa.bindparam("now", type_=Instant())
_lease_is_held = sa.and_(
    tenant(webhook_deliveries, "in_workspace"),
    _d.id == sa.bindparam("delivery", type_=Id()),
    _d.leased_until == sa.bindparam("until", type_=Instant()),
)

_INSERT = Statement(
    _insert_new(webhook_deliveries).values(
        {
            **{
                name: sa.bindparam(name, type_=_d[name].type)
                for name in (
                    "workspace_id", "id", "endpoint_id", "event_id", "event_name", "version", "part",
                    "generation", "next_attempt_at", "created_at",
                )
            },
            "status": "pending",
            "attempts": 0,
        }
    )
)  # fmt: skip
_is_given = (any_of(_d.workspace_id, "workspace_ids", IdList()), any_of(_d.id, "ids", IdList()))
_SETTLE = Statement(
    sa.update(webhook_deliveries)
    .where(_lease_is_held)
    .values(
        status=sa.bindparam("status", type_=sa.Text()),
        attempts=_d.attempts + 1,
        next_attempt_at=sa.bindparam("retry_at", type_=Instant()),
        leased_until=None,
        completed_at=sa.bindparam("completed_at", type_=Instant()),
    )
)
_RELEASE = Statement(sa.update(webhook_deliveries).where(_lease_is_held).values(leased_until=None))


def _these(dialect_name: str) -> Statement[WaitingDelivery]:
    """The given deliveries that are due, not leased and in their endpoint's window."""
    given = sa.select(_d.endpoint_id).where(*_is_given, _d.next_attempt_at.is_not(None)).distinct()
    turns = turns_of(given.cte("waiting"), dialect_name)
    return Statement(
        sa.select(turns)
        .where(any_of(turns.c.id, "ids", IdList()), _is_free(turns.c), _has_turn(turns.c))
        .order_by(turns.c.turn, turns.c.next_attempt_at),
        WaitingDelivery,
    )


def _lease() -> Statement[_Leased]:
    """Checks again while locking the rows, so that it sees a claim that committed first (READ COMMITTED)."""
    rows = webhook_deliveries.alias("rows")
    free = (
        sa.select(rows.c.id)
        .where(
            any_of(rows.c.workspace_id, "workspace_ids", IdList()),
            any_of(rows.c.id, "ids", IdList()),
            rows.c.next_attempt_at <= _now,
            _is_free(rows.c),
        )
        .with_for_update(skip_locked=True)
    )
    return Statement(
        sa.update(webhook_deliveries)  # pyright: ignore[reportUnknownArgumentType] - of `returning`
        .where(any_of(_d.workspace_id, "workspace_ids", IdList()), _d.id.in_(free))
        .values(leased_until=sa.bindparam("until", type_=Instant()))
        .returning(_d.workspace_id, _d.id, _d.endpoint_id),
        _Leased,
    )


def _settle_delivered() -> Statement[_Settled]:
    """Skips rows locked by another transaction: two transactions over several rows could deadlock."""
    rows = webhook_deliveries.alias("rows")
    held = (
        sa.select(rows.c.id)
        .where(
            any_of(rows.c.workspace_id, "workspace_ids", IdList()),
            any_of(rows.c.id, "ids", IdList()),
            rows.c.leased_until == sa.bindparam("until", type_=Instant()),
        )
        .with_for_update(skip_locked=True)
    )
    return Statement(
        sa.update(webhook_deliveries)
        .where(any_of(_d.workspace_id, "workspace_ids", IdList()), _d.id.in_(held))
        .values(
            status="delivered",
            attempts=_d.attempts + 1,
            next_attempt_at=None,
            leased_until=None,
            completed_at=_now,
        )
        .returning(_d.id),
        _Settled,
    )


def _first_in_turn(dialect_name: str) -> Statement[WaitingDelivery]:
    """Due and not leased, each endpoint's first before any endpoint's second."""
    turns = turns_of(waiting_endpoints(), dialect_name)
    return Statement(
        sa.select(turns)
        .where(_is_free(turns.c), _has_turn(turns.c))
        .order_by(turns.c.turn, turns.c.next_attempt_at)
        .limit(sa.bindparam("limit", type_=sa.Integer())),
        WaitingDelivery,
    )


def _has_turn(turns: Any) -> sa.ColumnElement[bool]:
    is_single = any_of(turns.endpoint_id, "single", IdList())
    return sa.or_(turns.turn == sa.literal_column("1"), sa.not_(is_single))


def _is_free(columns: Any) -> sa.ColumnElement[bool]:
    return sa.or_(columns.leased_until.is_(None), columns.leased_until <= _now)


def turns_of(waiting: sa.CTE, dialect_name: str) -> sa.CTE:
    """The deliveries in these endpoints' windows, numbered within each; leased ones count, so busy endpoints yield.

    Takes the parameters `now` and `resting`."""
    held = webhook_deliveries.alias("held")
    first = (
        sa.select(*(held.c[name] for name in _HELD))
        .where(held.c.endpoint_id == waiting.c.endpoint_id, held.c.next_attempt_at <= _now)
        .order_by(held.c.next_attempt_at, held.c.id)
        .limit(sa.literal_column(str(ENDPOINT_WINDOW)))
        .correlate(waiting)
    )
    window, joined = first_of_each(waiting, first, held, "in_window", dialect_name)
    turn = sa.func.row_number().over(
        partition_by=window.c.endpoint_id, order_by=(window.c.next_attempt_at, window.c.id)
    )
    return (
        sa.select(*(window.c[name] for name in _HELD), turn.label("turn"))
        .select_from(joined)
        .where(
            waiting.c.endpoint_id.is_not(None),
            sa.not_(any_of(waiting.c.endpoint_id, "resting", IdList())),
        )
        .cte("turns")
    )


def waiting_endpoints() -> sa.CTE:
    """Every endpoint with pending deliveries, found by one index lookup each."""
    first = webhook_deliveries.alias("first_waiting")
    waiting = sa.select(_lowest(first).scalar_subquery().label("endpoint_id")).cte("waiting", recursive=True)
    after = webhook_deliveries.alias("next_waiting")
    following = _lowest(after).where(after.c.endpoint_id > waiting.c.endpoint_id)
    return waiting.union_all(
        sa.select(following.correlate(waiting).scalar_subquery()).where(waiting.c.endpoint_id.is_not(None))
    )


def _lowest(deliveries: Any) -> sa.Select[Any]:
    return (
        sa.select(deliveries.c.endpoint_id)
        .where(deliveries.c.next_attempt_at.is_not(None))
        .order_by(deliveries.c.endpoint_id)
        .limit(sa.literal_column("1"))
    )


_HELD = ("workspace_id", "id", "endpoint_id", "next_attempt_at", "leased_until")
_DUE = {name: _first_in_turn(name) for name in ("sqlite", "postgresql")}
_THESE = {name: _these(name) for name in ("sqlite", "postgresql")}
_LEASE = _lease()
_SETTLE_DELIVERED = _settle_delivered()
_PENDING = Statement(
    sa.select(_d.id, _d.next_attempt_at, _d.leased_until).where(*_is_given, _d.next_attempt_at.is_not(None)),
    PendingDelivery,
)
