"""How far a move is, as whoever watches it wants to know; the command line shows it."""

from typing import Protocol


class Progress(Protocol):
    """Steps of a move, one after another."""

    def begin(self, step: str, total: int | None = None) -> None:
        """The next step, of so many rows; None where that isn't known."""
        ...

    def advance(self, rows: int) -> None: ...

    def wait(self, seconds: float, reason: str) -> None:
        """Nothing happens for so long."""
        ...


class Unwatched:
    """Nobody watches."""

    def begin(self, step: str, total: int | None = None) -> None:
        pass

    def advance(self, rows: int) -> None:
        pass

    def wait(self, seconds: float, reason: str) -> None:
        pass
