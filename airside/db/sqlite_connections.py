"""One connection to a SQLite file: opening, reading rows, and the meaning of its errors."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from airside.db.away import DatabaseAway, DatabaseBusy, Unwritable
from airside.db.base import Row
from airside.db.database import UniqueViolation
from airside.db.statements import Form

BUSY = "another process keeps the database file busy"
FULL = "the disk is full"
READ_ONLY = (
    "the database file can't be written to: the file system is read-only, or the file belongs to another"
)
BROKEN = "the database file can't be used"  # followed by SQLite's message


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    # The busy handler is only for opening: switching to WAL needs an exclusive lock for a moment.
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("PRAGMA temp_store=MEMORY")  # the savepoints' journal needs no file
    connection.execute("PRAGMA busy_timeout=0")
    return connection


def connect_reader(path: str) -> sqlite3.Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only=ON")
    return connection


def read(connection: sqlite3.Connection, form: Form, values: Sequence[Any]) -> list[Row]:
    """Raises UniqueViolation, and sqlite3.Error for everything else."""
    try:
        # fetchall, not fetchone: RETURNING takes effect only as its rows are read to the end
        rows = connection.execute(form.text, values).fetchall()
    except sqlite3.IntegrityError as error:
        raise as_violation(error) from error
    return [form.shape(row) for row in rows]


def as_violation(error: sqlite3.IntegrityError) -> Exception:
    if error.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return UniqueViolation(str(error))
    return error


def is_busy(error: sqlite3.Error) -> bool:
    return _kind(error) == sqlite3.SQLITE_BUSY


def was_interrupted(error: sqlite3.Error) -> bool:
    return _kind(error) == sqlite3.SQLITE_INTERRUPT


def as_away(error: sqlite3.Error) -> DatabaseAway | None:
    """The DatabaseAway of a temporary error: the file is locked, can't be written to or can't be used."""
    match _kind(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseAway(BUSY)
        case sqlite3.SQLITE_FULL:
            return Unwritable(FULL)
        case sqlite3.SQLITE_READONLY:
            return Unwritable(READ_ONLY)
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return Unwritable(f"{BROKEN}: {error}")
        case sqlite3.SQLITE_INTERRUPT:
            return DatabaseBusy("a statement took too long and was broken off")
        case _:
            return None


def _kind(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary result code
