"""Airside behind uvicorn, as it is shipped, behind Granian, and at another revision, in one run. See README.md.

python bench/servers.py [--before FOLDER/.venv/bin] [--rounds 7] [--seconds 3]
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from airside_side import AirsideSide
from databases import choose_databases
from environments import BENCH, CACHE, ROOT
from load import Load, pick_generator
from measures import measure_round
from processes import Server
from sides import Instance
from wire import HOST

CONNECTIONS = 16
WORK_ITEMS = 1000
KINDS = ("token", "label", "work_item", "page")
SHIPPED = "uvicorn"
Rounds = dict[tuple[str, str], list[tuple[Load, float]]]


def main() -> int:
    options = read_options()
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        folder = Path(name)
        databases = choose_databases(options.database, options.postgres, folder)
        try:
            instances = {
                side: prepare(side, executables, databases.create(f"airside_{side}"), folder)
                for side, executables in sides(options).items()
            }
            rounds = measure(instances, options)
        finally:
            databases.drop_all()
    print_table(rounds, list(instances), options)
    return 1 if any(load.errors for loads in rounds.values() for load, _ in loads) else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="folder of executables of another revision of airside")
    parser.add_argument("--bin", type=Path, default=ROOT / ".venv" / "bin", help="with airside and granian")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    return parser.parse_args()


def sides(options: argparse.Namespace) -> dict[str, Path]:
    found = {"before": options.before} if options.before else {}
    found[SHIPPED] = options.bin
    if (options.bin / "granian").exists():
        found["granian"] = options.bin
    else:
        print(f"granian isn't in {options.bin}: left out", file=sys.stderr)
    return found


def prepare(side: str, executables: Path, database_url: str, folder: Path) -> Instance:
    home = folder / side
    home.mkdir()
    instance = AirsideSide(executables).prepare(database_url, home, WORK_ITEMS)
    return (
        replace(instance, server=behind_granian(instance.server, executables))
        if side == "granian"
        else instance
    )


def behind_granian(server: Server, executables: Path) -> Server:
    command = [str(executables / "granian"), "--interface", "asgi", "--loop", "uvloop", "--workers", "1"]
    command += ["--no-log", "--no-ws", "--host", HOST, "--port", str(server.port), "airside_granian:app"]
    paths = os.pathsep.join((str(BENCH / "peers"), str(ROOT)))
    return replace(server, command=command, environment={**server.environment, "PYTHONPATH": paths})


def measure(instances: dict[str, Instance], options: argparse.Namespace) -> Rounds:
    rounds: Rounds = {}
    generator = pick_generator()
    try:
        for instance in instances.values():
            instance.server.start_and_wait(instance.requests.label)
        for _ in range(options.rounds):
            for kind in KINDS:
                for side, instance in instances.items():
                    request, taken = getattr(instance.requests, kind), rounds.setdefault((kind, side), [])
                    taken.append(
                        measure_round(instance.server, request, generator, CONNECTIONS, options.seconds)
                    )
    finally:
        for instance in instances.values():
            instance.server.stop()
    return rounds


def print_table(rounds: Rounds, names: list[str], options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {platform.platform()}, {options.database}; load average {load:.1f}")
    print(f"medians of {options.rounds} rounds of {options.seconds} s by turns, {CONNECTIONS} connections\n")
    print(
        f"{'':12}{'':10}{'/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}   CPU of {SHIPPED}, times (rounds)"
    )
    for kind in KINDS:
        for side in names:
            print(f"{kind:12}{side:10}{_figures(rounds, kind, side)}")


def _figures(rounds: Rounds, kind: str, side: str) -> str:
    taken, shipped = rounds[kind, side], rounds[kind, SHIPPED]
    rate, p50, p99 = (median(getattr(load, key) for load, _ in taken) for key in ("rate", "p50_ms", "p99_ms"))
    ratios = [cost / ours for (_, cost), (_, ours) in zip(taken, shipped, strict=True)]
    beside = "" if side == SHIPPED else f"   {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{rate:8.0f}{p50:9.2f}{p99:9.2f}{median(cost for _, cost in taken):9.0f}{beside}"


if __name__ == "__main__":
    sys.exit(main())
