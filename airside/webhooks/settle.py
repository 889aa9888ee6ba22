"""Stores the outcomes of attempts: plain successes in batches, everything else in a transaction of its own.

Nothing waits for a batch to fill: on an idle worker an outcome is stored at once, and outcomes that arrive while
that is committed share the next transaction. An attempt that changes its endpoint's health is stored alone, so a
lock of an endpoint is never held during other work. A batch skips rows that are locked; they are stored alone, so
that a batch never waits for a lock.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from airside.db.database import Transaction
from airside.runtime.site import Site
from airside.webhooks.endpoints import FAILING, GONE, HEALTHY, disable_endpoint
from airside.webhooks.health import Verdict, judge_failing
from airside.webhooks.queue import DeliveryQueue, Lease, Status
from airside.webhooks.retry import Decision
from airside.webhooks.tables import (
    AttemptRow,
    DeliveryToSend,
    EndpointRow,
    webhook_attempts,
    webhook_endpoints,
)

BATCH = 100  # outcomes stored in one transaction; on SQLite other writers wait for it
GATHER_SECONDS = 0.003  # between two batches under load

_log = structlog.get_logger("airside.webhooks")
STATUS_AFTER: Mapping[str, Status] = {
    "delivered": "delivered",
    "retry": "pending",
    "failed": "failed",
    "disable": "failed",
}


class Ended(msgspec.Struct, frozen=True):
    """A finished attempt, with or without a response."""

    lease: Lease
    delivery: DeliveryToSend  # as it was read before sending
    decision: Decision
    attempt: AttemptRow


class _Waiting(NamedTuple):
    ended: Ended
    is_settled: asyncio.Future[None]


class Settler:
    """The outcomes that one worker has yet to store."""

    def __init__(self, site: Site, queue: DeliveryQueue) -> None:
        self._site = site
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self.count = 0  # outcomes that are being stored

    async def settle(self, ended: Ended) -> None:
        """Store the outcome; returns after the commit."""
        self.count += 1
        try:
            if self._is_plain(ended):
                await self._settle_batched(ended)
            else:
                await self._settle_alone(ended)
        finally:
            self.count -= 1

    async def cancel(self, lease: Lease) -> None:
        """Cancel a leased delivery without an attempt."""
        async with self._site.db.transaction() as tx:
            await self._queue.settle(tx, lease, "cancelled", self._site.clock.now())

    async def finish(self) -> None:
        """Wait until everything is stored, including outcomes whose callers were cancelled."""
        if self._task is not None:
            await self._task

    def _is_plain(self, ended: Ended) -> bool:
        return ended.decision.outcome == "delivered" and not _changes_health(
            ended.delivery, ended.decision, self._site.clock.now()
        )

    async def _settle_batched(self, ended: Ended) -> None:
        waiting = _Waiting(ended, self._loop.create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._settle_waiting())
        await waiting.is_settled

    async def _settle_waiting(self) -> None:
        try:
            pause = 0.0
            while self._waiting:
                await asyncio.sleep(pause if len(self._waiting) < BATCH else 0)
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._settle_batch(batch)
                pause = GATHER_SECONDS
        finally:
            self._task = None

    async def _settle_batch(self, batch: Sequence[_Waiting]) -> None:
        """Store the batch in one transaction, then the rest one by one, so that none fails because of another."""
        try:
            settled = await self._settle_delivered([waiting.ended for waiting in batch])
        except Exception as error:  # noqa: BLE001 - raised again when the one that caused it is stored alone
            _log.warning(
                "webhook_settling_broke", attempts=len(batch), reason=f"{type(error).__name__}: {error}"
            )
            settled = set[str]()
        except BaseException as error:
            for waiting in batch:
                _conclude(waiting, RuntimeError(f"settling was broken off: {error!r}"))
            raise
        left_out: list[_Waiting] = []
        for waiting in batch:
            if waiting.ended.lease.delivery_id in settled:
                _conclude(waiting)
            else:
                left_out.append(waiting)
        await asyncio.gather(*(self._settle_left_out(waiting) for waiting in left_out))

    async def _settle_left_out(self, waiting: _Waiting) -> None:
        try:
            await self._settle_alone(waiting.ended)
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            _conclude(waiting, error)
        else:
            _conclude(waiting)

    async def _settle_delivered(self, delivered: Sequence[Ended]) -> set[str]:
        """The ids of the settled deliveries: all but those whose lease was lost or whose row is locked."""
        async with self._site.db.transaction() as tx:
            leases = [ended.lease for ended in delivered]
            settled = await self._queue.settle_delivered(tx, leases, self._site.clock.now())
            kept = [ended for ended in delivered if ended.lease.delivery_id in settled]
            await tx.insert_all(webhook_attempts, [ended.attempt for ended in kept])
            for endpoint_id in {ended.lease.endpoint_id for ended in kept}:
                tx.on_commit(partial(self._announce, endpoint_id))
        return settled

    async def _settle_alone(self, ended: Ended) -> None:
        delivery, decision, now = ended.delivery, ended.decision, self._site.clock.now()
        async with self._site.db.transaction() as tx:
            endpoint = None
            if _changes_health(delivery, decision, now):
                # Lock the endpoint before its delivery, in the same order as disabling does: else they deadlock.
                endpoint = await tx.lock(webhook_endpoints, **_endpoint_keys(delivery))
            await tx.insert(webhook_attempts, ended.attempt)
            status = STATUS_AFTER[decision.outcome]
            await self._queue.settle(tx, ended.lease, status, now, decision.retry_at)
            if endpoint is not None:
                await _update_health(tx, endpoint, decision, now)
            tx.on_commit(partial(self._announce, delivery["endpoint_id"]))

    def _announce(self, endpoint_id: str) -> None:
        self._site.wakeups.announce(f"deliveries:{endpoint_id}")


def _conclude(waiting: _Waiting, error: Exception | None = None) -> None:
    if waiting.is_settled.done():  # the caller was cancelled
        return
    if error is None:
        waiting.is_settled.set_result(None)
    else:
        waiting.is_settled.set_exception(error)


def _changes_health(delivery: DeliveryToSend, decision: Decision, now: datetime) -> bool:
    """Whether the attempt changes its endpoint's health, judged by the row read before sending."""
    since = delivery["first_failure_at"]
    match decision.outcome:
        case "disable":
            return True
        case "delivered":
            return since is not None
        case _:
            return since is None or _judge(since, delivery, now).outcome != "wait"


