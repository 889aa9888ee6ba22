"""One attempt of one delivery: render, sign, send, decide, and write down what happened in one transaction."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
import structlog

from airside.db.base import Id, Row, new_id
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.events.catalog import get_kind
from airside.events.envelope import render_body
from airside.events.tables import events
from airside.site import Site
from airside.webhooks.endpoints import FAILING, GONE, WELL, disable_endpoint, hears_own_fate
from airside.webhooks.health import Verdict, judge_failing
from airside.webhooks.pace import Pace
from airside.webhooks.queue import DELIVER, DeliveryQueue, Lease, Status
from airside.webhooks.reach import LIMITS, may_hear
from airside.webhooks.redaction import redact, redact_headers
from airside.webhooks.retry import JITTER, Decision, decide, read_retry_after
from airside.webhooks.send import Answer, Sender
from airside.webhooks.signing import SECRET, sign_headers
from airside.webhooks.tables import webhook_attempts, webhook_deliveries, webhook_endpoints

SLOTS = 200  # attempts under way at once in one worker …
SLOW_SECONDS = 1.0  # … that began no longer ago; older ones wait for their receiver beside them
MOST_UNDER_WAY = 1_000  # of both
FORM = "application/x-www-form-urlencoded"  # then the JSON is the field `payload`
MAX_KEPT_BODY = 65_536  # characters of a request that the log keeps
USER_AGENT = "Autopilot"  # the wire's: receivers filter by it

_log = structlog.get_logger("airside.webhooks")
STATUS_AFTER: dict[str, Status] = {
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


class _UnderWay(NamedTuple):
    lease: Lease
    begun: float  # in the event loop's time


class Deliverer:
    """The deliveries that this worker has under way."""

    def __init__(self, site: Site, queue: DeliveryQueue, sender: Sender) -> None:
        self._site = site
        self._queue = queue
        self._sender = sender
        self._pace = Pace()
        self._under_way: dict[asyncio.Task[bool], _UnderWay] = {}

    async def start_due(self) -> bool:
        """Start as many due deliveries as there are free slots; True when more may be due."""
        now = asyncio.get_running_loop().time()
        free = self._count_free(now)
        if free == 0:
            return False  # the next one to finish wakes the loop
        leases = await self._queue.claim(free, self._pace.restrain(now))
        self._pace.note_claimed((lease.endpoint_id for lease in leases), now)
        for lease in leases:
            task = asyncio.create_task(attempt_delivery(self._site, self._queue, self._sender, lease))
            self._under_way[task] = _UnderWay(lease, now)
            task.add_done_callback(self._end)
        return len(leases) == free

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way; what takes longer is broken off and given back."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=seconds)
        leases = [self._under_way[task].lease for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._queue.release(leases)

    def _count_free(self, now: float) -> int:
        """What only waits for a slow receiver costs no more than a connection, and takes nobody's slot."""
        slow = sum(now - one.begun > SLOW_SECONDS for one in self._under_way.values())
        return max(0, min(SLOTS + slow, MOST_UNDER_WAY) - len(self._under_way))

    def _end(self, task: "asyncio.Task[bool]") -> None:
        ended = self._under_way.pop(task)
        self._site.wakeups.wake(DELIVER)
        if task.cancelled():
            return
        if error := task.exception():
            # The lease runs out and the delivery is attempted again.
            _log.error("webhook_attempt_broke", delivery=ended.lease.delivery_id, exc_info=error)
            return
        now = asyncio.get_running_loop().time()
        self._pace.note_answer(ended.lease.endpoint_id, is_well=task.result(), begun=ended.begun, now=now)


