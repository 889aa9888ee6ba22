"""AV1: the worker shares the event loop with requests, and none of its steps takes long for what was written."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from airside.db.base import new_id
from airside.events.outbox import Change
from airside.runtime.site import Site
from airside.webhooks.deliver import FORM
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.send import Sender
from airside.webhooks.tables import webhook_endpoints
from tests.security.test_event_loop_steps import spared_collector
from tests.support.steps import Steps, limit, measured_steps
from tests.webhooks.scenes import WORKSPACE, attempt, deliveries, happen, listen

URL = "http://127.0.0.1:1/"  # nobody is there
LONG = 5 * 1024 * 1024  # the longest description, with its escapes
FITS = 900_000  # what is sent as it is
TRIES = 3  # the best counts: a processor that is shared is slower for a moment
FILTER = "priority = 'high' and (" + " or ".join(f"label = '{new_id()}'" for _ in range(40)) + ")"


@pytest.fixture
def steps() -> Iterator[Steps]:
    with measured_steps() as steps, spared_collector():
        yield steps


async def measure(steps: Steps, work: Awaitable[Any]) -> tuple[float, str]:
    async def in_a_task() -> None:
        await work

    steps.take_worst()
    await asyncio.create_task(in_a_task())
    return steps.take_worst()


async def write(site: Site, text: str, count: int = 1) -> None:
    """Work items are given this description, which was another one as long."""
    for _ in range(count):
        entity_id = new_id()
        now = {"id": entity_id, "name": "Long", "description_html": text, "priority": "high"}
        earlier = text.replace("x", "y")
        await happen(
            site,
            "workitem.updated",
            entity_id=entity_id,
            data=now | {"state": None},
            data_v2=now | {"label_ids": [new_id() for _ in range(100)]},
            previous={"description_html": earlier},
            changes=[Change("description_html", earlier, text)],
        )


@pytest.mark.parametrize("text", ["x" * LONG, "x" * FITS, "x\x01" * (FITS // 8), "é<" * (FITS // 3)])
async def test_av1_no_step_of_the_worker_is_long_for_a_long_record(
    site: Site, steps: Steps, text: str
) -> None:
    for kind in ({"version": "v1"}, {"version": "v2"}, {"version": "v2", "filter_pql": FILTER}):
        for content_type in ("application/json", FORM):
            endpoint_id = await listen(site, URL, **kind)
            async with site.db.transaction() as tx:
                keys = {"workspace_id": WORKSPACE, "id": endpoint_id}
                await tx.update(webhook_endpoints, {"content_type": content_type}, **keys)
    queue, best = DatabaseQueue(site), {"fan out": (1.0, ""), "deliver": (1.0, "")}
    async with Sender(site.settings) as sender:
        for _ in range(TRIES):
            await write(site, text)
            best["fan out"] = min(best["fan out"], await measure(steps, fan_out(site, queue)))
            leases = await queue.claim(100)
            best["deliver"] = min(best["deliver"], await measure(steps, attempt(site, queue, sender, leases)))
            if max(best.values())[0] <= limit():
                break
    assert len(await deliveries(site)) >= 4, "the filter leaves out the others"
    assert max(best.values())[0] <= limit(), best


async def test_av1_no_step_of_the_worker_is_long_for_many_events_with_many_receivers(
    site: Site, steps: Steps
) -> None:
    for _ in range(30):
        await listen(site, URL, version="v2")
        await listen(site, URL, version="v2", filter_pql=FILTER)
    queue, best = DatabaseQueue(site), (1.0, "")
    for _ in range(TRIES):
        await write(site, "x", 100)
        best = min(best, await measure(steps, fan_out(site, queue)))
        if best[0] <= limit():
            break
    assert best[0] <= limit(), best