def _judge(since: datetime, endpoint: EndpointRow | DeliveryToSend, now: datetime) -> Verdict:
    return judge_failing(since, now, endpoint["warned_percent"], endpoint["warned_at"])


async def _update_health(tx: Transaction, endpoint: EndpointRow, decision: Decision, now: datetime) -> None:
    """Record since when it fails; warn, and finally disable it. The row is locked."""
    keys = {"workspace_id": endpoint["workspace_id"], "id": endpoint["id"]}
    if decision.outcome == "disable":
        await disable_endpoint(tx, keys["workspace_id"], keys["id"], GONE, now)
    elif decision.outcome == "delivered":
        await tx.update(webhook_endpoints, HEALTHY, **keys)
    elif (since := endpoint["first_failure_at"]) is None:
        await tx.update(webhook_endpoints, {"first_failure_at": now}, **keys)
    elif endpoint["is_active"]:
        await _update_failing(tx, endpoint, since, _judge(since, endpoint, now), now)


async def _update_failing(
    tx: Transaction, endpoint: EndpointRow, since: datetime, verdict: Verdict, now: datetime
) -> None:
    if verdict.outcome == "wait":  # another attempt has warned meanwhile
        return
    workspace_id, endpoint_id = endpoint["workspace_id"], endpoint["id"]
    if verdict.outcome == "warn":
        warning = {"warned_percent": verdict.percent, "warned_at": now}
        await tx.update(webhook_endpoints, warning, workspace_id=workspace_id, id=endpoint_id)
    else:
        await disable_endpoint(tx, workspace_id, endpoint_id, FAILING, now)
    _log.warning(
        "webhook_endpoint_failing",
        workspace=workspace_id,
        endpoint=endpoint_id,
        since=since.isoformat(),
        percent=verdict.percent or 100,
        is_disabled=verdict.outcome == "disable",
    )


def _endpoint_keys(delivery: DeliveryToSend) -> dict[str, str]:
    return {"workspace_id": delivery["workspace_id"], "id": delivery["endpoint_id"]}
