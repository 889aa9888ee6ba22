"""Successful deliveries are settled in batches, and one that fails doesn't affect the others."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest

from airside.db.base import Row
from airside.db.database import UniqueViolation
from airside.runtime.site import Site
from airside.webhooks.deliver import as_attempt, build_request, list_deliveries_to_send
from airside.webhooks.endpoints import end_endpoint
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue import Lease
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.retry import Decision
from airside.webhooks.send import ReceiverResponse
from airside.webhooks.settle import BATCH, Ended, Settler
from airside.webhooks.tables import DeliveryToSend, webhook_deliveries
from tests.support.clocks import FrozenClock
from tests.webhooks.scenes import PLAIN_SECRET, WORKSPACE, attempts, deliveries, happen, listen

WELL = ReceiverResponse(status=200, body="ok")


async def claim_some(site: Site, queue: DatabaseQueue, *, endpoints: int, events: int) -> list[Lease]:
    for number in range(endpoints):
        await listen(site, f"http://127.0.0.1:1/{number}")
    for _ in range(events):
        await happen(site)
    while await fan_out(site, queue):
        pass
    return await queue.claim(1000)


async def arrived(site: Site, leases: Sequence[Lease]) -> list[Ended]:
    """As if each had got the response 200."""
    found, now = await list_deliveries_to_send(site.db, leases), site.clock.now()
    return [
        Ended(lease, found[lease.delivery_id], *_as_notice(found[lease.delivery_id], now)) for lease in leases
    ]


def _as_notice(delivery: DeliveryToSend, now: datetime) -> tuple[Decision, Row]:
    request, decision = build_request(delivery, [PLAIN_SECRET], now), Decision("delivered")
    return decision, as_attempt(delivery, request, WELL, decision, now, [PLAIN_SECRET])


async def test_a_delivery_to_send_has_the_columns_that_its_type_names(site: Site) -> None:
    """The type is what finds a misspelt column before anything runs."""
    leases = await claim_some(site, DatabaseQueue(site), endpoints=1, events=1)
    [row] = (await list_deliveries_to_send(site.db, leases)).values()
    assert set(row) == set(DeliveryToSend.__annotations__)


async def test_more_than_fit_one_transaction_are_all_settled(site: Site) -> None:
    queue = DatabaseQueue(site)
    leases = await claim_some(site, queue, endpoints=12, events=10)
    assert len(leases) > BATCH
    settler = Settler(site, queue)
    await asyncio.gather(*(settler.settle(one) for one in await arrived(site, leases)))
    rows = await deliveries(site)
    assert {(row["status"], row["attempts"], row["leased_until"]) for row in rows} == {("delivered", 1, None)}
    assert {row["completed_at"] for row in rows} == {site.clock.now()}
    assert {row["delivery_id"] for row in await attempts(site)} == {row["id"] for row in rows}
    assert settler.count == 0


async def test_a_lost_lease_among_others_changes_nothing_and_its_attempt_is_kept(
    site: Site, clock: FrozenClock
) -> None:
    queue = DatabaseQueue(site)
    [lost] = await claim_some(site, queue, endpoints=1, events=1)
    clock.advance(minutes=1)
    [taken, *others] = await claim_some(site, queue, endpoints=1, events=3)
    assert taken.delivery_id == lost.delivery_id
    settler = Settler(site, queue)
    ended = await arrived(site, [lost, *others])
    await asyncio.gather(*(settler.settle(one) for one in ended))
    by_id = {row["id"]: row for row in await deliveries(site)}
    assert (by_id[lost.delivery_id]["status"], by_id[lost.delivery_id]["attempts"]) == ("pending", 0)
    assert by_id[lost.delivery_id]["leased_until"] == taken.until
    assert {by_id[lease.delivery_id]["status"] for lease in others} == {"delivered"}
    assert len(await attempts(site)) == 1 + len(others)


async def test_what_the_database_refuses_of_one_leaves_the_others_settled(site: Site) -> None:
    queue = DatabaseQueue(site)
    leases = await claim_some(site, queue, endpoints=1, events=3)
    first, second, third = await arrived(site, leases)
    twice = Ended(
        second.lease, second.delivery, second.decision, second.attempt | {"id": first.attempt["id"]}
    )
    settler = Settler(site, queue)
    await settler.settle(first)
    results = await asyncio.gather(settler.settle(twice), settler.settle(third), return_exceptions=True)
    assert isinstance(results[0], UniqueViolation)
    assert results[1] is None
    by_id = {row["id"]: row["status"] for row in await deliveries(site)}
    assert [by_id[one.lease.delivery_id] for one in (first, twice, third)] == [
        "delivered", "pending", "delivered",
    ]  # fmt: skip


async def test_an_endpoint_that_ends_meanwhile_stays_cancelled_while_another_is_settled(site: Site) -> None:
    queue = DatabaseQueue(site)
    leases = await claim_some(site, queue, endpoints=2, events=1)
    ended = await arrived(site, leases)
    async with site.db.transaction() as tx:
        await end_endpoint(tx, WORKSPACE, leases[0].endpoint_id, site.clock.now())
    settler = Settler(site, queue)
    await asyncio.gather(*(settler.settle(one) for one in ended))
    by_id = {row["id"]: row["status"] for row in await deliveries(site)}
    assert [by_id[lease.delivery_id] for lease in leases] == ["cancelled", "delivered"]
    assert len(await attempts(site)) == 2


@pytest.mark.parametrize(
    "db", ["postgres"], indirect=True
)  # SQLite has one writer: no other transaction can lock a row
async def test_a_row_that_somebody_holds_makes_nobody_else_wait(site: Site) -> None:
    queue = DatabaseQueue(site)
    leases = await claim_some(site, queue, endpoints=2, events=1)
    held, free = leases
    async with site.db.transaction() as tx:
        assert await tx.lock(webhook_deliveries, workspace_id=WORKSPACE, id=held.delivery_id)
        async with site.db.transaction() as beside:
            assert await queue.settle_delivered(beside, leases, site.clock.now()) == {free.delivery_id}


async def test_an_outcome_on_an_idle_worker_is_stored_at_once(site: Site) -> None:
    queue = DatabaseQueue(site)
    settler, leases = Settler(site, queue), await claim_some(site, queue, endpoints=1, events=2)
    for ended in await arrived(site, leases):  # one after the other: the second finds the task ended
        async with asyncio.timeout(5):
            await settler.settle(ended)
    assert [row["status"] for row in await deliveries(site)] == ["delivered"] * 2
