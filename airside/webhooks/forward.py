"""Deliveries to `airside listen`: held at fan-out, handed over under a lease, settled by the reported response.

Handing over stores the attempt first, so that any process can accept the response, and the log shows attempts
handed to a computer that went away. Only a response uses up a retry: a laptop that is closed overnight uses none.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, IdList, Instant, TenantKey, new_id
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.runtime.site import Site
from airside.webhooks.deliver import (
    UNSIGNED,
    Request,
    as_attempt,
    decide_on,
    find_delivery_to_send,
    is_listening,
    prepare_request,
    report_attempt,
    response_columns,
    secrets_of,
    unsent,
)
from airside.webhooks.listeners import Place, list_endpoints_of_listener, places_of, wake_up_of
from airside.webhooks.queue import NewDelivery
from airside.webhooks.retry import Decision
from airside.webhooks.send import ReceiverResponse
from airside.webhooks.settle import STATUS_AFTER
from airside.webhooks.tables import (
    DeliveryRow,
    DeliveryToSend,
    ListenerRow,
    webhook_attempts,
    webhook_deliveries,
)

WINDOW = 10  # deliveries that one listener may have in flight
LEASE = timedelta(seconds=30)  # well above the timeout of 10 s for the local server
UNANSWERED = "It was handed to airside listen, and no answer came back."


class Handed(msgspec.Struct, frozen=True):
    """One attempt as it is sent to the computer: everything to be posted there, byte for byte."""

    attempt_id: str  # X-Plane-Delivery; the report of the response names it
    delivery_id: str  # the same for all attempts
    event_id: str
    event: str  # its name in the catalogue
    workspace_id: str
    attempt: int  # its number in the retry schedule, from 1
    headers: dict[str, str]
    body: str  # base64


class _Attempted(TypedDict):
    """Which delivery an attempt was of."""

    workspace_id: str
    delivery_id: str


async def hold_deliveries(
    tx: Transaction,
    site: Site,
    deliveries: Sequence[NewDelivery],
    listeners: Mapping[str, str],
    now: datetime,
) -> None:
    """Store deliveries until their listener fetches them; `listeners` maps endpoint ids to listener ids."""
    for place, delivery in enumerate(deliveries):
        row = {
            "workspace_id": delivery.workspace_id,
            "id": new_id(),
            "endpoint_id": delivery.endpoint_id,
            "event_id": delivery.event_id,
            "event_name": delivery.event_name,
            "version": delivery.version,
            "part": delivery.part,
            "generation": delivery.generation,
            "status": "pending",
            "attempts": 0,
            # A microsecond apart: the order of the events is the order of handing over.
            "forward_at": now - timedelta(microseconds=len(deliveries) - place),
            "created_at": now,
        }
        await tx.insert(webhook_deliveries, row)
    for listener_id in {listeners[delivery.endpoint_id] for delivery in deliveries}:
        tx.on_commit(lambda woken=listener_id: site.wakeups.wake(wake_up_of(woken)))


async def hand_over(site: Site, listener: ListenerRow) -> list[Handed]:
    """Lease the due deliveries to the listener, as many as its window has room for."""
    now = site.clock.now()
    places = places_of(await list_endpoints_of_listener(site.db, listener["id"]))
    if not places["endpoint_ids"] or not await _list_due(site.db, places, now):
        return []
    async with site.db.transaction() as tx:
        due = await _list_due(tx, places, now, lock=True)
        found = [await _hand_over_one(tx, site, listener, row, now) for row in due]
    return [handed for handed in found if handed is not None]


async def take_answer(site: Site, listener: ListenerRow, attempt_id: str, answer: ReceiverResponse) -> bool:
    """Settle a delivery by the response of the computer's server; False for an attempt that isn't this listener's.

    Reporting the same response twice changes nothing. A success counts even after a later attempt was made; a
    failure doesn't."""
    now = site.clock.now()
    places = places_of(await list_endpoints_of_listener(site.db, listener["id"]))
    attempt = await site.db.fetch_one(_ATTEMPT, attempt_id=attempt_id, **places)
    if attempt is None:
        return False
    keys = {"workspace_id": attempt["workspace_id"], "id": attempt["delivery_id"]}
    async with site.db.transaction() as tx:
        locked = await tx.lock(webhook_deliveries, **keys)
        current = await tx.find(webhook_attempts, workspace_id=attempt["workspace_id"], id=attempt_id)
        if locked is None or current is None or current["error"] != UNANSWERED:
            return True
        delivery = await find_delivery_to_send(tx, keys["workspace_id"], keys["id"])
        assert delivery is not None
        decision = decide_on(answer, locked["attempts"] + 1, now)
        secrets = secrets_of(site, delivery, now)
        changes = response_columns(answer, decision, secrets)
        await tx.update(webhook_attempts, changes, workspace_id=keys["workspace_id"], id=attempt_id)
        await _settle(tx, locked, attempt_id, decision, now)
    report_attempt(site, delivery, answer, decision)
    site.wakeups.wake(wake_up_of(listener["id"]))  # the window has room again
    site.wakeups.announce(f"deliveries:{delivery['endpoint_id']}")
    return True


