"""When the database is away for a while: what callers are told, and one line in the log, however many notice.

Which of a driver's errors mean it is each engine's to say (`postgres.py`, `sqlite_connections.py`).

    DatabaseAway             it can't be reached, or is kept busy
    ├── OutcomeUnknown       it went away while it committed
    ├── DatabaseBusy         one statement waited or worked for too long and was given up
    └── Unwritable           it answers, but nothing can be saved
"""

import time
from contextvars import ContextVar

import structlog

QUIET_SECONDS = 5.0  # without a failure until it is back: it may refuse one connection and take the next
STATEMENT_SECONDS = 15.0  # that one statement may take; what must take longer does so in portions

_log = structlog.get_logger("airside.db")
_committed: ContextVar[bool] = ContextVar("airside_committed", default=False)


class DatabaseAway(Exception):
    """It can't be reached, or is kept busy; `about` has words for it. Nothing has changed but what was committed
    before. `sentence` is what clients and people are told."""

    sentence = "The database can't be reached at the moment. Try again in a few seconds."

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self.about = about


class OutcomeUnknown(DatabaseAway):
    """It went away while it committed: the change is in there, or it isn't."""


class DatabaseBusy(DatabaseAway):
    """A statement waited for somebody else's transaction, or worked, for too long, and was given up."""

    sentence = "The database is too busy for this at the moment. Try again in a few seconds."


class Unwritable(DatabaseAway):
    """A full disk, a read-only file system, a standby: what is there can be read, and nothing can be saved."""

    sentence = "Nothing can be saved at the moment: there is no room, or no right to write. Try again later."


class Reach:
    """Whether one database is away, or whether it can't be written to: two of them for each."""

    def __init__(self, *, lost: str = "database_away", back: str = "database_back") -> None:
        self._lost = lost
        self._back = back
        self._failed_at: float | None = None  # monotonic; None: it isn't away
        self._away_since = 0.0

    def note_away(self, error: DatabaseAway) -> DatabaseAway:
        """Log it unless that was done already; the error, for raising."""
        now = time.monotonic()
        if self._failed_at is None:
            self._away_since = now
            _log.warning(self._lost, reason=error.about)
        self._failed_at = now
        return error

    def note_answer(self) -> None:
        if self._failed_at is None:
            return
        now = time.monotonic()
        if now - self._failed_at >= QUIET_SECONDS:
            self._failed_at = None
            _log.info(self._back, after_seconds=round(now - self._away_since, 1))


def note_busy(error: DatabaseBusy, statement: str) -> DatabaseBusy:
    """Log which statement was given up; the error, for raising."""
    _log.warning("statement_given_up", reason=error.about, statement=" ".join(statement.split())[:300])
    return error


def begin_request() -> None:
    """Forget what was committed by whatever ran in this context before."""
    _committed.set(False)


def note_commit() -> None:
    _committed.set(True)


def has_committed() -> bool:
    """Whether this request has committed anything, so that it can't be answered as if nothing had happened."""
    return _committed.get()
