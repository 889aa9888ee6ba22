"""How soon each page begins to arrive, with 10,000 work items: `python bench/run.py --pages`.

The time from the request to the first byte of the answer, on one connection, as a browser that has just clicked
waits for it. Every page of the list of routes, filled as in tests/pages/demo.py.
"""

import http.client
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.pages.demo import Demo, running_demo
from tests.pages.places import PAGES, SIGNED_OUT

WORK_ITEMS = 10_000
WARM, COUNTED = 3, 15  # requests of each page
BOUND = 50.0  # milliseconds, at the median


class Timed(NamedTuple):
    page: str
    median: float  # milliseconds
    slowest: float
    size: int  # bytes of HTML


def main() -> int:
    with tempfile.TemporaryDirectory() as name, running_demo(Path(name)) as demo:
        add_work_items(Path(name) / "data" / "airside.db", demo.known["project_id"])
        found = sorted((time_page(demo, page) for page in PAGES), key=lambda timed: -timed.median)
    print(f"{'page':<75} {'median':>9} {'slowest':>9} {'bytes':>9}")
    for timed in found:
        print(f"{timed.page:<75} {timed.median:>6.1f} ms {timed.slowest:>6.1f} ms {timed.size:>9,}")
    middle = statistics.median(timed.median for timed in found)
    slow = [timed.page for timed in found if timed.median >= BOUND]
    print(f"\n{len(found)} pages; half of them within {middle:.1f} ms; over {BOUND:.0f} ms: {len(slow)}")
    return 1 if slow else 0


def add_work_items(path: Path, project_id: str) -> None:
    """Copies of one that is there, written past the API, which would take a minute."""
    with sqlite3.connect(path, timeout=30) as connection:
        connection.row_factory = sqlite3.Row
        [sample, *_] = connection.execute("SELECT * FROM work_items WHERE project_id = ?", (project_id,))
        names = sample.keys()
        marks = ", ".join("?" for _ in names)
        rows = []
        for number in range(1, WORK_ITEMS + 1):
            row = dict(sample) | {
                "id": f"{sample['id'][:24]}{number:012x}",
                "sequence_id": 1000 + number,
                "name": f"Work item {number}",
            }
            rows.append(tuple(row[name] for name in names))
        connection.executemany(f"INSERT INTO work_items ({', '.join(names)}) VALUES ({marks})", rows)


def time_page(demo: Demo, page: str) -> Timed:
    """After its redirects, if it has some: the page that is looked at."""
    url = urlsplit(demo.server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    headers = {} if page.startswith(SIGNED_OUT) else {"Cookie": f"airside_session={demo.session}"}
    path, times, size = follow(connection, demo.path_of(page), headers), list[float](), 0
    for number in range(WARM + COUNTED):
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        passed = (time.perf_counter() - started) * 1000
        size = len(answer.read())
        if answer.status != 200:
            raise SystemExit(f"{path} answers {answer.status}")
        if number >= WARM:
            times.append(passed)
    connection.close()
    return Timed(page, statistics.median(times), max(times), size)


def follow(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> str:
    for _ in range(5):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (302, 303):
            return path
        parts = urlsplit(answer.headers["Location"])
        path = parts.path + (f"?{parts.query}" if parts.query else "")
    raise SystemExit(f"{path} leads around in a circle")


if __name__ == "__main__":
    sys.exit(main())
