"""Attempts of what is due: read, render, sign, send, decide; settle.py writes down what happened."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
import structlog

from airside.db.away import DatabaseAway
from airside.db.base import Id, IdList, Row, new_id
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.events.envelope import render_body
from airside.events.tables import events
from airside.runtime.site import Site
from airside.webhooks.endpoints import receives_lifecycle_events
from airside.webhooks.pace import Pace
from airside.webhooks.queue import DELIVER, DeliveryQueue, Lease
from airside.webhooks.reach import LIMITS, may_receive
from airside.webhooks.redaction import redact, redact_headers
from airside.webhooks.retry import JITTER, Decision, decide, read_retry_after
from airside.webhooks.send import Answer, Sender
from airside.webhooks.settle import Ended, Settler
from airside.webhooks.signing import SECRET, earlier_secret, sign_headers
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints

SLOTS = 200  # attempts under way at once in one worker …
SLOW_SECONDS = 1.0  # … that began no longer ago; older ones wait for their receiver beside them
MAX_IN_FLIGHT = 1_000  # of both
READ_TOGETHER = 25  # deliveries; they have begun some milliseconds after, so what was read is still true
FORM = "application/x-www-form-urlencoded"  # then the JSON is the field `payload`
MAX_KEPT_BODY = 65_536  # characters of a request that the log keeps
UNSIGNED = "It was not sent: this instance has no key for the webhook's secret. Replace the secret."
USER_AGENT = "Autopilot"  # the wire's: receivers filter by it

_log = structlog.get_logger("airside.webhooks")


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
        self._settler = Settler(site, queue)
        self._pace = Pace()
        self._loop = asyncio.get_running_loop()  # asking for it at every step adds up
        self._under_way: dict[asyncio.Task[bool], _UnderWay] = {}

    async def start_due(self) -> bool:
        """Start as many due deliveries as there are free slots; True when more may be due."""
        now = self._loop.time()
        free = self._count_free(now)
        if free == 0:
            return False  # the next one to finish wakes the loop
        leases = await self._queue.claim(free, self._pace.restrain(now))
        self._pace.note_claimed((lease.endpoint_id for lease in leases), now)
        for start in range(0, len(leases), READ_TOGETHER):
            await self._start(leases[start : start + READ_TOGETHER], now)
        return len(leases) == free

    async def _start(self, leases: Sequence[Lease], now: float) -> None:
        deliveries = await list_deliveries_to_send(self._site.db, leases)
        for lease in leases:
            delivery = deliveries.get(lease.delivery_id)
            task = self._loop.create_task(
                attempt_delivery(self._site, self._settler, self._sender, lease, delivery)
            )
            self._under_way[task] = _UnderWay(lease, now)
            task.add_done_callback(self._end)
        await asyncio.sleep(0)  # they begin before more is read

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way; what takes longer is broken off and given back."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=seconds)
        leases = [self._under_way[task].lease for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._settler.finish()
        await self._queue.release(leases)

    def _count_free(self, now: float) -> int:
        """What only waits for a slow receiver costs no more than a connection, and takes nobody's slot; nor does
        what was answered and waits for its commit."""
        slow = sum(now - one.begun > SLOW_SECONDS for one in self._under_way.values())
        settling = min(self._settler.count, SLOTS)
        return max(0, min(SLOTS + slow + settling, MAX_IN_FLIGHT) - len(self._under_way))

    def _end(self, task: "asyncio.Task[bool]") -> None:
        ended = self._under_way.pop(task)
        self._site.wakeups.wake(DELIVER)
        if task.cancelled():
            return
        if error := task.exception():
            # The lease runs out and the delivery is attempted again.
            trace = None if isinstance(error, DatabaseAway) else error
            _log.error(
                "webhook_attempt_broke",
                delivery=ended.lease.delivery_id,
                reason=f"{type(error).__name__}: {error}",
                exc_info=trace,
            )
            return
        now = self._loop.time()
        self._pace.note_answer(ended.lease.endpoint_id, is_well=task.result(), begun=ended.begun, now=now)


async def attempt_delivery(
    site: Site, settler: Settler, sender: Sender, lease: Lease, delivery: Row | None
) -> bool:
    """Attempt a leased delivery once; cancel it instead when its endpoint doesn't listen any more.

    `delivery` was read after it was leased. False when the endpoint was asked and didn't answer well."""
    if delivery is None or not is_listening(delivery):
        await settler.cancel(lease)
        return True
    started_at = site.clock.now()
    secrets = secrets_of(site, delivery, started_at)
    if secrets:
        request = build_request(delivery, secrets, started_at)
        answer = await sender.post(
            request.url, request.headers, request.body, endpoint_id=delivery["endpoint_id"]
        )
    else:
        request, answer = unsent(delivery), Answer(error=UNSIGNED)
    decision = decide_on(answer, delivery["attempts"] + 1, site.clock.now())
    attempt = as_attempt(delivery, request, answer, decision, started_at, secrets)
    await settler.settle(Ended(lease, delivery, decision, attempt))
    note_attempt(site, delivery, answer, decision)
    return decision.outcome == "delivered"


