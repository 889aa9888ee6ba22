"""The progress of a move: a bar on a terminal, and elsewhere a line for each step."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from airside.moving.progress import Progress

LINE_SECONDS = 15.0  # between two lines about one step


@contextmanager
def show_progress() -> "Generator[Progress]":
    """Everything goes to stderr: stdout is for the result."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    words = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*words, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar)


def _name(step: str) -> str:
    return step.replace("_", " ")


class Bar:
    """A `Progress` on a terminal."""

    def __init__(self, bar: "RichProgress") -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._step = ""

    def begin(self, step: str, total: int | None = None) -> None:
        self._step = _name(step)
        self._bar.reset(self._task, description=self._step, total=total)

    def advance(self, rows: int) -> None:
        self._bar.update(self._task, advance=rows, description=self._step)

    def wait(self, seconds: float, reason: str) -> None:
        self._bar.update(self._task, description=f"{self._step} ({reason}, {seconds:.0f} s)")


class Lines:
    """A `Progress` in a log."""

    def __init__(self) -> None:
        self._step, self._total, self._rows = "", "", 0
        self._next = 0.0

    def begin(self, step: str, total: int | None = None) -> None:
        self._step, self._rows = _name(step), 0
        self._total = "" if total is None else f" of {total:,}"
        self._next = time.monotonic() + LINE_SECONDS
        typer.echo(self._step if total is None else f"{self._step}: {total:,}", err=True)

    def advance(self, rows: int) -> None:
        self._rows += rows
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            typer.echo(f"{self._step}: {self._rows:,}{self._total}", err=True)

    def wait(self, seconds: float, reason: str) -> None:
        typer.echo(f"{self._step}: {reason}, going on in {seconds:.0f} s", err=True)
