"""The database as queue: nothing more to install, any number of workers.

A claim looks at the first few due deliveries of each endpoint, its window. Those already leased stay in the
window, so an endpoint never has more than that under way, over all workers; and one with ten thousand waiting
costs a claim no more than one with ten.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from airside.db.base import Id, IdList, Instant, Row, new_id
from airside.db.database import Transaction
from airside.db.statements import Statement, any_of
from airside.site import Site
from airside.webhooks.queue import DELIVER, Lease, NewDelivery, Status
from airside.webhooks.tables import webhook_deliveries

ENDPOINT_WINDOW = 10  # how many of one endpoint may be under way at once, over all workers
LEASE = timedelta(seconds=30)  # well above an attempt's 10 s: a lease only runs out when its worker died


class DatabaseQueue:
    """The default engine."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def enqueue(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        await self.write(tx, deliveries, now)
        if deliveries:
            tx.on_commit(lambda: self._site.wakeups.wake(DELIVER))

    async def write(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> list[Row]:
        """Their rows, and tell nobody."""
        rows = [_as_row(delivery, now, len(deliveries) - place) for place, delivery in enumerate(deliveries)]
        for row in rows:
            await tx.execute(_INSERT, **row)
        for endpoint_id in {row["endpoint_id"] for row in rows}:
            tx.on_commit(partial(self._site.wakeups.announce, f"deliveries:{endpoint_id}"))
        return rows

    async def claim(self, limit: int) -> list[Lease]:
        return await self._lease(_DUE, limit=limit)

    async def claim_these(self, keys: Sequence[tuple[str, str]]) -> list[Lease]:
        """Lease those of these (workspace and delivery ids) that are due, free and in their endpoint's window."""
        return await self._lease(_THESE, **_keys_of(keys))

    async def list_pending(self, keys: Sequence[tuple[str, str]]) -> dict[str, Row]:
        """Those of these that wait for an attempt, by id, with `next_attempt_at` and `leased_until`."""
        return {row["id"]: row for row in await self._site.db.fetch_all(_PENDING, **_keys_of(keys))}

    async def list_overdue(self, since: datetime, limit: int) -> list[Row]:
        """What could have been claimed at `since` and wasn't, as far as its endpoint's window lets it through."""
        return await self._site.db.fetch_all(_OVERDUE, now=since, limit=limit)

    async def reconcile(self) -> bool:
        """Nothing to do: what is waiting is what the table says."""
        return False

    async def _lease(self, choice: Statement, **params: Any) -> list[Lease]:
        now = self._site.clock.now()
        until = now + LEASE
        async with self._site.db.transaction() as tx:
            rows = await tx.fetch_all(choice, now=now, **params)
            if not rows:
                return []
            leases = [Lease(row["workspace_id"], row["id"], until) for row in rows]
            keys = _keys_of([(lease.workspace_id, lease.delivery_id) for lease in leases])
            await tx.execute(_LEASE, until=until, **keys)
        return leases

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

    async def release(self, leases: Iterable[Lease]) -> None:
        leases = list(leases)
        if not leases:
            return
        async with self._site.db.transaction() as tx:
            for lease in leases:
                await tx.execute(
                    _RELEASE, in_workspace=lease.workspace_id, delivery=lease.delivery_id, until=lease.until
                )


def _as_row(delivery: NewDelivery, now: datetime, before: int) -> Row:
    return {
        "workspace_id": delivery.workspace_id,
        "id": new_id(),
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_name": delivery.event_name,
        "version": delivery.version,
        "part": delivery.part,
        # A microsecond apart: the order of the events is the order of sending.
        "next_attempt_at": now - timedelta(microseconds=before),
        "created_at": now,
    }


def _keys_of(keys: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "workspace_ids": list({workspace_id for workspace_id, _ in keys}),
        "ids": [delivery_id for _, delivery_id in keys],
    }


class _insert_new(sa.Insert):  # noqa: N801 - reads as a function, as Core's own constructs do
    """INSERT that leaves a row alone that is there already; both databases spell it alike, Core doesn't."""

    inherit_cache = False


@compiles(_insert_new)
def _compile_insert_new(element: _insert_new, compiler: Any, **kw: Any) -> str:
    return compiler.visit_insert(element, **kw) + " ON CONFLICT DO NOTHING"


_d = webhook_deliveries.c
_now = sa.bindparam("now", type_=Instant())
_lease_is_held = sa.and_(
    _d.workspace_id == sa.bindparam("in_workspace", type_=Id()),
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
                    "next_attempt_at", "created_at",
                )
            },
            "status": "pending",
            "attempts": 0,
        }
    )
)  # fmt: skip
_is_given = (any_of(_d.workspace_id, "workspace_ids", IdList()), any_of(_d.id, "ids", IdList()))
_LEASE = Statement(
    sa.update(webhook_deliveries)
    .where(*_is_given)
    .values(leased_until=sa.bindparam("until", type_=Instant()))
)
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


