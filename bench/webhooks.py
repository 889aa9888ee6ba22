"""How soon webhooks leave, how many, and beside whom, in one run: `python bench/webhooks.py`. See README.md."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from celery_side import BROKER, CelerySide, is_there
from databases import Databases, PostgresDatabases, SqliteDatabases
from environments import BENCH, CACHE, airside_environment, peer_environment
from processes import Server
from sides import free_port, installed_versions, run_json
from wire import HOST, Request, ask

BODY_BYTES = 1_400  # about what the measured work item takes as v2
AIMS = {  # of a ratio or a time, and whether more is better
    "commit to first byte, p50 ms": (10.0, False),
    "deliveries/s, of the HTTP client's own": (0.5, True),
    "deliveries/s, times Celery's": (5.0, True),
    "healthy p99, beside against alone": (1.2, False),
}


@dataclass(frozen=True)
class Effort:
    rounds: int
    events: int  # whose time to the first byte is taken
    pause: float  # seconds between two of them
    deliveries: int  # of one round of throughput
    backlog: int  # of each bad endpoint


FULL = Effort(rounds=7, events=600, pause=0.02, deliveries=10_000, backlog=10_000)
QUICK = Effort(rounds=3, events=200, pause=0.02, deliveries=3_000, backlog=2_000)


@dataclass
class Findings:
    """The values of every round."""

    rounds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def note(self, name: str, value: float) -> None:
        self.rounds.setdefault(name, []).append(value)


@dataclass
class Bench:
    options: argparse.Namespace
    effort: Effort
    executables: Path
    databases: Databases
    folder: Path
    receiver: Server
    findings: Findings = field(default_factory=Findings)
    made: int = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.receiver.port}"

    def airside(self, mode: str, **options: Any) -> dict[str, Any]:
        """One measurement in a process and a database of its own."""
        self.made += 1
        told = {
            "folder": str(self.folder),
            "database_url": self.databases.create(f"webhooks_{self.made}"),
            "queue_url": self.options.queue_url,
            "receiver": self.url,
            **options,
        }
        command = [
            str(self.executables / "python"),
            str(BENCH / "airside_webhooks.py"),
            mode,
            json.dumps(told),
        ]
        return run_json(command, {})

    def seen(self) -> dict[str, Any]:
        return ask(Request("/seen"), self.receiver.port)


def main() -> int:
    options = read_options()
    effort = QUICK if options.quick else FULL
    CACHE.mkdir(exist_ok=True)
    executables = (options.airside_bin or airside_environment()).absolute()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name, receiving(Path(name)) as receiver:
        folder = Path(name)
        databases = (
            PostgresDatabases(options.postgres, peer_environment() / "python")
            if options.database == "postgres"
            else SqliteDatabases(folder)
        )
        bench = Bench(options, effort, executables, databases, folder, receiver)
        try:
            print_setting(bench)
            measure(bench)
        finally:
            databases.drop_all()
    print_findings(bench.findings)
    if options.json:
        options.json.write_text(json.dumps(bench.findings.rounds, indent=2) + "\n")
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--postgres", default="postgresql://postgres@127.0.0.1:5432")
    parser.add_argument("--queue-url", default="", help="nats://…: deliveries through JetStream")
    parser.add_argument("--only", choices=["latency", "throughput", "fairness"], action="append")
    parser.add_argument("--quick", action="store_true", help="about a minute: shows that it works")
    parser.add_argument("--celery-processes", type=int, default=4)
    parser.add_argument("--airside-bin", type=Path, help="folder of executables that has airside already")
    parser.add_argument("--json", type=Path, help="also write the values of every round to this file")
    return parser.parse_args()


@contextmanager
def receiving(folder: Path) -> Generator[Server, None, None]:
    port = free_port()
    server = Server(
        [sys.executable, str(BENCH / "receiver.py"), str(port)], {}, port, folder / "receiver.log"
    )
    server.start_and_wait(Request("/count"))
    try:
        yield server
    finally:
        server.stop()


def measure(bench: Bench) -> None:
    """The sides of each comparison by turns."""
    wanted = bench.options.only or ["latency", "throughput", "fairness"]
    celery = open_celery(bench) if "throughput" in wanted else None
    try:
        for number in range(bench.effort.rounds):
            print(f"round {number + 1} of {bench.effort.rounds} …", file=sys.stderr, flush=True)
            if "latency" in wanted:
                measure_latency(bench)
            if "throughput" in wanted:
                measure_throughput(bench, celery)
            if "fairness" in wanted:
                measure_fairness(bench)
    finally:
        if celery is not None:
            celery.close()


def measure_latency(bench: Bench) -> None:
    effort = bench.effort
    told = bench.airside("latency", events=effort.events, pause=effort.pause, warm=50)
    seen = bench.seen()["times"]
    took = sorted((seen[event_id] - at) * 1e3 for event_id, at in told["committed"].items())
    bench.findings.note("commit to first byte, p50 ms", percentile(took, 50))
    bench.findings.note("commit to first byte, p99 ms", percentile(took, 99))


def measure_throughput(bench: Bench, celery: CelerySide | None) -> None:
    count, endpoints = bench.effort.deliveries, 50
    client = bench.airside("client", posts=count, body_bytes=BODY_BYTES)
    bench.seen()
    sender = bench.airside("sender", posts=count, body_bytes=BODY_BYTES)
    bench.seen()
    ours = bench.airside("throughput", endpoints=endpoints, events=count // endpoints)
    bench.seen()
    client_rate, rate = count / client["seconds"], count / ours["seconds"]
    bench.findings.note("HTTP client alone, posts/s", client_rate)
    bench.findings.note("HTTP client alone, CPU µs a post", client["cpu_seconds"] / count * 1e6)
    bench.findings.note("Airside's sender alone, posts/s", count / sender["seconds"])
    bench.findings.note("Airside's sender alone, CPU µs a post", sender["cpu_seconds"] / count * 1e6)
    bench.findings.note("Airside, deliveries/s", rate)
    bench.findings.note("Airside, CPU µs a delivery", ours["cpu_seconds"] / count * 1e6)
    bench.findings.note("deliveries/s, of the HTTP client's own", rate / client_rate)
    if celery is not None:
        peers = celery.measure(bench.url, bench.receiver, count // 4)
        bench.seen()
        bench.findings.note("Celery with RabbitMQ, deliveries/s", peers)
        bench.findings.note("deliveries/s, times Celery's", rate / peers)


def measure_fairness(bench: Bench) -> None:
    effort = bench.effort
    told = bench.airside(
        "fairness", events=effort.events, pause=effort.pause, warm=150, backlog=effort.backlog
    )
    bench.seen()
    alone, beside = (sorted(value * 1e3 for value in told[side]) for side in ("alone", "beside"))
    for side, took in (("alone", alone), ("beside", beside)):
        bench.findings.note(f"healthy endpoint {side}, p50 ms", percentile(took, 50))
        bench.findings.note(f"healthy endpoint {side}, p99 ms", percentile(took, 99))
    bench.findings.note("healthy p99, beside against alone", percentile(beside, 99) / percentile(alone, 99))


def open_celery(bench: Bench) -> CelerySide | None:
    if not is_there():
        print(f"RabbitMQ is not at {BROKER}: Celery is NOT measured beside Airside in this run.")
        return None
    return CelerySide(bench.folder, bench.options.celery_processes)


def percentile(values: list[float], percent: int) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, len(values) * percent // 100)]


def print_setting(bench: Bench) -> None:
    versions = installed_versions(bench.executables / "python", ["airside", "aiohttp"])
    queue = bench.options.queue_url or "the database"
    print(f"airside: {shown(versions)}; {bench.options.database}, queue: {queue}")
    print(f"{time.strftime('%Y-%m-%d')}, {platform.platform()}, load average {os.getloadavg()[0]:.1f}")


def print_findings(findings: Findings) -> None:
    print(f"\n{'':44}{'median':>10}   {'rounds':22} aim")
    for name, values in findings.rounds.items():
        spread = f"{figure(min(values))} to {figure(max(values))}"
        print(f"{name:44}{figure(median(values)):>10}   {spread:22} {judge(name, median(values))}".rstrip())


def judge(name: str, value: float) -> str:
    if name not in AIMS:
        return ""
    bound, is_more_better = AIMS[name]
    is_met = value >= bound if is_more_better else value <= bound
    return f"{'≥' if is_more_better else '≤'} {bound:g} {'met' if is_met else 'MISSED'}"


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def shown(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


if __name__ == "__main__":
    sys.exit(main())