async def attempt_delivery(site: Site, queue: DeliveryQueue, sender: Sender, lease: Lease) -> bool:
    """Attempt a leased delivery once; cancel it instead when its endpoint doesn't listen any more.

    False when the endpoint was asked and didn't answer well."""
    delivery = await find_delivery_to_send(site.db, lease.workspace_id, lease.delivery_id)
    if delivery is None or not is_listening(delivery):
        async with site.db.transaction() as tx:
            await queue.settle(tx, lease, "cancelled", site.clock.now())
        return True
    started_at = site.clock.now()
    secrets = secrets_of(site, delivery, started_at)
    request = build_request(delivery, secrets, started_at)
    answer = await sender.post(request.url, request.headers, request.body)
    decision = decide_on(answer, delivery["attempts"] + 1, site.clock.now())
    attempt = as_attempt(delivery, request, answer, decision, started_at, secrets)
    await _settle(site, queue, lease, delivery, decision, attempt)
    note_attempt(site, delivery, answer, decision)
    return decision.outcome == "delivered"


async def find_delivery_to_send(reader: Reader, workspace_id: str, delivery_id: str) -> Row | None:
    """The delivery with its event and its endpoint."""
    return await reader.fetch_one(_DELIVERY, in_workspace=workspace_id, delivery=delivery_id)


def is_listening(delivery: Row) -> bool:
    """An app hears of its own end although its endpoint has ended with it; a test reaches one that is off."""
    if delivery["name"].startswith("app.") and delivery["entity_id"] == delivery["installation_id"]:
        return hears_own_fate(delivery)
    if delivery["deleted_at"] is not None or delivery["is_suspended"]:
        return False
    is_trial = delivery["only_endpoint_id"] is not None and not get_kind(delivery["name"]).is_agents
    return is_trial or (delivery["is_active"] and may_hear(delivery, delivery))


def secrets_of(site: Site, delivery: Row, now: datetime) -> list[str]:
    """The present secret, then the replaced one while it still signs."""
    sealed = [delivery["secret_sealed"]]
    until = delivery["previous_secret_until"]
    if until is not None and now < until:
        sealed.append(delivery["previous_secret_sealed"])
    return [site.sealer.unseal(one, SECRET) for one in sealed]


def build_request(delivery: Row, secrets: Sequence[str], at: datetime) -> Request:
    """Everything about the attempt that is decided before it is sent; its id is new each time."""
    attempt_id = new_id()
    body = render_body(
        _as_event(delivery),
        version=delivery["version"],
        part=delivery["part"],
        webhook_id=delivery["endpoint_id"],
        delivery_id=attempt_id,
    )
    if delivery["content_type"] == FORM:
        body = urlencode({"payload": body}).encode()
    headers = {
        "Content-Type": delivery["content_type"],
        "User-Agent": USER_AGENT,
        "X-Plane-Delivery": attempt_id,
        "X-Plane-Event": delivery["event_name"],
        **sign_headers(body, secrets, event_id=delivery["event_id"], part=delivery["part"], at=at),
    }
    return Request(attempt_id, delivery["url"], headers, body)


def _as_event(delivery: Row) -> Row:
    return {**delivery, "id": delivery["event_id"]}


def decide_on(answer: Answer, attempt: int, now: datetime) -> Decision:
    """What becomes of a delivery whose attempt with this number was answered so."""
    jitter = random.uniform(-JITTER, JITTER)  # noqa: S311 - spreads load, guards nothing
    return decide(
        answer.status, attempt, now, retry_after=read_retry_after(answer.retry_after, now), jitter=jitter
    )


async def _settle(
    site: Site, queue: DeliveryQueue, lease: Lease, delivery: Row, decision: Decision, attempt: dict[str, Any]
) -> None:
    now = site.clock.now()
    async with site.db.transaction() as tx:
        endpoint = None
        if _changes_health(delivery, decision, now):
            # Before any delivery, as whoever disables it does: in the other order two could wait for each other.
            endpoint = await tx.lock(webhook_endpoints, **_endpoint_keys(delivery))
        await tx.insert(webhook_attempts, attempt)
        await queue.settle(tx, lease, STATUS_AFTER[decision.outcome], now, decision.retry_at)
        if endpoint is not None:
            await _note_health(tx, endpoint, decision, now)
        tx.on_commit(lambda: site.wakeups.announce(f"deliveries:{delivery['endpoint_id']}"))


