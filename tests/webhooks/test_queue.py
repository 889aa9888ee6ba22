"""The queue with several workers: no duplicates, no losses, no starvation."""

import asyncio
from datetime import timedelta

import pytest

from airside.db.base import new_id
from airside.db.open import open_database
from airside.errors import NotFound, Refused
from airside.runtime.site import Site
from airside.webhooks.deliver import SLOTS
from airside.webhooks.deliveries import find_delivery, list_attempts, list_deliveries, redeliver
from airside.webhooks.endpoints import disable_endpoint, end_endpoint, list_endpoints, list_endpoints_of
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import ENDPOINT_WINDOW, LEASE, DatabaseQueue
from airside.webhooks.send import TOTAL_SECONDS, Sender
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import (
    WORKSPACE,
    attempt,
    attempts,
    changed,
    deliveries,
    happen,
    listen,
    wait_until_due,
    work,
)


async def fan_out_all(site: Site) -> DatabaseQueue:
    queue = DatabaseQueue(site)
    while await fan_out(site, queue):
        pass
    return queue


async def test_two_workers_deliver_everything_once(site: Site, receiver: Receiver) -> None:
    for number in range(8):
        await listen(site, f"{receiver.url}/{number}")
    for _ in range(30):
        await happen(site)
    other_db = await open_database(site.db.url)
    other = Site(settings=site.settings, db=other_db, sealer=site.sealer, clock=site.clock)
    try:
        for _ in range(2):  # a row skipped because the other has locked it may be left after the first round
            await asyncio.gather(work(site), work(other), work(site), work(other))
    finally:
        await other_db.close()
    assert len(receiver.received) == 240
    assert len({(got.path, got.body["data"]["id"]) for got in receiver.received}) == 240
    assert {row["status"] for row in await deliveries(site)} == {"delivered"}