async def _settle(
    tx: Transaction, locked: DeliveryRow, attempt_id: str, decision: Decision, now: datetime
) -> None:
    keys = {"workspace_id": locked["workspace_id"], "id": locked["id"]}
    if locked["status"] != "pending":
        return
    latest = await tx.fetch_value(_LATEST, in_workspace=keys["workspace_id"], delivery=keys["id"])
    if decision.outcome != "delivered" and latest != attempt_id:
        return
    await tx.update(webhook_deliveries, _after(decision, locked["attempts"], now), **keys)


def _after(decision: Decision, attempts: int, now: datetime) -> dict[str, Any]:
    """The delivery's columns after the attempt."""
    return {
        "status": STATUS_AFTER[decision.outcome],
        "attempts": attempts + 1,
        "forward_at": decision.retry_at,
        "leased_until": None,
        "completed_at": None if decision.retry_at else now,
    }


async def _hand_over_one(
    tx: Transaction, site: Site, listener: ListenerRow, row: TenantKey, now: datetime
) -> Handed | None:
    """Hand over one delivery, or cancel it when its endpoint no longer receives events."""
    keys = {"workspace_id": row["workspace_id"], "id": row["id"]}
    delivery = await find_delivery_to_send(tx, row["workspace_id"], row["id"])
    if delivery is None or not is_listening(delivery):
        ended = {"status": "cancelled", "forward_at": None, "leased_until": None, "completed_at": now}
        await tx.update(webhook_deliveries, ended, **keys)
        return None
    secrets = secrets_of(site, delivery, now)
    if not secrets:
        await _fail_unsigned(tx, listener, delivery, now)
        return None
    request = await prepare_request(delivery, secrets, now)
    unanswered = ReceiverResponse(error=UNANSWERED)
    attempt = as_attempt(delivery, request, unanswered, Decision("retry"), now, secrets)
    await tx.insert(webhook_attempts, attempt | {"url": listener["forward_to"]})
    await tx.update(webhook_deliveries, {"leased_until": now + LEASE}, **keys)
    tx.on_commit(lambda: site.wakeups.announce(f"deliveries:{delivery['endpoint_id']}"))
    return _as_handed(delivery, request)


async def _fail_unsigned(
    tx: Transaction, listener: ListenerRow, delivery: DeliveryToSend, now: datetime
) -> None:
    """Record a failed attempt, since nothing is sent without a signature; it is retried like any other failure."""
    answer = ReceiverResponse(error=UNSIGNED)
    decision = decide_on(answer, delivery["attempts"] + 1, now)
    attempt = as_attempt(delivery, unsent(delivery), answer, decision, now, [])
    await tx.insert(webhook_attempts, attempt | {"url": listener["forward_to"]})
    keys = {"workspace_id": delivery["workspace_id"], "id": delivery["delivery_id"]}
    await tx.update(webhook_deliveries, _after(decision, delivery["attempts"], now), **keys)


def _as_handed(delivery: DeliveryToSend, request: Request) -> Handed:
    return Handed(
        attempt_id=request.id,
        delivery_id=delivery["delivery_id"],
        event_id=delivery["event_id"],
        event=delivery["name"],
        workspace_id=delivery["workspace_id"],
        attempt=delivery["attempts"] + 1,
        headers=request.headers,
        body=base64.b64encode(request.body).decode(),
    )


async def _list_due(reader: Reader, places: Place, now: datetime, *, lock: bool = False) -> list[TenantKey]:
    """Deliveries that are due and not leased, as many as the window has room for."""
    in_flight = await reader.fetch_value(_IN_FLIGHT, now=now, **places) or 0
    if in_flight >= WINDOW:
        return []
    statement = _DUE_LOCKED if lock else _DUE
    return await reader.fetch_all(statement, now=now, room=WINDOW - in_flight, **places)


_d, _a = webhook_deliveries.c, webhook_attempts.c
_now = sa.bindparam("now", type_=Instant())
_of_endpoints = (
    any_of(_d.workspace_id, "workspace_ids", IdList()),
    any_of(_d.endpoint_id, "endpoint_ids", IdList()),
)
_IN_FLIGHT = Statement(
    sa.select(sa.func.count().label("count"))
    .select_from(webhook_deliveries)
    .where(*_of_endpoints, _d.forward_at.is_not(None), _d.leased_until > _now)
)
_due = (
    sa.select(_d.workspace_id, _d.id)
    .where(*_of_endpoints, _d.forward_at <= _now, sa.or_(_d.leased_until.is_(None), _d.leased_until <= _now))
    .order_by(_d.forward_at, _d.id)
    .limit(sa.bindparam("room", type_=sa.Integer()))
)
_DUE = Statement(_due, TenantKey)
_DUE_LOCKED = Statement(_due.with_for_update(skip_locked=True), TenantKey)
_ATTEMPT = Statement(
    sa.select(_a.workspace_id, _a.delivery_id).where(
        any_of(_a.workspace_id, "workspace_ids", IdList()),
        any_of(_a.endpoint_id, "endpoint_ids", IdList()),
        _a.id == sa.bindparam("attempt_id", type_=Id()),
    ),
    _Attempted,
)
_LATEST = Statement(
    sa.select(_a.id)
    .where(
        tenant(webhook_attempts, "in_workspace"),
        _a.delivery_id == sa.bindparam("delivery", type_=Id()),
    )
    .order_by(_a.id.desc())
    .limit(sa.literal_column("1"))
)
