"""Rate limits: at most so many requests per key and window, counted over all processes that share the database.

A process leases a slice of a key's window from the database and counts it down in memory, so that a busy key costs
about twenty writes in a window, whatever its limit. The sum of all slices never exceeds the limit, and less than a
tenth of it is unused in other processes when it is exhausted (docs/decisions/0018).
"""

import asyncio
import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from limits import parse

from airside.db.away import DatabaseAway
from airside.db.base import Instant, metadata
from airside.db.database import Database
from airside.db.statements import Statement
from airside.errors import RateLimited
from airside.system.clock import Clock

SHARE = 10  # all processes together may leave one part in SHARE unused
LEASE_SECONDS = 5.0  # timeout for a lease, after which the process counts by itself until the window ends

rate_budgets = sa.Table(
    "rate_budgets",  # what processes have leased of a key's current window
    metadata,
    sa.Column("budget", sa.Text, primary_key=True),
    sa.Column("taken", sa.BigInteger, nullable=False),  # leased by all processes together; may pass the limit
    sa.Column("holders", sa.Integer, nullable=False),  # processes that have leased in this window
    sa.Column("expires_at", Instant, nullable=False, index=True),  # the end of the window
)

_log = structlog.get_logger("airside.runtime.rate_budgets")


class Left(NamedTuple):
    """The rest of a window, as far as this process knows."""

    remaining: int
    reset: int  # epoch seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"X-RateLimit-Remaining": str(self.remaining), "X-RateLimit-Reset": str(self.reset)}


class Budgets:
    """One for each site."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._budgets: dict[tuple[str, str], _Budget] = {}

    async def spend(self, name: str, rate: str, key: str, *, times: int = 1) -> Left:
        """Count one request for the key. `rate` is N/second|minute|hour; `times` multiplies N.

        Raises RateLimited. Never inside a transaction: it may need one of its own."""
        budget = self._budgets.get((name, rate))
        if budget is None:
            budget = self._budgets[name, rate] = _Budget(self._db, name, rate, times)
        return await budget.spend(key, self._clock.now().timestamp())


class _Lease:
    """This process's share of one key's window."""

    __slots__ = ("held", "is_spent", "ordinal", "renewal", "unclaimed", "used", "waiting")

    def __init__(self) -> None:
        self.held = 0  # leased and not used yet
        self.used = 0
        self.unclaimed = 0  # not leased by any process at this process's last lease
        self.ordinal = 0  # this process's number in the window, by arrival from 1; 0 before its first lease
        self.waiting = 0  # requests that wait for the next lease
        self.renewal: asyncio.Task[None] | None = None
        self.is_spent = False  # nothing is left to lease


class _Budget:
    """All keys of one name and rate, in the current window."""

    def __init__(self, db: Database, name: str, rate: str, times: int) -> None:
        self._db = db
        self._name = f"{name} {rate}"
        self._allowed, self._seconds = parse_rate(rate)
        self._allowed *= times
        self._window = 0
        self._leases: dict[str, _Lease] = {}

    async def spend(self, key: str, now: float) -> Left:
        window = int(now // self._seconds)
        if window != self._window:
            self._window, self._leases = window, {}
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = _Lease()
        reset = (window + 1) * self._seconds
        while not lease.held:
            if lease.is_spent:
                raise RateLimited(max(1, math.ceil(reset - now)))
            await self._wait_for_lease(lease, key, reset)
        lease.held -= 1
        lease.used += 1
        return Left(lease.held + lease.unclaimed, reset)

    async def _wait_for_lease(self, lease: _Lease, key: str, reset: int) -> None:
        """All waiting requests share one lease. It is made in a task of its own: cancelling one request doesn't
        affect the others, and its commit doesn't count as the request's own (`has_committed`)."""
        if lease.renewal is None:
            lease.renewal = asyncio.create_task(self._renew(lease, key, reset))
        lease.waiting += 1
        try:
            await asyncio.shield(lease.renewal)
        finally:
            lease.waiting -= 1

    async def _renew(self, lease: _Lease, key: str, reset: int) -> None:
        await asyncio.sleep(0)  # lets concurrent requests start to wait, so that the lease covers them
        try:
            async with asyncio.timeout(LEASE_SECONDS):
                await self._lease(lease, key, reset)
        except Exception as error:  # noqa: BLE001 - a failing shared count must not refuse requests
            if not isinstance(error, DatabaseAway | TimeoutError):
                _log.exception("rate_not_shared", budget=self._name)
            lease.held, lease.unclaimed = max(0, self._allowed - lease.used), 0
            lease.is_spent = True
        finally:
            lease.renewal = None

    async def _lease(self, lease: _Lease, key: str, reset: int) -> None:
        want = max(lease.waiting, slice_size(self._allowed, lease.ordinal))
        async with self._db.transaction() as tx:
            row = await tx.fetch_one(
                _TAKE,
                budget=f"{self._name} {key}",
                want=want,
                arriving=int(not lease.ordinal),
                until=datetime.fromtimestamp(reset, UTC),
            )
        assert row is not None  # it returns the row that it wrote
        lease.ordinal = lease.ordinal or row["holders"]
        lease.held = max(0, min(want, self._allowed - (row["taken"] - want)))
        lease.unclaimed = max(0, self._allowed - row["taken"])
        lease.is_spent = not lease.unclaimed


def slice_size(allowed: int, ordinal: int) -> int:
    """How much a process leases at a time: the first of a window a twentieth of the limit, the second a sixtieth …

    The sum of 1/(k(k+1)) over all k is 1, so the slices of any number of processes add up to a tenth of the limit.
    The first lease covers only the waiting requests: a process doesn't know its ordinal yet."""
    return max(1, allowed // (SHARE * ordinal * (ordinal + 1))) if ordinal else 1


@lru_cache(64)
def parse_rate(rate: str) -> tuple[int, int]:
    """The number of requests, and of how many seconds. Raises ValueError."""
    limit = parse(rate)
    return limit.amount, limit.get_expiry()


def _take() -> Statement:
    # The upsert is the same SQL in both dialects, but Core has it only per dialect, so it is written as text.
    # A process whose clock is behind passes the end of the previous window: it counts in the current one.
    text = sa.text(
        "INSERT INTO rate_budgets (budget, taken, holders, expires_at) VALUES (:budget, :want, 1, :until) "
        "ON CONFLICT (budget) DO UPDATE SET "
        "taken = :want + CASE WHEN rate_budgets.expires_at < :until THEN 0 ELSE rate_budgets.taken END, "
        "holders = CASE WHEN rate_budgets.expires_at < :until THEN 1 ELSE rate_budgets.holders + :arriving END, "
        "expires_at = CASE WHEN rate_budgets.expires_at < :until THEN :until ELSE rate_budgets.expires_at END "
        "RETURNING taken, holders"
    )
    columns = rate_budgets.c
    return Statement(
        text.bindparams(
            sa.bindparam("budget", type_=columns.budget.type),
            sa.bindparam("want", type_=columns.taken.type),
            sa.bindparam("arriving", type_=columns.holders.type),
            sa.bindparam("until", type_=columns.expires_at.type),
        ).columns(columns.taken, columns.holders)
    )


_TAKE = _take()
