"""Airside's worker under a load of webhooks. Runs in Airside's environment; prints one JSON object.

python airside_webhooks.py latency|throughput|fairness|client|sender JSON

The worker is the one of `airside serve`, in an event loop of its own; events are recorded as every change records
them. `client` sends the same requests with a widespread HTTP client and nothing else, `sender` with Airside's own.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from airside.cli.process import spare_collector, write_logs
from airside.cli.serve import run_loop
from airside.db.base import new_id
from airside.db.migrate import migrate
from airside.db.statements import Statement
from airside.events.outbox import NewEvent, record_event
from airside.events.tables import events
from airside.runtime.site import Site, open_site
from airside.settings import Settings
from airside.webhooks.endpoints import create_endpoint
from airside.webhooks.queue import NewDelivery
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.send import Sender
from airside.webhooks.signing import SECRET, sign_headers
from airside.worker.loop import Worker

ACTOR = {
    "id": new_id(), "first_name": "Ana", "last_name": "Lind", "email": "ana@bench.example",
    "avatar": "", "avatar_url": None, "display_name": "ana",
}  # fmt: skip
PLAIN_SECRET = "plane_wh_" + "5" * 64
BAD = ("slow", "dead", "flapping")
IN_FLIGHT = 200  # as many as a worker of Airside may have under way


@asynccontextmanager
async def opened(options: dict[str, Any]) -> AsyncIterator[Site]:
    settings = Settings(
        data=Path(options["folder"]),
        database_url=options["database_url"],
        secret_key="0" * 64,
        webhook_allowed_hosts=["127.0.0.1"],
        queue_url=options["queue_url"],
        queue_name=f"bench{new_id()[:8]}",
    )
    site = await open_site(settings)
    try:
        yield site
    finally:
        await site.close()


@asynccontextmanager
async def working(site: Site) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(site).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def listen(site: Site, workspace_id: str, url: str) -> str:
    async with site.db.transaction() as tx:
        return await create_endpoint(
            tx,
            workspace_id=workspace_id,
            installation_id=new_id(),
            url=url,
            version="v2",
            secret_sealed=site.sealer.seal(PLAIN_SECRET, SECRET),
            title="Bench",
            by_user_id=ACTOR["id"],
            now=site.clock.now(),
        )


async def happen(site: Site, workspace_id: str) -> str:
    entity_id = new_id()
    work_item = {
        "id": entity_id, "name": "Measure what is promised", "priority": "high", "state": new_id(),
        "description_html": "<p>" + "A line of a description as people write them. " * 10 + "</p>",
        "assignees": [ACTOR["id"]], "labels": [new_id(), new_id()], "start_date": None, "target_date": None,
    }  # fmt: skip
    event = NewEvent(
        workspace_id=workspace_id,
        name="workitem.created",
        entity_id=entity_id,
        actor_id=ACTOR["id"],
        actor=ACTOR,
        at=site.clock.now(),
        data=work_item,
        data_v2=work_item,
    )
    async with site.db.transaction() as tx:
        return await record_event(tx, site.wakeups, event)


async def measure_latency(site: Site, options: dict[str, Any]) -> dict[str, Any]:
    """When each event was committed."""
    workspace_id = new_id()
    await listen(site, workspace_id, f"{options['receiver']}/well")
    async with working(site):
        return {"committed": await happen_steadily(site, workspace_id, options)}


async def happen_steadily(site: Site, workspace_id: str, options: dict[str, Any]) -> dict[str, float]:
    committed: dict[str, float] = {}
    for _ in range(options["warm"]):
        await happen(site, workspace_id)
        await asyncio.sleep(options["pause"])
    for _ in range(options["events"]):
        event_id = await happen(site, workspace_id)
        committed[event_id] = time.monotonic()
        await asyncio.sleep(options["pause"])
    await wait_for_count(options["receiver"], len(committed) + options["warm"])
    return committed


async def measure_throughput(site: Site, options: dict[str, Any]) -> dict[str, Any]:
    """Everything has happened before the worker starts: fanning out and delivering, as fast as it can."""
    workspace_id = new_id()
    for number in range(options["endpoints"]):
        await listen(site, workspace_id, f"{options['receiver']}/well/{number}")
    await asyncio.gather(*(happen(site, workspace_id) for _ in range(options["events"])))
    started, busy = time.monotonic(), time.process_time()
    async with working(site):
        last = await wait_for_count(options["receiver"], options["events"] * options["endpoints"])
        cpu = time.process_time() - busy
    return {"seconds": last - started, "cpu_seconds": cpu}


async def measure_fairness(site: Site, options: dict[str, Any]) -> dict[str, Any]:
    """The same steady events alone, and then with all the bad endpoints' backlog beside."""
    workspace_id = new_id()
    await listen(site, workspace_id, f"{options['receiver']}/well")
    async with working(site):
        alone = await happen_steadily(site, workspace_id, options)
        seen = await ask(options["receiver"], "/seen")
        await make_backlog(site, options)
        beside = await happen_steadily(site, workspace_id, options)
    return {
        "alone": latencies(alone, seen),
        "beside": latencies(beside, await ask(options["receiver"], "/seen")),
    }


