"""The processes of an instance, each of which may be killed and started again at the same address."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import programs
from tests.support.servers import CommandFailed, Instance

START_SECONDS = 180.0  # a start costs a second; long runs share their machine


@dataclass
class Program:
    """One `airside` command that runs until it is killed."""

    name: str
    instance: Instance
    words: tuple[str, ...]
    _process: "programs.Program | None" = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.instance.folder / f"{self.name}.log"

    @property
    def _output(self) -> Path:
        return self.instance.folder / f"{self.name}.out"

    def start(self) -> None:
        """Returns when it has said that it runs."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        with self._output.open("w") as out, self.log.open("a") as log:
            environment = self.instance.environment
            self._process = programs.start_airside(*self.words, env=environment, stdout=out, stderr=log)

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._output.read_text():
            if self.has_ended() or time.monotonic() > deadline:
                status = self._process.poll() if self._process else None
                raise CommandFailed(status or 0, f"{self.name} didn't start: {self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def has_ended(self) -> bool:
        """Whether it ended by itself, which nothing that happens around it may bring about."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass(frozen=True)
class Victim:
    """What is struck at once, and how it comes back."""

    name: str
    strike: Callable[[], None]
    restore: Callable[[], None]
    is_program: bool = True


@dataclass
class Fleet:
    programs: list[Program]
    victims: list[Victim]

    def start(self) -> None:
        for program in self.programs:
            program.launch()
        for program in self.programs:
            program.wait()

    def kill(self) -> None:
        for program in self.programs:
            program.kill()

    def strike(self, victims: list[Victim]) -> None:
        """All of them, then back again: what the programs need before the programs."""
        for victim in victims:
            victim.strike()
        for victim in sorted(victims, key=lambda victim: victim.is_program):
            victim.restore()

    def list_ended(self) -> list[str]:
        return [
            f"{program.name} ended by itself: {program.log.read_text()[-2000:]}"
            for program in self.programs
            if program.has_ended()
        ]


def victims_of(programs: list[Program]) -> list[Victim]:
    return [Victim(program.name, program.kill, program.start) for program in programs]
