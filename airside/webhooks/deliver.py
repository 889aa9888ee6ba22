"""Attempts due deliveries: read, render, sign, send, decide; settle.py stores the outcome."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict, cast
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa
import structlog

from airside.db.away import DatabaseAway
from airside.db.base import Id, IdList, Row, new_id
from airside.db.database import Reader
from airside.db.large_values import LARGE_TEXT, count_characters
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
from airside.webhooks.send import ReceiverResponse, Sender
from airside.webhooks.settle import Ended, Settler
from airside.webhooks.signing import SECRET, earlier_secret, sign_headers
from airside.webhooks.tables import AttemptRow, DeliveryToSend, webhook_deliveries, webhook_endpoints

SLOTS = 200  # concurrent attempts of one worker that started less than SLOW_SECONDS ago
SLOW_SECONDS = 1.0  # after which an attempt that waits for its receiver no longer takes up a slot
MAX_IN_FLIGHT = 1_000  # concurrent attempts of one worker, slow ones included
READ_BATCH = 25  # deliveries read by one query; small, so that they start before the rows are stale
FORM = "application/x-www-form-urlencoded"  # then the JSON is the field `payload`
LARGE_FORM = 16 * 1024  # characters: escaping one takes a tenth of a microsecond
MAX_KEPT_BODY = 65_536  # characters of a request that the log keeps
UNSIGNED = "It was not sent: this instance has no key for the webhook's secret. Replace the secret."
USER_AGENT = "Autopilot"  # Plane's value: receivers filter by it

_log = structlog.get_logger("airside.webhooks")


class Request(msgspec.Struct):
    """The HTTP request of one attempt."""

    id: str  # X-Plane-Delivery
    url: str
    headers: dict[str, str]
    body: bytes


class _InFlight(NamedTuple):
    lease: Lease
    begun: float  # by the event loop's clock


class Deliverer:
    """The attempts that this worker has in flight."""

    def __init__(self, site: Site, queue: DeliveryQueue, sender: Sender) -> None:
        self._site = site
        self._queue = queue
        self._sender = sender
        self._settler = Settler(site, queue)
        self._pace = Pace()
        self._loop = asyncio.get_running_loop()  # kept: looking it up at every step adds up
        self._in_flight: dict[asyncio.Task[bool], _InFlight] = {}

    async def start_due(self) -> bool:
        """Start as many due deliveries as there are free slots; True when more may be due."""
        now = self._loop.time()
        free = self._count_free(now)
        if free == 0:
            return False  # the next attempt to finish wakes this job
        leases = await self._queue.claim(free, self._pace.restrain(now))
        self._pace.record_claims((lease.endpoint_id for lease in leases), now)
        for start in range(0, len(leases), READ_BATCH):
            await self._start(leases[start : start + READ_BATCH], now)
        return len(leases) == free

    async def _start(self, leases: Sequence[Lease], now: float) -> None:
        deliveries = await list_deliveries_to_send(self._site.db, leases)
        for lease in leases:
            delivery = deliveries.get(lease.delivery_id)
            task = self._loop.create_task(
                attempt_delivery(self._site, self._settler, self._sender, lease, delivery)
            )
            self._in_flight[task] = _InFlight(lease, now)
            task.add_done_callback(self._end)
        await asyncio.sleep(0)  # let them start before more is read

    async def finish(self, seconds: float) -> None:
        """Wait for the attempts in flight; cancel those that take longer, and release their leases."""
        if not self._in_flight:
            return
        _, late = await asyncio.wait(self._in_flight, timeout=seconds)
        leases = [self._in_flight[task].lease for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._settler.finish()
        await self._queue.release(leases)

    def _count_free(self, now: float) -> int:
        """The number of free slots. An attempt that waits for a slow receiver costs only a connection, so it takes
        up no slot; nor does one that waits for its commit."""
        slow = sum(now - one.begun > SLOW_SECONDS for one in self._in_flight.values())
        settling = min(self._settler.count, SLOTS)
        return max(0, min(SLOTS + slow + settling, MAX_IN_FLIGHT) - len(self._in_flight))

    def _end(self, task: "asyncio.Task[bool]") -> None:
        ended = self._in_flight.pop(task)
        self._site.wakeups.wake(DELIVER)
        if task.cancelled():
            return
        if error := task.exception():
            # The lease expires, and the delivery is attempted again.
            trace = None if isinstance(error, DatabaseAway) else error
            _log.error(
                "webhook_attempt_broke",
                delivery=ended.lease.delivery_id,
                reason=f"{type(error).__name__}: {error}",
                exc_info=trace,
            )
            return
        now = self._loop.time()
        self._pace.record_outcome(
            ended.lease.endpoint_id, is_success=task.result(), begun=ended.begun, now=now
        )


async def attempt_delivery(
    site: Site, settler: Settler, sender: Sender, lease: Lease, delivery: DeliveryToSend | None
) -> bool:
    """Attempt a leased delivery once, or cancel it when its endpoint no longer receives events.

    `delivery` was read after it was leased. False when the attempt was made and failed."""
    if delivery is None or not is_listening(delivery):
        await settler.cancel(lease)
        return True
    started_at = site.clock.now()
    secrets = secrets_of(site, delivery, started_at)
    if secrets:
        request = await prepare_request(delivery, secrets, started_at)
        answer = await sender.post(
            request.url, request.headers, request.body, endpoint_id=delivery["endpoint_id"]
        )
    else:
        request, answer = unsent(delivery), ReceiverResponse(error=UNSIGNED)
    decision = decide_on(answer, delivery["attempts"] + 1, site.clock.now())
    attempt = as_attempt(delivery, request, answer, decision, started_at, secrets)
    await settler.settle(Ended(lease, delivery, decision, attempt))
    report_attempt(site, delivery, answer, decision)
    return decision.outcome == "delivered"


async def list_deliveries_to_send(reader: Reader, leases: Sequence[Lease]) -> dict[str, DeliveryToSend]:
    """The leased deliveries by id, each with its event and its endpoint."""
    keys = [(lease.workspace_id, lease.delivery_id) for lease in leases]
    return {row["delivery_id"]: row for row in await _read_to_send(reader, keys)}


async def find_delivery_to_send(reader: Reader, workspace_id: str, delivery_id: str) -> DeliveryToSend | None:
    """The delivery with its event and its endpoint."""
    found = await _read_to_send(reader, [(workspace_id, delivery_id)])
    return found[0] if found else None


async def _read_to_send(reader: Reader, keys: Sequence[tuple[str, str]]) -> list[DeliveryToSend]:
    """Reads each event once, however many deliveries it has: an event's row is large."""
    workspace_ids = list({workspace_id for workspace_id, _ in keys})
    rows = await reader.fetch_all(_DELIVERIES, workspace_ids=workspace_ids, ids=[one for _, one in keys])
    event_ids = list({row["event_id"] for row in rows})
    found = await reader.fetch_all(_EVENTS, workspace_ids=workspace_ids, ids=event_ids)
    by_id = {event["event_id"]: event for event in found}
    joined = [by_id[row["event_id"]] | row for row in rows if row["event_id"] in by_id]
    return cast(list[DeliveryToSend], joined)