def latencies(committed: dict[str, float], seen: dict[str, Any]) -> list[float]:
    return [seen["times"][event_id] - at for event_id, at in committed.items()]


async def make_backlog(site: Site, options: dict[str, Any]) -> None:
    """So many deliveries for each bad endpoint, all due: parts of one event, which costs no more than they do."""
    workspace_id = new_id()
    event_id = await happen(site, workspace_id)
    while await site.db.fetch_value(_UNFANNED):
        await asyncio.sleep(0.05)
    queue = DatabaseQueue(site)
    for word in BAD:
        endpoint_id = await listen(site, workspace_id, f"{options['receiver']}/{word}")
        parts = iter(range(options["backlog"]))
        while batch := [
            NewDelivery(workspace_id, endpoint_id, event_id, "workitem.created", "v2", part)
            for part in islice(parts, 500)
        ]:
            async with site.db.transaction() as tx:
                await queue.enqueue(tx, batch, site.clock.now())


async def measure_client(_: Site, options: dict[str, Any]) -> dict[str, Any]:
    """aiohttp alone: a body of the same size, signed once, as much at a time; answers are read."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post(url: str, headers: dict[str, str], body: bytes) -> None:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()

        return await post_all(post, options)


async def measure_sender(site: Site, options: dict[str, Any]) -> dict[str, Any]:
    """The same with what Airside posts with."""
    async with Sender(site.settings) as sender:
        return await post_all(sender.post, options)


async def post_all(post: Callable[..., Awaitable[Any]], options: dict[str, Any]) -> dict[str, Any]:
    body = b"x" * options["body_bytes"]
    headers = sign_headers(body, [PLAIN_SECRET], event_id=new_id(), part=0, at=datetime.now(UTC))
    left = iter(range(options["posts"]))

    async def post_some() -> None:
        for _ in left:
            await post(f"{options['receiver']}/well", headers, body)

    started, busy = time.monotonic(), time.process_time()
    await asyncio.gather(*(post_some() for _ in range(IN_FLIGHT)))
    return {"seconds": time.monotonic() - started, "cpu_seconds": time.process_time() - busy}


async def wait_for_count(receiver: str, count: int) -> float:
    """When the last of so many came."""
    while (told := await ask(receiver, "/count"))["count"] < count:
        await asyncio.sleep(0.05)
    return told["last"]


async def ask(receiver: str, path: str) -> dict[str, Any]:
    async with aiohttp.request("GET", f"{receiver}{path}") as answer:
        return json.loads(await answer.read())


_UNFANNED = Statement(sa.select(sa.func.count()).select_from(events).where(events.c.fanned_out_at.is_(None)))
MODES = {
    "latency": measure_latency,
    "throughput": measure_throughput,
    "fairness": measure_fairness,
    "client": measure_client,
    "sender": measure_sender,
}


async def main() -> None:
    write_logs()  # as the worker does: one line for each attempt
    options = json.loads(sys.argv[2])
    await migrate(options["database_url"])
    async with opened(options) as site:
        spare_collector()
        print(json.dumps(await MODES[sys.argv[1]](site, options)))


if __name__ == "__main__":
    run_loop(main())
