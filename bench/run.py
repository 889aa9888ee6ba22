"""Measures Airside and its peer side by side and prints ratios: `python bench/run.py`. See README.md."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airside_side import AirsideSide
from databases import Databases, choose_databases
from dot_side import DotSide
from environments import CACHE, airside_environment, peer_environment
from load import GeneratorName, pick_generator
from measures import Effort, Record, measure_growth, measure_rates, measure_starts
from report import as_json, as_table
from sides import Instance, Side

CONNECTIONS = 16


def main() -> int:
    options = read_options()
    if options.pages:
        return run_pages()
    effort = choose_effort(options.quick, options.load or pick_generator())
    CACHE.mkdir(exist_ok=True)
    sides = choose_sides(options)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        folder = Path(name)
        databases = choose_databases(options.database, options.postgres, folder)
        try:
            record = measure(prepare(sides, databases, folder, effort), effort)
        finally:
            databases.drop_all()
    described = {side.name: side.describe() for side in sides}
    print_report(record, effort, options.database, described)
    if options.json:
        findings = as_json(record, effort, options.database, described)
        options.json.write_text(json.dumps(findings, indent=2, ensure_ascii=False) + "\n")
    return 1 if record.errors or not record.requests else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument(
        "--postgres", default="postgresql://postgres@127.0.0.1:5432", help="server that may create databases"
    )
    parser.add_argument("--quick", action="store_true", help="about three minutes: shows that it works")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    parser.add_argument("--load", choices=["wrk", "python"], help="load generator; wrk where it is found")
    parser.add_argument("--only", choices=["airside", "dot"], help="measure one side alone")
    parser.add_argument("--airside-bin", type=Path, help="folder of executables that has airside already")
    parser.add_argument("--peer-server", choices=["granian", "gthread", "sync"], default="granian")
    parser.add_argument(
        "--hash-secret", action="store_true", help="the peer hashes client secrets, its default"
    )
    parser.add_argument(
        "--pages", action="store_true", help="instead: the time to the first byte of every page"
    )
    return parser.parse_args()


def run_pages() -> int:
    """With the tools for developing, since the demo is the tests'."""
    root = Path(__file__).resolve().parents[1]
    subprocess.run([sys.executable, "tools/develop.py", "install"], cwd=root, check=True)
    return subprocess.run(
        [root / ".venv" / "bin" / "python", "bench/pages.py"], cwd=root, check=False
    ).returncode


def choose_effort(quick: bool, generator: GeneratorName) -> Effort:
    if quick:
        return Effort(generator, CONNECTIONS, rounds=3, seconds=1, starts=2, sizes=(100, 10_000))
    return Effort(generator, CONNECTIONS, rounds=5, seconds=4, starts=5, sizes=(100, 10_000, 100_000))


def choose_sides(options: argparse.Namespace) -> list[Side]:
    sides: list[Side] = []
    if options.only != "dot":
        executables = options.airside_bin.absolute() if options.airside_bin else airside_environment()
        sides.append(AirsideSide(executables))
    if options.only != "airside":
        sides.append(DotSide(peer_environment(), options.peer_server, options.hash_secret))
    return sides


def prepare(sides: Sequence[Side], databases: Databases, folder: Path, effort: Effort) -> list[Instance]:
    """Every side with every size of project, ordered so that the sides take turns."""
    instances: list[Instance] = []
    for size in effort.sizes:
        for side in sides:
            print(f"Filling {side.name} with {size:,} work items …", file=sys.stderr, flush=True)
            instances.append(side.prepare(databases.create(f"{side.name}_{size}"), folder, size))
    return instances


def measure(instances: Sequence[Instance], effort: Effort) -> Record:
    record = Record()
    smallest = [instance for instance in instances if instance.work_items == effort.sizes[0]]
    measure_starts(record, smallest, effort)
    with running(instances):
        measure_rates(record, smallest, effort)
        measure_growth(record, instances, effort)
    return record


@contextmanager
def running(instances: Sequence[Instance]) -> Generator[None, None, None]:
    try:
        for instance in instances:
            instance.server.start_and_wait(instance.requests.label)
        yield
    finally:
        for instance in instances:
            instance.server.stop()


def print_report(record: Record, effort: Effort, database: str, described: dict[str, dict[str, str]]) -> None:
    for side, facts in described.items():
        print(f"{side}: " + ", ".join(f"{name} {value}" for name, value in facts.items()))
    print(
        f"{database}; {effort.generator}, {effort.connections} connections; medians of {effort.rounds} rounds"
        f" of {effort.seconds} s, {effort.starts} starts\n"
    )
    print(as_table(record, effort))


if __name__ == "__main__":
    sys.exit(main())
