"""NATS JetStream as queue: the database is the source of truth, and the stream may be lost at any time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import nats
import pytest
import structlog
from pydantic import ValidationError

from airside.db.away import DatabaseAway
from airside.db.base import new_id
from airside.db.database import Database
from airside.db.open import open_database
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from airside.webhooks import retry
from airside.webhooks.deliveries import redeliver
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue import DELIVER, Lease, jetstream
from airside.webhooks.queue.database import ENDPOINT_WINDOW, LEASE, DatabaseQueue
from airside.webhooks.queue.jetstream import JetStreamQueue
from airside.worker.loop import Worker
from tests.support.nats import NatsServer, running_nats
from tests.support.receivers import Receiver
from tests.webhooks.scenes import WORKSPACE, deliveries, happen, listen


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[NatsServer]:
    with running_nats(tmp_path) as server:
        yield server


@pytest.fixture
def site(db: Database, broker: NatsServer, tmp_path: Path) -> Site:
    settings = Settings(
        data=tmp_path,
        database_url=db.url,
        secret_key="0" * 64,
        webhook_allowed_hosts=["127.0.0.1"],
        queue_url=broker.url,
        queue_name="acme",
    )
    return Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())


@asynccontextmanager
async def working(site: Site) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(site).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """A long timeout: each request to NATS may time out several times on a busy machine."""
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(0.02)


async def all_delivered(site: Site, count: int) -> None:
    async def are_delivered() -> bool:
        return sum(row["status"] == "delivered" for row in await deliveries(site)) == count

    await until(are_delivered)


async def has_messages(broker: NatsServer, count: int, seconds: float = 10) -> None:
    """Wait until the stream holds so many messages."""
    client = await nats.connect(broker.url)
    try:

        async def holds() -> bool:
            return (await client.jetstream().stream_info("acme")).state.messages == count

        await until(holds, seconds)
    finally:
        await client.close()


async def counted(broker: NatsServer) -> tuple[int, int]:
    """How many messages the stream ever stored, and how often it delivered one."""
    client = await nats.connect(broker.url)
    try:
        js = client.jetstream()
        taken = (await js.stream_info("acme")).state.last_seq
        delivered = (await js.consumer_info("acme", jetstream.CONSUMER)).delivered
        assert delivered is not None
        return taken, delivered.consumer_seq
    finally:
        await client.close()


async def connected(queue: JetStreamQueue) -> None:
    async def is_there() -> bool:
        return queue._nats is not None

    await until(is_there)


async def test_two_workers_deliver_everything_once_and_leave_the_stream_empty(
    site: Site, broker: NatsServer, receiver: Receiver
) -> None:
    for number in range(4):
        await listen(site, f"{receiver.url}/{number}")
    other_db = await open_database(site.db.url)
    other = Site(settings=site.settings, db=other_db, sealer=site.sealer, clock=site.clock)
    try:
        async with working(site), working(other):
            await asyncio.gather(*(happen(site) for _ in range(60)))
            await all_delivered(site, 240)
            await has_messages(broker, 0)
    finally:
        await other_db.close()
    assert len(receiver.received) == 240
    assert len({(got.path, got.body["data"]["id"]) for got in receiver.received}) == 240


async def test_what_fails_is_handed_out_again_when_its_retry_is_due(
    site: Site, broker: NatsServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "SCHEDULE", (timedelta(seconds=0.5), *retry.SCHEDULE))
    monkeypatch.setattr(JetStreamQueue, "reconcile", DatabaseQueue.reconcile)
    monkeypatch.setattr(jetstream, "SCAN_SECONDS", 0.0)
    await listen(site, receiver.url)
    receiver.answers = [500]
    async with working(site):
        await has_connection(broker)
        await happen(site)
        await all_delivered(site, 1)
        await has_messages(broker, 0)
        published, handed_out = await counted(broker)
    assert len(receiver.received) == 2
    assert (published, handed_out > 1) == (1, True), "the stream kept the message until it was due"


async def test_an_endpoint_never_has_more_than_its_window_under_way(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    receiver.pause = 0.01
    for _ in range(60):
        await happen(site)
    async with working(site):
        await all_delivered(site, 60)
    assert receiver.most_at_once <= ENDPOINT_WINDOW
    assert len(receiver.received) == 60


async def test_a_lost_stream_is_filled_again_from_the_database(
    site: Site, broker: NatsServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream, "OVERDUE", timedelta(0))
    monkeypatch.setattr(jetstream, "SCAN_SECONDS", 0.0)
    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        for _ in range(5):
            await happen(site)
        await fan_out(site, queue)
        await until_filled(queue, 5)
        with structlog.testing.capture_logs() as lines:
            broker.lose()
            await until_away(queue)
            broker.start()
            await connected(queue)
        assert [line["event"] for line in lines] == ["queue_away", "queue_back"]
        await until_filled(queue, 5)
        assert len(await queue.claim(10)) == 5


async def until_filled(queue: JetStreamQueue, count: int) -> None:
    """Reconcile repeatedly, as a worker does: on a busy machine NATS may respond after the queue's timeout, and the
    unpublished deliveries are then dropped with the connection."""
    async with asyncio.timeout(60):
        while len(queue._arrived) != count:
            await queue.reconcile()
            await asyncio.sleep(0.1)


async def until_arrived(queue: JetStreamQueue, count: int) -> None:
    async def have_arrived() -> bool:
        return len(queue._arrived) == count

    await until(have_arrived)


async def until_away(queue: JetStreamQueue) -> None:
    async def is_away() -> bool:
        return queue._nats is None

    await until(is_away)


async def test_a_message_is_published_once_however_many_workers_find_it_overdue(
    site: Site, broker: NatsServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream, "OVERDUE", timedelta(0))
    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await happen(site)
        await fan_out(site, queue)
        for _ in range(3):
            await queue.reconcile()
        await until_arrived(queue, 1)
        await asyncio.sleep(0.2)
        assert len(queue._arrived) == 1


async def test_without_nats_the_database_delivers_until_it_is_there(
    site: Site, broker: NatsServer, receiver: Receiver
) -> None:
    broker.kill()
    await listen(site, receiver.url)
    with structlog.testing.capture_logs() as lines:
        async with working(site):
            await happen(site)
            await all_delivered(site, 1)

            async def is_sent() -> bool:
                return any(line["event"] == "queue_away" for line in lines)

            await until(is_sent)
            broker.start()
            await has_connection(broker)
            await happen(site)
            await all_delivered(site, 2)
    logged = [line["event"] for line in lines if line["event"].startswith("queue_")]
    assert logged == ["queue_away", "queue_back"], "one line each, however often it tries"


async def has_connection(broker: NatsServer) -> None:
    """Wait until a worker has made its stream."""
    async with asyncio.timeout(10):
        while True:
            try:
                await has_messages(broker, 0, 1)
                return
            except nats.js.errors.NotFoundError:
                await asyncio.sleep(0.05)


async def test_what_another_process_redelivers_is_found(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    async with working(site):
        await happen(site)
        await all_delivered(site, 1)
        [row] = await deliveries(site)
        async with site.db.transaction() as tx:
            await redeliver(
                tx, site.wakeups, workspace_id=WORKSPACE, delivery_id=row["id"], now=site.clock.now()
            )
        await receiver.wait_for(2)


async def test_a_released_delivery_is_handed_out_again_at_once(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await happen(site)
        await fan_out(site, queue)
        await until_arrived(queue, 1)
        await queue.release(await queue.claim(1))
        await until_arrived(queue, 1)
        assert len(await queue.claim(1)) == 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "nats://one:4222,two:4222"])
def test_a_queue_that_is_none_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValidationError, match="nats://"):
        Settings(queue_url=url)


async def test_messages_that_an_ending_worker_had_not_started_go_to_another_at_once(
    site: Site, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await happen(site)
        await fan_out(site, queue)
        await until_arrived(queue, 1)
    async with JetStreamQueue(site) as another:
        await connected(another)
        async with asyncio.timeout(LEASE.total_seconds() / 2):
            await until_arrived(another, 1)


async def test_messages_of_a_failed_claim_are_claimed_again(
    site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise DatabaseAway("no connection")

    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await happen(site)
        await fan_out(site, queue)
        await until_arrived(queue, 1)
        with monkeypatch.context() as patch:
            patch.setattr(queue._database, "claim_these", fail)
            with pytest.raises(DatabaseAway):
                await queue.claim(1)
        assert len(await queue.claim(1)) == 1


async def test_the_end_of_a_pull_request_is_no_delivery(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream, "PULL_SECONDS", 0.2)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await asyncio.sleep(1)
        assert (len(queue._arrived), queue._nats is None) == (0, False)


async def test_a_retry_that_no_message_stands_for_is_published_unless_it_is_far_off(site: Site) -> None:
    queue, now = JetStreamQueue(site), site.clock.now()  # not connected: it wakes the workers instead
    lease = Lease(WORKSPACE, new_id(), now, new_id())
    for wait, is_published in ((None, False), (timedelta(minutes=11), False), (timedelta(minutes=9), True)):
        site.wakeups._event(DELIVER).clear()
        queue._acknowledge(lease, now, None if wait is None else now + wait)
        assert site.wakeups._event(DELIVER).is_set() == is_published, wait


async def test_a_message_wakes_the_worker_that_asked_for_it(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    async with JetStreamQueue(site) as queue:
        await connected(queue)
        await happen(site)
        await fan_out(site, queue)
        site.wakeups._event(DELIVER).clear()
        await until_arrived(queue, 1)
        assert site.wakeups._event(DELIVER).is_set()
