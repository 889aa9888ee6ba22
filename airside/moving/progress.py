"""The progress of an import or export; the command line shows it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the steps of an import or export, one after another."""

    def begin(self, step: str, total: int | None = None) -> None:
        """Begin the next step, with `total` rows; None if their number isn't known."""
        ...

    def advance(self, rows: int) -> None: ...

    def wait(self, seconds: float, reason: str) -> None:
        """Report a pause of so many seconds."""
        ...


class Unwatched:
    """Shows nothing."""

    def begin(self, step: str, total: int | None = None) -> None:
        pass

    def advance(self, rows: int) -> None:
        pass

    def wait(self, seconds: float, reason: str) -> None:
        pass
