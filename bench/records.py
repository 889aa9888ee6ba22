"""Whether reads and writes of every record cost the same in a large workspace: `make bench-records`. See README.md.

Two workspaces with one record of everything, and the copies of it: in one a thousand, in the other a hundred
thousand. Every operation of API v1 that reads, creates or updates is asked in both, in turns, straight into the
application; the ratio of the medians is what counts.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from airside.rest.route import Route
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from bench.record_rows import Filling
from tests.contract.world import MAKERS, QUERIES, ROUTES, World, make_world
from tests.support.calling import Called, call
from tests.support.databases import create_postgres, drop_postgres, fresh_database, opened

CACHE = Path(__file__).parent / ".bench"
SMALL, LARGE = 1_000, 100_000
WARM, COUNTED = 2, 15
PATIENCE = 2_000.0  # milliseconds; an operation that takes longer is asked once
BOUND = 2.0  # times the small workspace's median

# Operations that are no read or write of one record.
LEFT_OUT = {
    "follow_listener": "goes on until the client leaves",
    "transfer_cycle_work_items": "moves everything",
    **dict.fromkeys(("test_webhook", "test_application"), "waits for a receiver"),
}

_ALL = "answers all of them, in one array"
_SIZE = "the size of a workspace is work of its own"

# Operations whose cost grows with what they answer or sum up; the table names the reason.
GROWING = {
    "list_workspace_members": _ALL,
    "list_project_members": _ALL,
    "total_worklogs": "answers a sum for each work item that has worklogs, in one array",
    "list_custom_relations": "answers the names of both sides of every definition of the workspace",
    "list_attachments": "answers up to 10,000 of them, in one array",
    "search_work_items": _SIZE,
    "search_work_items_advanced": _SIZE,
    "count_work_items": _SIZE,
}


@dataclass(frozen=True)
class Timed:
    route: Route
    small: float  # milliseconds
    large: float
    slowest: float  # of the large workspace
    problem: str = ""

    @property
    def ratio(self) -> float:
        return self.large / self.small if self.small else 0.0

    @property
    def is_over(self) -> bool:
        return self.ratio > BOUND and self.route.name not in GROWING


def measured_routes() -> list[Route]:
    """What reads, creates or updates a record."""
    writes = ("POST", "PATCH", "PUT")
    return [
        route
        for route in ROUTES
        if route.name not in LEFT_OUT
        and "{workspace_slug}" in route.path
        and not route.name.startswith("remove_")
        and (route.method == "GET" or (route.method in writes and route.body is not None))
    ]


@asynccontextmanager
async def filled_world(kind: str, folder: Path, number: int) -> AsyncIterator[World]:
    """A workspace with one record of everything, and this number of copies."""
    folder.mkdir()
    async with database(kind, folder) as db:
        settings = Settings(
            data=folder, database_url=db.url, secret_key="0" * 64, api_rate_limit="100000000/minute"
        )
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())
        async with make_world(site) as world:
            for parameter in MAKERS:
                await world.known_id(parameter)
            for route in measured_routes():  # some rows are made only by a write: a label on a work item
                if route.method != "GET":
                    await ask(world, route)
            filling = Filling(db, world.cast.acme["id"], number)
            await filling.add_samples(set(world.known.values()))
            await filling.store()
            yield world


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[Any]:
    if kind == "sqlite":
        async with fresh_database(kind, folder) as db:
            yield db
        return
    from airside.db.migrate import migrate

    url = await create_postgres()
    try:
        await migrate(url)
        async with opened(url) as db:
            yield db
    finally:
        await drop_postgres(url)


async def ask(world: World, route: Route) -> tuple[Called, float]:
    """Ask the operation once; the answer, and how long it took in milliseconds."""
    params = await world.params(route)
    body = await world.body(route)
    query = "&".join(f"{name}={value}" for name, value in QUERIES.get(route.name, {}).items())
    path = f"/api/v1/{route.path.format(**params)}/"
    headers = [(b"authorization", b"Bearer 0"), (b"content-type", b"application/json")]
    sent = b"" if body is None else msgspec.json.encode(body)
    world.site.db.commits += 1  # as where others write: nothing that was read before counts
    begun = time.perf_counter()
    answer = await call(world.admin.conductor.app, route.method, path, query, headers, sent)
    return answer, (time.perf_counter() - begun) * 1000


async def measure(worlds: Sequence[World], route: Route, rounds: int) -> Timed:
    times: list[list[float]] = [[], []]
    for number in range(WARM + rounds):
        passed = [0.0, 0.0]
        for place, world in enumerate(worlds):
            answer, passed[place] = await ask(world, route)
            if not 200 <= answer.status_code < 400:
                return Timed(route, 0, 0, 0, f"{answer.status_code} {answer.text[:80]}")
        is_last = max(passed) > PATIENCE  # one round says enough
        if number >= WARM or is_last:
            for found, seconds in zip(times, passed, strict=True):
                found.append(seconds)
        if is_last:
            break
    small, large = (statistics.median(found) for found in times)
    return Timed(route, small, large, max(times[1]))


def main() -> int:
    options = read_options()
    kinds = [options.database] if options.database else ["sqlite", "postgres"]
    return max(asyncio.run(run(kind, options)) for kind in kinds)


async def run(kind: str, options: argparse.Namespace) -> int:
    routes = [route for route in measured_routes() if all(word in route.name for word in options.only)]
    found: list[Timed] = []
    CACHE.mkdir(exist_ok=True)  # not in memory: a large workspace takes gigabytes
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="records-") as name:
        sizes = options.small, options.large
        async with (
            filled_world(kind, Path(name) / "small", sizes[0]) as small,
            filled_world(kind, Path(name) / "large", sizes[1]) as large,
        ):
            for route in routes:
                found.append(await measure((small, large), route, options.rounds))
                print(as_line(found[-1]), file=sys.stderr, flush=True)
    print(as_table(kind, found, sizes))
    return 1 if any(one.problem or one.is_over for one in found) else 0


def as_table(kind: str, found: Sequence[Timed], sizes: tuple[int, int]) -> str:
    small, large = (f"{size:,}" for size in sizes)
    lines = [f"{kind}: medians in milliseconds", f"{'':92} {small:>9} {large:>9} {'times':>7} {'slowest':>9}"]
    lines += [as_line(one) for one in sorted(found, key=lambda one: -one.ratio)]
    over = sum(one.is_over for one in found)
    grown = sum(one.ratio > BOUND for one in found) - over
    lines.append(
        f"{len(found)} operations, {over} above {BOUND:.1f} times; {grown} more grow with their answer\n"
    )
    return "\n".join(lines)


def as_line(one: Timed) -> str:
    title = f"{one.route.method} {one.route.path.removeprefix('workspaces/{workspace_slug}/')}"
    if one.problem:
        return f"{title:<92} {one.problem}"
    reason = GROWING.get(one.route.name, "*") if one.ratio > BOUND else ""
    mark = f" {reason}" if reason else ""
    return f"{title:<92} {one.small:>9.2f} {one.large:>9.2f} {one.ratio:>7.2f} {one.slowest:>9.2f}{mark}"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="one of them; else both")
    parser.add_argument("--small", type=int, default=SMALL, help="copies in the small workspace")
    parser.add_argument("--large", type=int, default=LARGE, help="copies in the large workspace")
    parser.add_argument("--rounds", type=int, default=COUNTED, help="requests that count, of each operation")
    parser.add_argument("--only", nargs="*", default=[], help="operations with these words in their name")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
