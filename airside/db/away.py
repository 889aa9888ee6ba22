"""Errors for a database that is temporarily unavailable; logged once, however many callers fail.

Each engine maps its driver's errors to these (`postgres.py`, `sqlite_connections.py`).

    DatabaseAway             it can't be reached, or is locked by another process
    ├── OutcomeUnknown       the connection was lost during COMMIT
    ├── DatabaseBusy         a statement waited for a lock, or ran, for too long
    └── Unwritable           it can be read, but not written
"""

import time
from contextvars import ContextVar

import structlog

QUIET_SECONDS = (
    5.0  # without a failure, until it counts as back: it may refuse one connection and accept the next
)
STATEMENT_SECONDS = 15.0  # timeout of a statement; longer work is done in batches

_log = structlog.get_logger("airside.db")
_committed: ContextVar[bool] = ContextVar("airside_committed", default=False)


class DatabaseAway(Exception):
    """It can't be reached, or is locked; `about` has the reason for logs. The current transaction changed nothing.
    `sentence` is the message for clients and people."""

    sentence = "The database can't be reached at the moment. Try again in a few seconds."

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self.about = about


class OutcomeUnknown(DatabaseAway):
    """The connection was lost during COMMIT: the change may or may not be committed."""


class DatabaseBusy(DatabaseAway):
    """A statement waited for another transaction's lock, or ran, for too long, and was cancelled."""

    sentence = "The database is too busy for this at the moment. Try again in a few seconds."


class Unwritable(DatabaseAway):
    """A full disk, a read-only file system, a standby: the database can be read, but not written."""

    sentence = "Nothing can be saved at the moment: there is no room, or no right to write. Try again later."


class Reach:
    """Tracks outages of one database, to log their start and end. Each has two: for reaching it and for writing."""

    def __init__(self, *, lost: str = "database_away", back: str = "database_back") -> None:
        self._lost = lost
        self._back = back
        self._failed_at: float | None = None  # monotonic; None: no outage
        self._away_since = 0.0

    def report_outage(self, error: DatabaseAway) -> DatabaseAway:
        """Log the start of an outage once; returns the error, for raising."""
        now = time.monotonic()
        if self._failed_at is None:
            self._away_since = now
            _log.warning(self._lost, reason=error.about)
        self._failed_at = now
        return error

    def report_answer(self) -> None:
        if self._failed_at is None:
            return
        now = time.monotonic()
        if now - self._failed_at >= QUIET_SECONDS:
            self._failed_at = None
            _log.info(self._back, after_seconds=round(now - self._away_since, 1))


def log_cancelled_statement(error: DatabaseBusy, statement: str) -> DatabaseBusy:
    """Log which statement was cancelled; returns the error, for raising."""
    _log.warning("statement_given_up", reason=error.about, statement=" ".join(statement.split())[:300])
    return error


def begin_request() -> None:
    """Reset `has_committed`: an earlier request may have run in this context."""
    _committed.set(False)


def mark_committed() -> None:
    _committed.set(True)


def has_committed() -> bool:
    """Whether this request has committed anything: then a later failure must not claim that nothing was done."""
    return _committed.get()