def _due() -> Statement:
    """Due and not leased, each endpoint's first before any endpoint's second."""
    # Limited before it is joined to the rows to lock, or PostgreSQL would expect many and read the table.
    return _lockable(_first_in_turn())


def _these() -> Statement:
    """Of the given ones those that are due, not leased, and have their turn."""
    given = sa.select(_d.endpoint_id).where(*_is_given, _d.next_attempt_at.is_not(None)).distinct()
    turns = _turns(_windows(given.cte("waiting")))
    return _lockable(
        sa.select(turns).where(any_of(turns.c.id, "ids", IdList()), _is_free(turns.c), _has_turn(turns.c))
    )


def _lockable(chosen: sa.Select[Any]) -> Statement:
    first = chosen.cte("first")
    return Statement(
        sa.select(_d.workspace_id, _d.id)
        .join_from(
            first, webhook_deliveries, sa.and_(_d.workspace_id == first.c.workspace_id, _d.id == first.c.id)
        )
        # Asked again of the row that gets locked, so that a claim which came first is seen (READ COMMITTED).
        .where(_d.next_attempt_at <= _now, _is_free(_d))
        .order_by(first.c.turn, _d.next_attempt_at)
        .with_for_update(skip_locked=True, of=webhook_deliveries)
    )


def _first_in_turn() -> sa.Select[Any]:
    turns = _turns(_windows(_waiting_endpoints()))
    return (
        sa.select(turns)
        .where(_is_free(turns.c), _has_turn(turns.c))
        .order_by(turns.c.turn, turns.c.next_attempt_at)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
    )


def _has_turn(turns: Any) -> sa.ColumnElement[bool]:
    """Asked too, since any number may be due at the window's last instant: redelivered ones are."""
    return turns.turn <= sa.literal_column(str(ENDPOINT_WINDOW))


def _is_free(columns: Any) -> sa.ColumnElement[bool]:
    return sa.or_(columns.leased_until.is_(None), columns.leased_until <= _now)


def _turns(windows: sa.CTE) -> sa.CTE:
    """What the windows hold, numbered within each endpoint; the leased count too, so the busy stand back."""
    held = webhook_deliveries.alias("held")
    turn = sa.func.row_number().over(
        partition_by=held.c.endpoint_id, order_by=(held.c.next_attempt_at, held.c.id)
    )
    return (
        sa.select(
            held.c.workspace_id, held.c.id, held.c.next_attempt_at, held.c.leased_until, turn.label("turn")
        )
        .join_from(windows, held, held.c.endpoint_id == windows.c.endpoint_id)
        .where(held.c.next_attempt_at <= windows.c.last)
        .cte("turns")
    )


def _waiting_endpoints() -> sa.CTE:
    """Every endpoint that something waits for, found by one look into the index for each."""
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


def _windows(waiting: sa.CTE) -> sa.CTE:
    """For each waiting endpoint the time of the last due delivery that its window holds."""
    due = webhook_deliveries.alias("due")
    last = (
        sa.select(due.c.next_attempt_at)
        .where(due.c.endpoint_id == waiting.c.endpoint_id, due.c.next_attempt_at <= _now)
        .order_by(due.c.next_attempt_at)
        .limit(sa.literal_column("1"))
        .offset(sa.literal_column(str(ENDPOINT_WINDOW - 1)))
        .correlate(waiting)
        .scalar_subquery()
    )
    return (
        sa.select(waiting.c.endpoint_id, sa.func.coalesce(last, _now).label("last"))
        .where(waiting.c.endpoint_id.is_not(None))
        .cte("windows")
    )


_DUE = _due()
_THESE = _these()
_OVERDUE = Statement(_first_in_turn())
_PENDING = Statement(
    sa.select(_d.id, _d.next_attempt_at, _d.leased_until).where(*_is_given, _d.next_attempt_at.is_not(None))
)