def is_listening(delivery: DeliveryToSend) -> bool:
    """Whether the delivery may still be sent.

    An app receives its own uninstall event although its endpoint is deleted with it, and a test event is sent to a
    disabled endpoint. A cancelled delivery is never sent (cancel.py)."""
    if delivery["generation"] != delivery["endpoint_generation"]:
        return False
    if delivery["name"].startswith("app.") and delivery["entity_id"] == delivery["installation_id"]:
        return receives_lifecycle_events(delivery)
    if delivery["deleted_at"] is not None or delivery["is_suspended"]:
        return False
    is_trial = delivery["only_endpoint_id"] is not None
    return is_trial or (delivery["is_active"] and may_receive(delivery, delivery))


def secrets_of(site: Site, delivery: DeliveryToSend, now: datetime) -> list[str]:
    """The current secret, then the replaced one while it still signs. Empty when one of them can't be unsealed,
    because this instance no longer has its key."""
    sealed = [delivery["secret_sealed"]]
    if earlier := earlier_secret(delivery["previous_secret_sealed"], delivery["previous_secret_until"], now):
        sealed.append(earlier)
    try:
        return [site.sealer.unseal(one, SECRET) for one in sealed]
    except ValueError:
        return []


def unsent(delivery: DeliveryToSend) -> Request:
    """The log's entry for an attempt that failed before a request was built."""
    return Request(new_id(), delivery["url"], {}, b"")


async def prepare_request(delivery: DeliveryToSend, secrets: Sequence[str], at: datetime) -> Request:
    """`build_request`; beside the event loop where that takes long."""
    texts = [delivery["data"], delivery["data_v2"], delivery["previous"], *delivery["changes"]]
    if count_characters(texts) > (LARGE_FORM if delivery["content_type"] == FORM else LARGE_TEXT):
        return await asyncio.to_thread(build_request, delivery, secrets, at)
    return build_request(delivery, secrets, at)


def build_request(delivery: DeliveryToSend, secrets: Sequence[str], at: datetime) -> Request:
    """Render and sign the request of one attempt, under a new attempt id."""
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


def _as_event(delivery: DeliveryToSend) -> Row:
    return {**delivery, "id": delivery["event_id"]}


def decide_on(answer: ReceiverResponse, attempt: int, now: datetime) -> Decision:
    """The decision after the attempt with this number got this response."""
    jitter = random.uniform(-JITTER, JITTER)  # noqa: S311 - spreads load, guards nothing
    return decide(
        answer.status, attempt, now, retry_after=read_retry_after(answer.retry_after, now), jitter=jitter
    )


def as_attempt(
    delivery: DeliveryToSend,
    request: Request,
    answer: ReceiverResponse,
    decision: Decision,
    started_at: datetime,
    secrets: Sequence[str],
) -> AttemptRow:
    return {
        "workspace_id": delivery["workspace_id"],
        "id": request.id,
        "delivery_id": delivery["delivery_id"],
        "endpoint_id": delivery["endpoint_id"],
        "started_at": started_at,
        "url": request.url,
        "request_headers": [[name, value] for name, value in request.headers.items()],
        "request_body": redact(request.body.decode()[:MAX_KEPT_BODY], secrets),
        **response_columns(answer, decision, secrets),
    }


class ResponseColumns(TypedDict):
    """The columns of an attempt that come from its response."""

    duration_ms: int
    outcome: str
    address: str | None
    timings: dict[str, int] | None
    response_status: int | None
    response_headers: list[list[str]] | None
    response_body: str | None
    error: str | None


def response_columns(answer: ReceiverResponse, decision: Decision, secrets: Sequence[str]) -> ResponseColumns:
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


def report_attempt(
    site: Site, delivery: DeliveryToSend, answer: ReceiverResponse, decision: Decision
) -> None:
    """Count it and log it."""
    site.counters.add("airside_webhook_attempts", decision.outcome)
    site.counters.observe("airside_webhook_attempt_seconds", answer.duration_ms)
    _log_attempt(delivery, answer, decision)


def _log_attempt(delivery: DeliveryToSend, answer: ReceiverResponse, decision: Decision) -> None:
    """One line for each attempt, without the URL: its path or query may hold the receiver's secret."""
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
# A lightweight table, since this package may not import workspaces. The slug is read at sending time, so that a URL
# built from it works after a rename.
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
