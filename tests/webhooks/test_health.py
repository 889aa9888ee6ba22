"""A failing endpoint: warnings, then it is disabled; missed deliveries are recorded."""

from datetime import timedelta

import pytest
import structlog

from airside.db.base import Row
from airside.errors import Refused
from airside.runtime.site import Site
from airside.webhooks.deliveries import redeliver_since
from airside.webhooks.endpoints import enable_endpoint
from airside.webhooks.health import LIMIT, NOTICE, judge_failing
from airside.webhooks.tables import webhook_endpoints
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import WORKSPACE, deliveries, happen, listen, work


@pytest.mark.parametrize(
    ("share", "warned", "said"),
    [
        (0.0, 0, ("wait", 0)),
        (0.49, 0, ("wait", 0)),
        (0.5, 0, ("warn", 50)),
        (0.6, 50, ("wait", 0)),
        (0.7, 50, ("warn", 70)),
        (0.9, 70, ("warn", 90)),
        (0.95, 0, ("warn", 90)),
        (0.99, 90, ("wait", 0)),
        (1.0, 70, ("warn", 90)),
    ],
)
def test_warnings_come_at_50_70_and_90_percent(share: float, warned: int, said: tuple[str, int]) -> None:
    clock = FrozenClock()
    verdict = judge_failing(clock.time, clock.time + LIMIT * share, warned, clock.time if warned else None)
    assert (verdict.outcome, verdict.percent) == said


def test_it_is_given_up_after_five_days_and_never_without_notice() -> None:
    since = FrozenClock().time
    at = since + LIMIT
    assert judge_failing(since, at, 90, at - NOTICE).outcome == "disable"
    late = at - NOTICE / 2
    assert judge_failing(since, at, 90, late).outcome == "wait", "it was warned too late to act"
    assert judge_failing(since, at + NOTICE, 90, late).outcome == "disable"


async def endpoint_of(site: Site, endpoint_id: str) -> Row:
    found = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert found is not None
    return found


async def fail_for(site: Site, clock: FrozenClock, receiver: Receiver, hours: int) -> list[int]:
    """An event every hour, each attempt with response 500; returns the warnings' percentages."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(hours):
            receiver.answers = [500] * 1000
            await happen(site)
            await work(site)
            clock.advance(hours=1)
    receiver.answers = []
    return [line["percent"] for line in lines if line["event"] == "webhook_endpoint_failing"]


async def test_what_happens_while_it_is_disabled_is_kept_and_replayed(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, receiver.url, version="v2")
    begun = clock.time
    assert await fail_for(site, clock, receiver, 124) == [50, 70, 90, 100]
    disabled = await endpoint_of(site, endpoint_id)
    assert (disabled["is_active"], disabled["disabled_reason"]) == (False, "failing")
    receiver.received.clear()
    missed = await happen(site)
    await work(site)
    assert receiver.received == []
    assert [row["status"] for row in await deliveries(site) if row["event_id"] == missed] == ["missed"]
    with pytest.raises(Refused):
        await redeliver_since(site, endpoint=disabled, since=begun)
    async with site.db.transaction() as tx:
        await enable_endpoint(tx, WORKSPACE, endpoint_id, clock.now())
    count = await redeliver_since(site, endpoint=disabled, since=begun)
    await work(site)
    rows = await deliveries(site)
    assert count == len(rows) == len(receiver.received)
    assert {row["status"] for row in rows} == {"delivered"}
    assert {got.body["event_id"] for got in receiver.received} == {row["event_id"] for row in rows}


async def test_one_answer_makes_it_well(site: Site, clock: FrozenClock, receiver: Receiver) -> None:
    endpoint_id = await listen(site, receiver.url)
    await fail_for(site, clock, receiver, 70)
    failing = await endpoint_of(site, endpoint_id)
    assert failing["warned_percent"] == 50
    await happen(site)
    await work(site)
    well = await endpoint_of(site, endpoint_id)
    assert (well["first_failure_at"], well["warned_percent"], well["warned_at"]) == (None, 0, None)
    assert clock.time - failing["first_failure_at"] > timedelta(days=2)