async def list_deliveries_to_send(reader: Reader, leases: Sequence[Lease]) -> dict[str, Row]:
    """The deliveries, each with its event and its endpoint, by id."""
    keys = [(lease.workspace_id, lease.delivery_id) for lease in leases]
    return {row["delivery_id"]: row for row in await _read_to_send(reader, keys)}


async def find_delivery_to_send(reader: Reader, workspace_id: str, delivery_id: str) -> Row | None:
    """The delivery with its event and its endpoint."""
    found = await _read_to_send(reader, [(workspace_id, delivery_id)])
    return found[0] if found else None


async def _read_to_send(reader: Reader, keys: Sequence[tuple[str, str]]) -> list[Row]:
    """Each event once, however many are told of it: it is long."""
    workspace_ids = list({workspace_id for workspace_id, _ in keys})
    rows = await reader.fetch_all(_DELIVERIES, workspace_ids=workspace_ids, ids=[one for _, one in keys])
    event_ids = list({row["event_id"] for row in rows})
    told = await reader.fetch_all(_EVENTS, workspace_ids=workspace_ids, ids=event_ids)
    by_id = {event["event_id"]: event for event in told}
    return [by_id[row["event_id"]] | row for row in rows if row["event_id"] in by_id]


def is_listening(delivery: Row) -> bool:
    """An app hears of its own end although its endpoint has ended with it; a test reaches one that is off. What was
    cancelled reaches nobody, see cancel.py."""
    if delivery["generation"] != delivery["endpoint_generation"]:
        return False
    if delivery["name"].startswith("app.") and delivery["entity_id"] == delivery["installation_id"]:
        return receives_lifecycle_events(delivery)
    if delivery["deleted_at"] is not None or delivery["is_suspended"]:
        return False
    is_trial = delivery["only_endpoint_id"] is not None
    return is_trial or (delivery["is_active"] and may_receive(delivery, delivery))


def secrets_of(site: Site, delivery: Row, now: datetime) -> list[str]:
    """The present secret, then the replaced one while it still signs. None of them when one can't be opened: it was
    sealed under a key that this instance doesn't have any more."""
    sealed = [delivery["secret_sealed"]]
    if earlier := earlier_secret(delivery["previous_secret_sealed"], delivery["previous_secret_until"], now):
        sealed.append(earlier)
    try:
        return [site.sealer.unseal(one, SECRET) for one in sealed]
    except ValueError:
        return []


def unsent(delivery: Row) -> Request:
    """Of an attempt that ended before there was a request, for the log."""
    return Request(new_id(), delivery["url"], {}, b"")


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
    site.counters.add("airside_webhook_attempts", decision.outcome)
    site.counters.observe("airside_webhook_attempt_seconds", answer.duration_ms)
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


_d, _e, _w = webhook_deliveries.c, events.c, webhook_endpoints.c
# The room of workspaces stands above this one; only the slug is needed, as it is when the delivery is sent, so that
# a URL made from it leads somewhere.
_workspaces = sa.table("workspaces", sa.column("id", Id()), sa.column("slug", sa.Text()))
_DELIVERIES = Statement(
    sa.select(
        *(_d.workspace_id, _d.id.label("delivery_id"), _d.endpoint_id, _d.event_id),
        *(_d.event_name, _d.version, _d.part, _d.attempts, _d.generation),
        _w.generation.label("endpoint_generation"),
        *(_w.url, _w.content_type, _w.secret_sealed, _w.previous_secret_sealed, _w.previous_secret_until),
        *(_w.installation_id, _w.is_active, _w.disabled_reason, _w.deleted_at),
        *(_w.first_failure_at, _w.warned_percent, _w.warned_at),
        *LIMITS,
    )
    .join_from(
        webhook_deliveries,
        webhook_endpoints,
        sa.and_(_w.workspace_id == _d.workspace_id, _w.id == _d.endpoint_id),
    )
    .where(any_of(_d.workspace_id, "workspace_ids", IdList()), any_of(_d.id, "ids", IdList()))
)
_EVENTS = Statement(
    sa.select(
        *(_e.id.label("event_id"), _e.name, _e.entity_id, _e.actor_id, _e.project_id),
        *(_e.data, _e.data_v2, _e.previous, _e.changes, _e.actor),
        _e.endpoint_id.label("only_endpoint_id"),
        _workspaces.c.slug.label("workspace_slug"),
    )
    .join_from(events, _workspaces, _workspaces.c.id == _e.workspace_id, isouter=True)
    .where(any_of(_e.workspace_id, "workspace_ids", IdList()), any_of(_e.id, "ids", IdList()))
)
