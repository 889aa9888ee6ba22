"""What a run found: as a table for people, as JSON for machines."""

import math
import os
import platform
from dataclasses import asdict
from statistics import median
from typing import Any

from measures import Effort, Measure, Record

OURS, PEER = "airside", "dot"


def aims(effort: Effort) -> dict[str, tuple[str, float]]:
    """By measure: what Airside should reach, as `ratio at least` the peer's or a value `at most`."""
    growth = f"cost {effort.sizes[0]:,} → {effort.sizes[-1]:,}"
    return {
        "token request, rate": ("ratio", 10.0),
        "GET label, rate": ("ratio", 10.0),
        "start to first answer": ("value", 1.5),
        "memory, idle": ("value", 120.0),
        f"GET work item, {growth}": ("value", 1.25),
        f"first page, {growth}": ("value", 1.25),
    }


def times_better(measure: Measure) -> list[float]:
    """By round, how many times better Airside did; empty when only one side ran."""
    ours, peers = measure.rounds.get(OURS, []), measure.rounds.get(PEER, [])
    pairs = zip(ours, peers, strict=False)
    return [_ratio(a, b) if measure.higher_is_better else _ratio(b, a) for a, b in pairs]


def _ratio(better: float, worse: float) -> float:
    return better / worse if worse else math.nan


def judge(measure: Measure, aim: tuple[str, float] | None) -> str:
    """The aim and whether it was met, or nothing."""
    if aim is None or OURS not in measure.rounds:
        return ""
    kind, bound = aim
    if kind == "value":
        met, text = median(measure.rounds[OURS]) <= bound, f"≤ {bound:g} {measure.unit}"
    elif ratios := times_better(measure):
        met, text = median(ratios) >= bound, f"≥ {bound:g}x"
    else:
        return ""
    return f"{text} {'met' if met else 'MISSED'}"


def as_table(record: Record, effort: Effort) -> str:
    lines = [f"{'':44}{OURS:>12}{PEER:>12}{'ratio':>9}  {'rounds':15} aim"]
    wanted = aims(effort)
    for measure in record.measures.values():
        sides = "".join(f"{_median_text(measure, side):>12}" for side in (OURS, PEER))
        ratios = times_better(measure)
        middle = f"{median(ratios):.2f}x" if ratios else ""
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else ""
        aim = judge(measure, wanted.get(measure.key))
        lines.append(f"{f'{measure.key} ({measure.unit})':44}{sides}{middle:>9}  {spread:15} {aim}".rstrip())
    lines.append(f"{record.requests:,} answers, {record.errors} errors")
    if record.generator_busy > 0.85:
        busy = f"{record.generator_busy:.0%}"
        lines.append(f"The load generator used up to {busy} of a CPU: the fastest rates are its limit.")
    return "\n".join(lines)


def _median_text(measure: Measure, side: str) -> str:
    if not (values := measure.rounds.get(side)):
        return "-"
    middle = median(values)
    return f"{middle:,.0f}" if middle >= 1000 else f"{middle:.3g}"


def as_json(
    record: Record, effort: Effort, database: str, sides: dict[str, dict[str, str]]
) -> dict[str, Any]:
    wanted = aims(effort)
    return {
        "database": database,
        "sides": sides,
        "effort": asdict(effort),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "load_average": os.getloadavg(),
        },
        "errors": record.errors,
        "requests": record.requests,
        "generator_busy": round(record.generator_busy, 3),
        "measures": [_measure_json(measure, wanted) for measure in record.measures.values()],
    }


def _measure_json(measure: Measure, wanted: dict[str, tuple[str, float]]) -> dict[str, Any]:
    ratios = times_better(measure)
    return {
        **asdict(measure),
        "medians": {side: median(values) for side, values in measure.rounds.items()},
        "times_better": median(ratios) if ratios else None,
        "aim": judge(measure, wanted.get(measure.key)) or None,
    }
