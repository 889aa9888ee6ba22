"""End to end with a running worker: woken by a commit, stopped without losing anything."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from airside.db.database import Database
from airside.live.wakeups import Wakeups
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from airside.worker import jobs, loop
from airside.worker.jobs import Purge
from airside.worker.loop import STOP_SECONDS, Worker
from tests.support.receivers import Receiver, open_receiver
from tests.webhooks.scenes import PLAIN_SECRET, attempts, deliveries, happen, listen


@pytest.fixture
def site(db: Database, tmp_path: Path) -> Site:
    settings = Settings(
        data=tmp_path, database_url=db.url, secret_key="0" * 64, webhook_allowed_hosts=["127.0.0.1"]
    )
    return Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@asynccontextmanager
async def running(site: Site, *purges: Purge) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(site, purges=purges).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def settled(site: Site, count: int, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while sum(row["status"] == "delivered" for row in await deliveries(site)) < count:
            await asyncio.sleep(0.01)


async def test_a_commit_wakes_the_worker_so_that_nobody_waits_for_the_poll(
    site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listen(site, receiver.url)
    took: list[float] = []
    async with running(site):
        for number in range(20):
            await happen(site)
            committed = time.perf_counter()
            await receiver.wait_for(number + 1)
            took.append(time.perf_counter() - committed)
            await asyncio.sleep(0.01)
    assert statistics.median(took) < 0.1, "the poll comes every 0.5 s"


async def test_what_another_process_wrote_is_found_by_polling(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    async with running(site):
        await asyncio.sleep(0.1)
        await happen(replace(site, wakeups=Wakeups()))
        await receiver.wait_for(1, seconds=3)


async def test_a_hundred_events_for_three_listeners_all_arrive(site: Site, receiver: Receiver) -> None:
    for number in range(3):
        await listen(site, f"{receiver.url}/{number}")
    async with running(site):
        await asyncio.gather(*(happen(site) for _ in range(100)))
        await receiver.wait_for(300, seconds=20)
        await settled(site, 300)
    assert len({(got.path, got.body["data"]["id"]) for got in receiver.received}) == 300


async def test_stopping_waits_for_what_is_under_way(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    receiver.pause = 0.4
    async with running(site):
        await happen(site)
        await receiver.wait_for(1)
    assert [row["status"] for row in await deliveries(site)] == ["delivered"]


async def test_stopping_gives_back_what_takes_too_long_within_two_seconds(
    site: Site, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    receiver.pause = 30
    async with running(site):
        await happen(site)
        await receiver.wait_for(1)
        started = time.perf_counter()
    assert time.perf_counter() - started < 2.5
    [row] = await deliveries(site)
    assert (row["status"], row["leased_until"], row["attempts"]) == ("pending", None, 0)
    receiver.pause = 0
    async with running(site):
        await receiver.wait_for(2)
        await settled(site, 1)


async def test_an_idle_worker_stops_at_once(site: Site) -> None:
    async with running(site):
        await asyncio.sleep(0.05)
        started = time.perf_counter()
    assert time.perf_counter() - started < STOP_SECONDS / 3, "what it waits for a job that doesn't end"


async def test_each_attempt_writes_one_line_that_says_what_comes_next(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url + "?token=of-the-receiver")
    receiver.answers = [503]
    with structlog.testing.capture_logs() as lines:
        async with running(site):
            await happen(site)
            await receiver.wait_for(1)
            while not await attempts(site):
                await asyncio.sleep(0.01)
    [line] = [line for line in lines if line["event"] == "webhook_attempt"]
    assert (line["status"], line["attempt"], line["decision"]) == (503, 1, "retry")
    assert line["retry_at"]
    assert PLAIN_SECRET not in repr(lines)
    assert "of-the-receiver" not in repr(lines)


async def test_a_job_that_breaks_is_tried_again(
    site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 0.01)
    real, broken = jobs.fan_out, iter([OSError("the database is away"), ValueError("a fault")])

    async def break_twice(*args: object) -> bool:
        for error in broken:
            raise error
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "fan_out", break_twice)
    await listen(site, receiver.url)
    await happen(site)
    with structlog.testing.capture_logs() as lines:
        async with running(site):
            await receiver.wait_for(1)
    assert [line["event"] for line in lines].count("job_broke") == 2


async def test_a_delivery_whose_secret_cannot_be_unsealed_harms_no_other(
    site: Site, receiver: Receiver
) -> None:
    other_key = Sealer("1" * 64)
    await listen(replace(site, sealer=other_key), receiver.url + "/sealed")
    await listen(site, receiver.url + "/well")
    with structlog.testing.capture_logs() as lines:
        async with running(site):
            await happen(site)
            await settled(site, 1)
    assert [got.path for got in receiver.received] == ["/hook/well"]
    assert sorted(line["decision"] for line in lines if line["event"] == "webhook_attempt") == [
        "delivered",
        "retry",
    ]
    assert "webhook_attempt_broke" not in [line["event"] for line in lines]


async def test_what_it_was_given_to_purge_is_purged(site: Site) -> None:
    purged = asyncio.Event()

    async def purge(given: Site) -> int:
        assert given is site
        purged.set()
        return 0

    async with running(site, purge), asyncio.timeout(5):
        await purged.wait()
