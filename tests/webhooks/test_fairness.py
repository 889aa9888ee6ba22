"""A dead, slow or flapping endpoint with a long backlog doesn't delay the others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from airside.db.base import new_id
from airside.db.database import Database
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from airside.webhooks import deliver
from airside.webhooks.fanout import fan_out
from airside.webhooks.pace import BURST, FIRST_RATE, FORGET_SECONDS, LOWEST_RATE, Pace
from airside.webhooks.queue import NewDelivery, Restraint
from airside.webhooks.queue.database import ENDPOINT_WINDOW, DatabaseQueue
from airside.webhooks.send import TOTAL_SECONDS
from airside.worker.loop import Worker
from tests.support.nats import running_nats
from tests.support.receivers import Receiver, open_receiver
from tests.webhooks.scenes import WORKSPACE, deliveries, happen, listen

ONE = "endpoint"


def serve(pace: Pace, seconds: float, *, is_success: bool, step: float = 0.1, start: float = 0.0) -> int:
    """How many attempts an endpoint gets that responds at once and has an endless backlog."""
    count = 0
    for number in range(round(seconds / step)):
        now = start + number * step
        restraint = pace.restrain(now)
        if ONE in restraint.resting:
            continue
        claimed = [ONE] * (1 if ONE in restraint.single else ENDPOINT_WINDOW)
        pace.record_claims(claimed, now)
        for _ in claimed:
            pace.record_outcome(ONE, is_success=is_success, begun=now, now=now + step / 2)
        count += len(claimed)
    return count


def test_a_burst_is_never_held_back() -> None:
    pace = Pace()
    pace.record_claims([ONE] * (round(BURST) - 1), 0.0)
    assert pace.restrain(0.0) == Restraint()
    pace.record_claims([ONE], 0.0)
    assert pace.restrain(0.0) == Restraint(resting=[ONE])
    assert pace.restrain(2 / FIRST_RATE) == Restraint()


def test_an_idle_endpoint_saves_up_no_more_than_a_burst() -> None:
    pace = Pace()
    pace.record_claims([ONE], 0.0)
    pace.record_claims([ONE] * round(BURST), 100.0)
    assert pace.restrain(100.0) == Restraint(resting=[ONE])


def test_one_that_is_down_is_asked_now_and_then_and_one_at_a_time() -> None:
    pace = Pace()
    serve(pace, 20, is_success=False)
    assert serve(pace, 100, is_success=False, start=20) == pytest.approx(100 * LOWEST_RATE, abs=3)
    pace.record_claims([ONE], 200.0)
    assert ONE in {*pace.restrain(200.0).resting, *pace.restrain(210.0).single}


def test_one_that_is_well_again_is_soon_not_held_back_at_all() -> None:
    pace = Pace()
    serve(pace, 30, is_success=False)
    assert serve(pace, 5, is_success=True, start=30) < 100
    serve(pace, 15, is_success=True, start=35)
    assert serve(pace, 10, is_success=True, start=50) == 100 * ENDPOINT_WINDOW


def test_one_that_comes_and_goes_never_gets_far() -> None:
    pace, served = Pace(), 0
    for number in range(30):
        served += serve(pace, 2, is_success=number % 2 == 0, start=number * 2.0)
    assert served < 60 * 10


def test_what_fails_together_counts_once() -> None:
    pace = Pace()
    pace.record_claims([ONE] * 10, 0.0)
    for _ in range(10):
        pace.record_outcome(ONE, is_success=False, begun=0.0, now=1.0)
    pace.record_claims([ONE], 1.0)
    assert pace.restrain(1.0 + 1.5 / (FIRST_RATE / 2)) == Restraint(), "its rate was halved, not ended"


def test_who_is_silent_for_long_is_forgotten() -> None:
    pace = Pace()
    serve(pace, 30, is_success=False)
    pace.record_claims(["another"], 31 + 2 * FORGET_SECONDS)
    assert pace.restrain(31 + 2 * FORGET_SECONDS) == Restraint()
    pace.record_outcome(ONE, is_success=False, begun=0.0, now=32 + 2 * FORGET_SECONDS)


async def test_a_claim_passes_over_who_rests_and_takes_one_of_who_may_have_one(site: Site) -> None:
    ids = [await listen(site, f"http://127.0.0.1:1/{name}") for name in ("resting", "single", "free")]
    for _ in range(5):
        await happen(site)
    queue = DatabaseQueue(site)
    await fan_out(site, queue)
    restraint = Restraint(resting=ids[:1], single=ids[1:2])
    leases = await queue.claim(100, restraint)
    assert sorted(lease.endpoint_id for lease in leases) == sorted([ids[1], *[ids[2]] * 5])
    assert await queue.claim(100, restraint) == [], "the one that it may have is under way"
    assert len(await queue.claim(100)) == 9


def make_site(db: Database, folder: Path, queue_url: str = "") -> Site:
    settings = Settings(
        data=folder,
        database_url=db.url,
        secret_key="0" * 64,
        webhook_allowed_hosts=["127.0.0.1"],
        queue_url=queue_url,
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
        await asyncio.wait_for(task, 20)


class Troubled(Receiver):
    """By path: never responds, fails, or fails and succeeds in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, int] = {"dead": 0, "failing": 0, "flapping": 0}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rsplit("/", 1)[-1]
        self.asked[name] += 1
        if name == "dead":
            await asyncio.sleep(60)
        is_success = name == "flapping" and self.asked[name] // 5 % 2 == 0
        return web.Response(status=200 if is_success else 503)


