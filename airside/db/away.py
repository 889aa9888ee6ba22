"""When the database is away for a while: what callers are told, and one line in the log, however many notice.

Which of a driver's errors mean it is each engine's to say (`postgres.py`, `sqlite.py`).
"""

import time
from contextvars import ContextVar

import structlog

QUIET_SECONDS = 5.0  # without a failure until it is back: it may refuse one connection and take the next

_log = structlog.get_logger("airside.db")
_committed: ContextVar[bool] = ContextVar("airside_committed", default=False)


class DatabaseAway(Exception):
    """It can't be reached, or is kept busy; `about` has words for it. Nothing has changed but what was committed
    before."""

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self.about = about


class OutcomeUnknown(DatabaseAway):
    """It went away while it committed: the change is in there, or it isn't."""


class Reach:
    """Whether one database is away."""

    def __init__(self) -> None:
        self._failed_at: float | None = None  # monotonic; None: it isn't away
        self._away_since = 0.0

    def note_away(self, error: DatabaseAway) -> DatabaseAway:
        """Log it unless that was done already; the error, for raising."""
        now = time.monotonic()
        if self._failed_at is None:
            self._away_since = now
            _log.warning("database_away", reason=error.about)
        self._failed_at = now
        return error

    def note_answer(self) -> None:
        if self._failed_at is None:
            return
        now = time.monotonic()
        if now - self._failed_at >= QUIET_SECONDS:
            self._failed_at = None
            _log.info("database_back", after_seconds=round(now - self._away_since, 1))


def begin_request() -> None:
    """Forget what was committed by whatever ran in this context before."""
    _committed.set(False)


def note_commit() -> None:
    _committed.set(True)


def has_committed() -> bool:
    """Whether this request has committed anything, so that it can't be answered as if nothing had happened."""
    return _committed.get()