def _changes_health(delivery: Row, decision: Decision, now: datetime) -> bool:
    """Whether the attempt changes what is known of its endpoint, as far as can be told before looking."""
    is_failing = delivery["first_failure_at"] is not None
    match decision.outcome:
        case "disable":
            return True
        case "delivered":
            return is_failing
        case _:
            return not is_failing or _judge(delivery, now).outcome != "wait"


def _judge(endpoint: Row, now: datetime) -> Verdict:
    return judge_failing(endpoint["first_failure_at"], now, endpoint["warned_percent"], endpoint["warned_at"])


async def _note_health(tx: Transaction, endpoint: Row, decision: Decision, now: datetime) -> None:
    """Keep since when it fails; warn, and in the end give it up. The row is locked."""
    keys = {"workspace_id": endpoint["workspace_id"], "id": endpoint["id"]}
    if decision.outcome == "disable":
        await disable_endpoint(tx, keys["workspace_id"], keys["id"], GONE, now)
    elif decision.outcome == "delivered":
        await tx.update(webhook_endpoints, WELL, **keys)
    elif endpoint["first_failure_at"] is None:
        await tx.update(webhook_endpoints, {"first_failure_at": now}, **keys)
    elif endpoint["is_active"]:
        await _note_failing(tx, endpoint, _judge(endpoint, now), now)


async def _note_failing(tx: Transaction, endpoint: Row, verdict: Verdict, now: datetime) -> None:
    if verdict.outcome == "wait":  # another attempt has said it meanwhile
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
        since=endpoint["first_failure_at"].isoformat(),
        percent=verdict.percent or 100,
        is_disabled=verdict.outcome == "disable",
    )


def _endpoint_keys(delivery: Row) -> dict[str, str]:
    return {"workspace_id": delivery["workspace_id"], "id": delivery["endpoint_id"]}


def as_attempt(
    delivery: Row,
    request: Request,
    answer: Answer,
    decision: Decision,
    started_at: datetime,
    secrets: Sequence[str],
) -> dict[str, Any]:
    return {
        "workspace_id": delivery["workspace_id"],
        "id": request.id,
        "delivery_id": delivery["delivery_id"],
        "endpoint_id": delivery["endpoint_id"],
        "started_at": started_at,
        "url": request.url,
        "request_headers": list(request.headers.items()),
        "request_body": redact(request.body.decode()[:MAX_KEPT_BODY], secrets),
        **as_answered(answer, decision, secrets),
    }


def as_answered(answer: Answer, decision: Decision, secrets: Sequence[str]) -> dict[str, Any]:
    """The columns of an attempt that its answer gives."""
    return {
        "duration_ms": answer.duration_ms,
        "outcome": "failed" if decision.outcome == "disable" else decision.outcome,
        "address": answer.address,
        "timings": answer.timings,
        "response_status": answer.status,
        "response_headers": redact_headers(answer.headers, secrets) if answer.status else None,
        "response_body": redact(answer.body, secrets) if answer.status else None,
        "error": answer.error,
    }


def note_attempt(site: Site, delivery: Row, answer: Answer, decision: Decision) -> None:
    """Count it and log it."""
    site.counts.add("airside_webhook_attempts", decision.outcome)
    site.counts.observe("airside_webhook_attempt_seconds", answer.duration_ms)
    _log_attempt(delivery, answer, decision)


def _log_attempt(delivery: Row, answer: Answer, decision: Decision) -> None:
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
            e.endpoint_id.label("only_endpoint_id"),
            *(w.url, w.content_type, w.secret_sealed, w.previous_secret_sealed, w.previous_secret_until),
            *(w.installation_id, w.is_active, w.disabled_reason, w.deleted_at),
            *(w.first_failure_at, w.warned_percent, w.warned_at),
            *(e.project_id, *LIMITS),
        )
        .select_from(joined)
        .where(
            d.workspace_id == sa.bindparam("in_workspace", type_=Id()),
            d.id == sa.bindparam("delivery", type_=Id()),
        )
    )


_DELIVERY = _delivery()