async def pile_up(site: Site, url: str, count: int) -> None:
    """So many deliveries for an endpoint of another workspace, all due: parts of one event."""
    workspace_id = new_id()
    endpoint_id = await listen(site, url, workspace_id=workspace_id)
    event_id = await happen(site, workspace_id=workspace_id, is_private=True)
    async with site.db.transaction() as tx:
        await DatabaseQueue(site).enqueue(
            tx,
            [NewDelivery(workspace_id, endpoint_id, event_id, "issue", "v1", part) for part in range(count)],
            site.clock.now(),
        )


@pytest.mark.parametrize("engine", ["database", "jetstream"])
async def test_a_healthy_endpoint_is_served_beside_dead_failing_and_flapping_ones(
    db: Database, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bench/webhooks.py measures what it costs the healthy one; here the others' share is bounded, by the second,
    since a loaded machine takes longer."""
    monkeypatch.setattr(deliver, "SLOTS", 25)  # the dead one alone would fill them soon
    monkeypatch.setattr(deliver, "SLOW_SECONDS", 0.1)
    async with AsyncExitStack() as opened:
        queue_url = opened.enter_context(running_nats(tmp_path)).url if engine == "jetstream" else ""
        site = make_site(db, tmp_path, queue_url)
        troubled = Troubled()
        await opened.enter_async_context(open_receiver(troubled))
        healthy = await opened.enter_async_context(open_receiver())
        for number in range(3):
            await pile_up(site, f"{troubled.url}/{number}/dead", 100)
        for name in ("failing", "flapping"):
            await pile_up(site, f"{troubled.url}/{name}", 500)
        await listen(site, healthy.url)
        begun = time.monotonic()
        async with working(site):
            for number in range(25):
                await happen(site)
                await healthy.wait_for(number + 1, 30)
        seconds = time.monotonic() - begun
    assert troubled.asked["failing"] < 80 + 2 * LOWEST_RATE * seconds
    assert troubled.asked["flapping"] < 150 + 10 * seconds
    assert troubled.asked["dead"] <= 3 * ENDPOINT_WINDOW * (2 + seconds / TOTAL_SECONDS)
    own = [row for row in await deliveries(site) if row["workspace_id"] == WORKSPACE]
    assert [row["status"] for row in own] == ["delivered"] * 25
