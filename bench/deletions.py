"""How long the deletion of a record with many children holds up others: `make bench-deletions`. See README.md.

The children are copied straight into the tables. Then the parent is deleted, and the worker's batches that follow
run to their end, while a second client goes on changing a label of another project.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from airside.rest.followups import followups
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from airside.work.followups import finish_followups
from airside.work.planning.tables import cycle_work_items
from airside.work.work_items.tables import work_items
from bench.record_rows import Filling
from bench.records import CACHE, database
from tests.contract.world import World, make_world, unique

SIZES = 10_000, 100_000
PAUSE = 0.005  # seconds between two changes of the second client, and two looks at the loop


@dataclass
class Held:
    """Seconds."""

    deletion: float = 0.0
    batches: list[float] = field(default_factory=list[float])
    beside: list[float] = field(default_factory=list[float])  # each change of the second client
    stalls: list[float] = field(default_factory=list[float])  # by which the loop was late


async def run(kind: str, parent: str, number: int) -> Held:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="deletions-") as name:
        folder = Path(name)
        async with database(kind, folder) as db:
            settings = Settings(
                data=folder, database_url=db.url, secret_key="0" * 64, api_rate_limit="100000000/minute"
            )
            site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())
            async with make_world(site) as world:
                path = await PARENTS[parent](world, number)
                return await measure(world, path)


async def make_item(world: World, number: int) -> str:
    """A work item with so many sub-items; its path."""
    items = f"projects/{await world.known_id('project_id')}/work-items"
    top = await world.post(items, {"name": unique("Top")})
    child = await world.post(items, {"name": unique("Below"), "parent": top["id"]})
    await copy(world, number, {"work_items": child["id"]})
    return f"{items}/{top['id']}"


async def make_cycle(world: World, number: int) -> str:
    """A cycle with so many work items; its path."""
    project, cycle = await world.known_id("project_id"), await world.make("cycle_id")
    item, path = await world.make("work_item_id"), f"projects/{project}/cycles/{cycle}"
    await world.post(f"{path}/cycle-issues", {"issues": [item]})
    [link] = await world.site.db.find_all(cycle_work_items, issue_id=item)
    await copy(world, number, {"cycle_work_items": link["id"]})
    return path


PARENTS = {"work item": make_item, "cycle": make_cycle}


async def copy(world: World, number: int, samples: dict[str, str]) -> None:
    """So many copies of the rows with these ids, by table."""
    filling = Filling(world.site.db, world.cast.acme["id"], number)
    for table in (work_items, cycle_work_items):
        if table.name in samples:
            [row] = await world.site.db.find_all(table, id=samples[table.name])
            await filling.add_copies(table, row)
    await filling.store()


async def measure(world: World, path: str) -> Held:
    held, done = Held(), asyncio.Event()
    beside = await world.post(
        "projects", {"name": unique("Beside"), "identifier": unique("B").replace(" ", "")}
    )
    label = await world.post(f"projects/{beside['id']}/labels", {"name": unique("Label")})
    others = [
        asyncio.create_task(change(world, f"projects/{beside['id']}/labels/{label['id']}", held, done)),
        asyncio.create_task(watch_loop(held, done)),
    ]
    begun = time.perf_counter()
    answer = await world.admin.delete(f"workspaces/{world.slug}/{path}")
    held.deletion = time.perf_counter() - begun
    assert answer.status_code == 204, answer.text
    left = True
    while left:
        begun = time.perf_counter()
        left = await finish_followups(world.site)
        held.batches.append(time.perf_counter() - begun)
    done.set()
    await asyncio.gather(*others)
    assert not await world.site.db.find_all(followups)
    return held


async def change(world: World, path: str, held: Held, done: asyncio.Event) -> None:
    while not done.is_set():
        body = {"color": f"#{len(held.beside) % 1000:06}"}
        begun = time.perf_counter()
        answer = await world.admin.patch(f"workspaces/{world.slug}/{path}", body)
        held.beside.append(time.perf_counter() - begun)
        assert answer.status_code == 200, answer.text
        await asyncio.sleep(PAUSE)


async def watch_loop(held: Held, done: asyncio.Event) -> None:
    while not done.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(PAUSE)
        held.stalls.append(time.perf_counter() - begun - PAUSE)


def as_line(kind: str, parent: str, number: int, held: Held) -> str:
    columns = [
        f"{held.deletion * 1e3:>8.0f}",
        f"{sum(held.batches):>8.1f}",
        *(as_milliseconds(values) for values in (held.batches, held.beside, held.stalls)),
    ]
    return f"{kind:<10}{parent:<12}{number:>8,}" + "".join(columns)


def as_milliseconds(values: Sequence[float]) -> str:
    """Median and maximum."""
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2] * 1e3:>10.1f} /{ordered[-1] * 1e3:>7.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="one of them; else both")
    parser.add_argument("--parent", choices=[*PARENTS], help="one of them; else all")
    parser.add_argument("--children", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    print("database  parent      children  delete   all s" + "    a batch    a change beside   the loop late")
    for kind in [options.database] if options.database else ["sqlite", "postgres"]:
        for parent in [options.parent] if options.parent else PARENTS:
            for number in options.children:
                print(as_line(kind, parent, number, asyncio.run(run(kind, parent, number))), flush=True)


if __name__ == "__main__":
    main()
