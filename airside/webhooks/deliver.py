"""One attempt of one delivery: render, sign, send, decide, and write down what happened in one transaction."""

import asyncio
import random
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from airside.db.base import Id, Row, new_id
from airside.db.statements import Statement
from airside.events.envelope import render_body
from airside.events.tables import events
from airside.site import Site
from airside.webhooks.endpoints import GONE, disable_endpoint
from airside.webhooks.queue import DELIVER, DeliveryQueue, Lease, Status
from airside.webhooks.retry import JITTER, Decision, decide, read_retry_after
from airside.webhooks.send import Answer, Sender
from airside.webhooks.signing import SECRET, sign_body
from airside.webhooks.tables import webhook_attempts, webhook_deliveries, webhook_endpoints

SLOTS = 200  # attempts under way at once in one worker
USER_AGENT = "Autopilot"  # the wire's: receivers filter by it

_log = structlog.get_logger("airside.webhooks")
_STATUS_AFTER: dict[str, Status] = {
    "delivered": "delivered",
    "retry": "pending",
    "failed": "failed",
    "disable": "failed",
}


class Request(msgspec.Struct):
    """What is sent in one attempt."""

    id: str  # X-Plane-Delivery
    url: str
    headers: dict[str, str]
    body: bytes


class Deliverer:
    """The deliveries that this worker has under way."""

    def __init__(self, site: Site, queue: DeliveryQueue, sender: Sender) -> None:
        self._site = site
        self._queue = queue
        self._sender = sender
        self._under_way: dict[asyncio.Task[None], Lease] = {}

    async def start_due(self) -> bool:
        """Start as many due deliveries as there are free slots; True when more may be due."""
        free = SLOTS - len(self._under_way)
        if free == 0:
            return False  # the next one to finish wakes the loop
        leases = await self._queue.claim(free)
        for lease in leases:
            task = asyncio.create_task(attempt_delivery(self._site, self._queue, self._sender, lease))
            self._under_way[task] = lease
            task.add_done_callback(self._end)
        return len(leases) == free

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way; what takes longer is broken off and given back."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=seconds)
        leases = [self._under_way[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._queue.release(leases)

    def _end(self, task: asyncio.Task[None]) -> None:
        lease = self._under_way.pop(task)
        self._site.wakeups.wake(DELIVER)
        if not task.cancelled() and (error := task.exception()):
            # The lease runs out and the delivery is attempted again.
            _log.error("webhook_attempt_broke", delivery=lease.delivery_id, exc_info=error)


async def attempt_delivery(site: Site, queue: DeliveryQueue, sender: Sender, lease: Lease) -> None:
    """Attempt a leased delivery once; cancel it instead when its endpoint doesn't listen any more."""
    delivery = await site.db.fetch_one(_DELIVERY, in_workspace=lease.workspace_id, delivery=lease.delivery_id)
    if delivery is None or not _is_listening(delivery):
        async with site.db.transaction() as tx:
            await queue.settle(tx, lease, "cancelled", site.clock.now())
        return
    request = build_request(delivery, site.sealer.unseal(delivery["secret_sealed"], SECRET))
    started_at = site.clock.now()
    answer = await sender.post(request.url, request.headers, request.body)
    decision = _decide(answer, delivery["attempts"] + 1, site.clock.now())
    await _settle(site, queue, lease, decision, _as_attempt(delivery, request, answer, decision, started_at))
    _log_attempt(delivery, request, answer, decision)


def _is_listening(delivery: Row) -> bool:
    return delivery["is_active"] and delivery["deleted_at"] is None


def build_request(delivery: Row, secret: str) -> Request:
    """Everything about the attempt that is decided before it is sent; its id is new each time."""
    attempt_id = new_id()
    body = render_body(
        _as_event(delivery),
        version=delivery["version"],
        part=delivery["part"],
        webhook_id=delivery["endpoint_id"],
        delivery_id=attempt_id,
    )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Plane-Delivery": attempt_id,
        "X-Plane-Event": delivery["event_name"],
        "X-Plane-Signature": sign_body(body, secret),
    }
    return Request(attempt_id, delivery["url"], headers, body)


def _as_event(delivery: Row) -> Row:
    return {**delivery, "id": delivery["event_id"]}


def _decide(answer: Answer, attempt: int, now: datetime) -> Decision:
    jitter = random.uniform(-JITTER, JITTER)  # noqa: S311 - spreads load, guards nothing
    return decide(
        answer.status, attempt, now, retry_after=read_retry_after(answer.retry_after, now), jitter=jitter
    )


async def _settle(
    site: Site, queue: DeliveryQueue, lease: Lease, decision: Decision, attempt: dict[str, Any]
) -> None:
    now = site.clock.now()
    async with site.db.transaction() as tx:
        await tx.insert(webhook_attempts, attempt)
        await queue.settle(tx, lease, _STATUS_AFTER[decision.outcome], now, decision.retry_at)
        if decision.outcome == "disable":
            await disable_endpoint(tx, lease.workspace_id, attempt["endpoint_id"], GONE, now)


def _as_attempt(
    delivery: Row, request: Request, answer: Answer, decision: Decision, started_at: datetime
) -> dict[str, Any]:
    return {
        "workspace_id": delivery["workspace_id"],
        "id": request.id,
        "delivery_id": delivery["delivery_id"],
        "endpoint_id": delivery["endpoint_id"],
        "started_at": started_at,
        "duration_ms": answer.duration_ms,
        "outcome": "failed" if decision.outcome == "disable" else decision.outcome,
        "url": request.url,
        "request_headers": list(request.headers.items()),
        "request_body": request.body.decode(),
        "response_status": answer.status,
        "response_headers": answer.headers if answer.status else None,
        "response_body": answer.body if answer.status else None,
        "error": answer.error,
    }


def _log_attempt(delivery: Row, request: Request, answer: Answer, decision: Decision) -> None:
    """One line for each attempt, without the URL: its path or query may be a secret of the receiver's."""
    _log.info(
        "webhook_attempt",
        workspace=delivery["workspace_id"],
        endpoint=delivery["endpoint_id"],
        delivery=delivery["delivery_id"],
        change=delivery["name"],
        event_id=delivery["event_id"],
        part=delivery["part"],
        attempt=delivery["attempts"] + 1,
        status=answer.status,
        duration_ms=answer.duration_ms,
        decision=decision.outcome,
        retry_at=decision.retry_at.isoformat() if decision.retry_at else None,
        reason=answer.detail or None,
    )


def _delivery() -> Statement:
    """The delivery with its event and its endpoint."""
    d, e, w = webhook_deliveries.c, events.c, webhook_endpoints.c
    joined = webhook_deliveries.join(
        events, sa.and_(e.workspace_id == d.workspace_id, e.id == d.event_id)
    ).join(webhook_endpoints, sa.and_(w.workspace_id == d.workspace_id, w.id == d.endpoint_id))
    return Statement(
        sa.select(
            *(d.workspace_id, d.id.label("delivery_id"), d.endpoint_id, d.event_id),
            *(d.event_name, d.version, d.part, d.attempts),
            *(e.name, e.entity_id, e.actor_id, e.data, e.data_v2, e.previous, e.changes, e.actor),
            *(w.url, w.secret_sealed, w.is_active, w.deleted_at),
        )
        .select_from(joined)
        .where(
            d.workspace_id == sa.bindparam("in_workspace", type_=Id()),
            d.id == sa.bindparam("delivery", type_=Id()),
        )
    )


_DELIVERY = _delivery()