async def test_what_a_crashed_worker_held_is_delivered_after_its_lease(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    queue = await fan_out_all(site)
    assert len(await queue.claim(10)) == 1, "and then the worker dies"
    await work(site)
    assert receiver.received == []
    clock.advance(seconds=LEASE.total_seconds())
    await work(site)
    assert len(receiver.received) == 1


async def test_a_worker_that_lost_its_lease_changes_nothing_any_more(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    queue = await fan_out_all(site)
    [slow] = await queue.claim(10)
    clock.advance(minutes=1)
    [lease] = await queue.claim(10)
    async with site.db.transaction() as tx:
        assert not await queue.settle(tx, slow, "failed", clock.now())
    async with site.db.transaction() as tx:
        assert await queue.settle(tx, lease, "delivered", clock.now())
    assert [row["status"] for row in await deliveries(site)] == ["delivered"]


async def test_a_released_delivery_is_due_at_once(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site)
    queue = await fan_out_all(site)
    await queue.release(await queue.claim(10))
    await queue.release([])
    assert len(await queue.claim(10)) == 1


async def test_one_endpoint_never_has_more_than_its_window_under_way(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    for _ in range(40):
        await happen(site)
    queue = await fan_out_all(site)
    first = await queue.claim(SLOTS)
    assert len(first) == ENDPOINT_WINDOW
    assert await queue.claim(SLOTS) == []
    async with site.db.transaction() as tx:
        await queue.settle(tx, first[0], "delivered", site.clock.now())
    next_one = await queue.claim(SLOTS)
    assert len(next_one) == 1
    await queue.release(first + next_one)
    receiver.pause = 0.01
    await work(site)
    assert len(receiver.received) == 39
    assert receiver.most_at_once <= ENDPOINT_WINDOW


async def test_every_endpoint_gets_its_first_turn_before_any_gets_its_second(site: Site) -> None:
    crowded = await listen(site, "http://127.0.0.1:1/crowded", workspace_id=(first := new_id()))
    for _ in range(50):
        await happen(site, workspace_id=first)
    quiet = {await listen(site, "http://127.0.0.1:1/quiet", workspace_id=(one := new_id())) for _ in range(3)}
    await happen(site, workspace_id=one)
    queue = await fan_out_all(site)
    leases = await queue.claim(4)
    by_id = {row["id"]: row["endpoint_id"] for row in await deliveries(site)}
    claimed = [by_id[lease.delivery_id] for lease in leases]
    assert crowded in claimed
    assert len(set(claimed) & quiet) == 1, "the others of the cast listen in workspaces of their own"
    assert len(set(claimed)) == 2


async def test_deliveries_leave_in_the_order_of_their_events(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    entity_id = new_id()
    made = [await happen(site, entity_id=entity_id, data={"id": entity_id, "n": n}) for n in range(8)]
    queue = await fan_out_all(site)
    by_id = {row["id"]: row["event_id"] for row in await deliveries(site)}
    assert [by_id[lease.delivery_id] for lease in await queue.claim(8)] == made


def test_a_lease_outlives_an_attempt() -> None:
    assert timedelta(seconds=2 * TOTAL_SECONDS) < LEASE


async def test_the_log_shows_a_delivery_as_pages_do(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    installation_id = new_id()
    await listen(site, receiver.url, installation_id=installation_id)
    receiver.answers = [500]
    await happen(site)
    await work(site)
    endpoints = await list_endpoints_of(site.db, [installation_id])
    assert endpoints == await list_endpoints(site.db, WORKSPACE)
    [shown] = await list_deliveries(site.db, endpoints)
    assert (shown["event"], shown["action"], shown["state"]) == ("issue", "updated", "retrying")
    assert (shown["attempt_count"], shown["http_status"], shown["url"]) == (1, 500, receiver.url)
    clock.advance(minutes=1)
    await work(site)
    [shown] = await list_deliveries(site.db, endpoints)
    assert (shown["state"], shown["attempt_count"], shown["http_status"]) == ("delivered", 2, 200)
    assert await find_delivery(site.db, WORKSPACE, shown["id"]) == shown
    numbered = await list_attempts(site.db, WORKSPACE, shown["id"])
    assert [(row["number"], row["response_status"]) for row in numbered] == [(1, 500), (2, 200)]
    assert await list_deliveries(site.db, endpoints, before=shown["id"]) == []
    assert await list_deliveries(site.db, []) == []


async def test_another_workspace_finds_nothing(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site)
    await work(site)
    [row] = await deliveries(site)
    assert await find_delivery(site.db, new_id(), row["id"]) is None
    assert await list_attempts(site.db, new_id(), row["id"]) == []
    with pytest.raises(NotFound):
        async with site.db.transaction() as tx:
            await redeliver(
                tx, site.wakeups, workspace_id=new_id(), delivery_id=row["id"], now=site.clock.now()
            )


async def test_redelivering_sends_the_same_event_again_with_a_fresh_schedule(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url, version="v2")
    event_id = await happen(site)
    receiver.answers = [500] * 11
    for _ in range(11):
        await work(site)
        await wait_until_due(site, clock)
    [row] = await deliveries(site)
    assert row["status"] == "failed"
    async with site.db.transaction() as tx:
        await redeliver(tx, site.wakeups, workspace_id=WORKSPACE, delivery_id=row["id"], now=clock.now())
    receiver.answers = [500]
    await work(site)
    clock.advance(seconds=7)
    await work(site)
    assert len(receiver.received) == 13
    assert {got.body["event_id"] for got in receiver.received} == {event_id}
    assert (await deliveries(site))[0]["status"] == "delivered"


@pytest.mark.parametrize("way", ["ended", "disabled"])
async def test_nothing_is_redelivered_to_an_endpoint_that_does_not_listen(
    site: Site, receiver: Receiver, way: str
) -> None:
    endpoint_id = await listen(site, receiver.url)
    await happen(site)
    await work(site)
    [row] = await deliveries(site)
    async with site.db.transaction() as tx:
        if way == "ended":
            await end_endpoint(tx, WORKSPACE, endpoint_id, site.clock.now())
        else:
            await disable_endpoint(tx, WORKSPACE, endpoint_id, "gone", site.clock.now())
    with pytest.raises(Refused):
        async with site.db.transaction() as tx:
            await redeliver(
                tx, site.wakeups, workspace_id=WORKSPACE, delivery_id=row["id"], now=site.clock.now()
            )


async def test_an_endpoint_that_ends_while_it_is_called_stays_cancelled_and_the_attempt_is_kept(
    site: Site, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, receiver.url)
    await happen(site)
    queue = await fan_out_all(site)
    [lease] = await queue.claim(1)
    receiver.pause = 0.2
    async with Sender(site.settings) as sender:
        attempting = asyncio.create_task(attempt(site, queue, sender, [lease]))
        await receiver.wait_for(1)
        async with site.db.transaction() as tx:
            await end_endpoint(tx, WORKSPACE, endpoint_id, site.clock.now())
        await attempting
    assert [row["status"] for row in await deliveries(site)] == ["cancelled"]
    assert [row["response_status"] for row in await attempts(site)] == [200]


async def test_an_event_that_nobody_listens_to_is_done_with(site: Site, receiver: Receiver) -> None:
    await happen(site, changes=changed("name"))
    await work(site)
    await listen(site, receiver.url)
    await work(site)
    assert await deliveries(site) == []
    assert receiver.received == []
