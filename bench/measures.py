"""The measures, each taken in interleaved rounds (A B A B …) so that a busy moment of the machine hits both."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from load import GeneratorName, Load, apply_load
from processes import Server
from sides import Instance
from wire import Request, ask

IDLE_SECONDS = 2.0  # between the first answer and the weighing


@dataclass(frozen=True)
class Effort:
    """How much is measured: the full run, or the quick one that only shows that everything works."""

    generator: GeneratorName
    connections: int
    rounds: int
    seconds: int
    starts: int
    sizes: tuple[int, ...]


@dataclass
class Measure:
    """One line of the table: the values of every round, by side."""

    key: str
    unit: str
    higher_is_better: bool
    rounds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def note(self, side: str, value: float) -> None:
        self.rounds.setdefault(side, []).append(value)


@dataclass
class Record:
    """Everything that a run has measured, in the order of the table."""

    measures: dict[str, Measure] = field(default_factory=dict[str, Measure])
    errors: int = 0
    requests: int = 0
    generator_busy: float = 0.0

    def note(self, key: str, unit: str, side: str, value: float, higher_is_better: bool = False) -> None:
        measure = self.measures.setdefault(key, Measure(key, unit, higher_is_better))
        measure.note(side, value)


def measure_starts(record: Record, instances: Sequence[Instance], effort: Effort) -> None:
    """Seconds to the first authorized answer, and resident memory once idle. One start before is not counted:
    it leaves bytecode and files in the caches, which makes the counted ones warm."""
    for number in range(effort.starts + 1):
        for instance in instances:
            _say(f"start {number} of {instance.side}")
            seconds = instance.server.start_and_wait(instance.requests.label)
            try:
                time.sleep(IDLE_SECONDS if number else 0)
                memory = instance.server.memory_mb()
            finally:
                instance.server.stop()
            if number:
                record.note("start to first answer", "s", instance.side, seconds)
                record.note("memory, idle", "MB", instance.side, memory)


def measure_rates(record: Record, instances: Sequence[Instance], effort: Effort) -> None:
    """Token requests and reads of one label, on the smallest project."""
    for _ in range(effort.rounds):
        for instance in instances:
            _measure_request(record, "token request", instance, instance.requests.token, effort)
        for instance in instances:
            _measure_request(record, "GET label", instance, instance.requests.label, effort)
    for instance in instances:
        record.note("memory, after load", "MB", instance.side, instance.server.memory_mb())


def measure_growth(record: Record, instances: Sequence[Instance], effort: Effort) -> None:
    """Reads of one work item and of a first page, in projects of every size."""
    for _ in range(effort.rounds):
        for instance in instances:
            title = f"GET work item of {instance.work_items:,}"
            _measure_request(record, title, instance, instance.requests.work_item, effort)
        for instance in instances:
            title = f"first page of {instance.work_items:,}"
            _measure_request(record, title, instance, instance.requests.page, effort)
    smallest, *_, largest = effort.sizes
    for title in ("GET work item", "first page"):
        _note_growth(record, title, f"{smallest:,}", f"{largest:,}")


def _note_growth(record: Record, title: str, smallest: str, largest: str) -> None:
    """How many times dearer a request is in the largest project than in the smallest, round by round.

    From the rate, since a database server's work is not in the CPU time of the measured processes."""
    small, large = (record.measures[f"{title} of {size}, rate"].rounds for size in (smallest, largest))
    for side in small:
        for before, after in zip(small[side], large[side], strict=True):
            record.note(f"{title}, cost {smallest} → {largest}", "times", side, before / after)


def _measure_request(
    record: Record, title: str, instance: Instance, request: Request, effort: Effort
) -> None:
    side = instance.side
    _say(f"{title} from {side}")
    load, cpu = measure_round(
        instance.server, request, effort.generator, effort.connections, effort.seconds, accepted=(200,)
    )
    record.note(f"{title}, rate", "/s", side, load.rate, higher_is_better=True)
    record.note(f"{title}, p50", "ms", side, load.p50_ms)
    record.note(f"{title}, p99", "ms", side, load.p99_ms)
    record.note(f"{title}, CPU", "µs", side, cpu)
    record.errors += load.errors
    record.requests += load.requests
    record.generator_busy = max(record.generator_busy, load.generator_busy)


def measure_round(
    server: Server,
    request: Request,
    generator: GeneratorName,
    connections: int,
    seconds: int,
    accepted: tuple[int, ...] = (200, 201),
) -> tuple[Load, float]:
    """The load, and the CPU time of one answer in microseconds."""
    apply_load(generator, request, server.port, connections, 1)  # warm, not counted
    ask(request, server.port, accepted)  # waits behind what the generator left unfinished
    before = server.cpu_seconds()
    load = apply_load(generator, request, server.port, connections, seconds)
    return load, (server.cpu_seconds() - before) / max(load.requests, 1) * 1e6


def _say(text: str) -> None:
    print(f"  {text} …", file=sys.stderr, flush=True)
