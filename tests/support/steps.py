"""Measures every step of the event loop by its thread's CPU time, which is independent of the machine's load.

with measured_steps() as steps:
    await asyncio.create_task(…)
assert steps.worst().seconds < limit()
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

LIMIT_SECONDS = 0.020
REFERENCE_SECONDS = 0.0100  # duration of `_reference` for which the limit isn't scaled
REFERENCE_ROUNDS = 130_000


class Step(NamedTuple):
    """One callback: what ran, and for how long."""

    seconds: float
    name: str


class Steps:
    """The longest step since the last call."""

    def __init__(self) -> None:
        self._worst = Step(0.0, "")

    def note(self, seconds: float, handle: Any) -> None:
        if seconds > self._worst.seconds:
            self._worst = Step(seconds, _name_of(handle))

    def take_worst(self) -> Step:
        worst, self._worst = self._worst, Step(0.0, "")
        return worst


@contextmanager
def measured_steps() -> Iterator[Steps]:
    """Measures each callback of asyncio's own loop."""
    steps, run = Steps(), asyncio.Handle._run

    def run_measured(handle: Any) -> None:
        begun = time.thread_time()
        try:
            run(handle)
        finally:
            steps.note(time.thread_time() - begun, handle)

    asyncio.Handle._run = run_measured  # type: ignore[method-assign]
    try:
        yield steps
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]


@cache
def limit() -> float:
    """The maximum duration of a step, scaled up on a slower CPU."""
    return LIMIT_SECONDS * max(1.0, min(_reference() for _ in range(9)) / REFERENCE_SECONDS)


def _reference() -> float:
    """A fixed amount of work, similar to a step: names, texts and small objects."""
    begun, found = time.thread_time(), {}
    for number in range(REFERENCE_ROUNDS):
        found[str(number & 1023)] = number
    return time.thread_time() - begun


def _name_of(handle: Any) -> str:
    callback = handle._callback
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return getattr(task.get_coro(), "__qualname__", "")
    return getattr(callback, "__qualname__", repr(callback))
