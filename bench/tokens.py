"""The token endpoint beside other authorization servers, in one run: `python bench/tokens.py`. See README.md."""

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from airside_side import AirsideSide
from databases import choose_databases
from environments import CACHE, airside_environment
from load import Load, pick_generator
from measures import measure_round
from peer_tokens import PEERS, TOKEN, peer_server
from processes import Server
from sides import PER_PAGE
from wire import Request, ask

OURS = "airside"
CONNECTIONS = 16


def main() -> int:
    options = read_options()
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        folder = Path(name)
        databases = choose_databases(options.database, options.postgres, folder)
        try:
            return measure(options, databases.create("airside_tokens"), folder)
        finally:
            databases.drop_all()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--airside-bin", type=Path, help="folder of executables that has airside already")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    return parser.parse_args()


def measure(options: argparse.Namespace, database_url: str, folder: Path) -> int:
    ours = AirsideSide(options.airside_bin or airside_environment())
    instance = ours.prepare(database_url, folder, PER_PAGE)
    asked: dict[str, tuple[Server, Request]] = {OURS: (instance.server, instance.requests.token)}
    print(f"{OURS}: {shown(ours.describe())}, {options.database}, durable")
    for name in options.peers:
        server, versions = peer_server(name, folder)
        asked[name] = (server, TOKEN)
        print(f"{name}: {shown(versions)}, in memory")
    rounds: dict[str, list[Load]] = {name: [] for name in asked}
    costs: dict[str, list[float]] = {name: [] for name in asked}
    try:
        for server, request in asked.values():
            server.start_and_wait()
            assert ask(request, server.port)["token_type"].lower() == "bearer"
        for _ in range(options.rounds):
            for name, (server, request) in asked.items():
                load, cost = measure_round(server, request, pick_generator(), CONNECTIONS, options.seconds)
                rounds[name].append(load)
                costs[name].append(cost)
    finally:
        for server, _ in asked.values():
            server.stop()
    print_table(rounds, costs)
    return 1 if any(load.errors for loads in rounds.values() for load in loads) else 0


def print_table(rounds: dict[str, list[Load]], costs: dict[str, list[float]]) -> None:
    first, *_ = rounds.values()
    print(f"{time.strftime('%Y-%m-%d')}, {platform.platform()}; medians of {len(first)} rounds in turns\n")
    print(f"{'':16}{'/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}   airside is … times as fast (rounds)")
    for name, loads in rounds.items():
        middles = [median(getattr(load, key) for load in loads) for key in ("rate", "p50_ms", "p99_ms")]
        ratios = [mine.rate / load.rate for mine, load in zip(rounds[OURS], loads, strict=True)]
        beside = "" if name == OURS else f"   {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        rate, p50, p99 = middles
        print(f"{name:16}{rate:8.0f}{p50:9.2f}{p99:9.2f}{median(costs[name]):9.0f}{beside}")


def shown(facts: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


if __name__ == "__main__":
    sys.exit(main())
