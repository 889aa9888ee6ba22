"""A cache of query results, valid for at most a second and until this process commits anything.

So a revoked token or a reduced role takes effect at once in this process and within a second in all others, while
the requests of a busy client don't repeat queries.
"""

import time
from typing import Generic, TypeVar

from airside.db.database import Database

LIFETIME_SECONDS = 1.0
CAPACITY = 10_000  # entries; beyond that the cache is cleared, which costs one query per entry

T = TypeVar("T")


class Remembered(Generic[T]):
    """A small cache in front of one kind of read."""

    def __init__(self, seconds: float = LIFETIME_SECONDS, *, until_commit: bool = True) -> None:
        """`until_commit` is False for values that may be as old as `seconds`, whatever this process commits."""
        self._seconds, self._until_commit = seconds, until_commit
        self._entries: dict[object, tuple[float, int, T]] = {}

    def find(self, db: Database, key: object) -> T | None:
        """The cached value, or None when it is missing or stale."""
        entry = self._entries.get(key)
        if entry is None or entry[0] < time.monotonic() or self._is_outdated(db, entry[1]):
            return None
        return entry[2]

    def keep(self, db: Database, commits: int, key: object, value: T) -> None:
        """Cache a value read while the database was at `commits`; not if anything was committed since."""
        if self._is_outdated(db, commits):
            return
        if len(self._entries) >= CAPACITY:
            self._entries.clear()
        self._entries[key] = (time.monotonic() + self._seconds, commits, value)

    def _is_outdated(self, db: Database, commits: int) -> bool:
        return self._until_commit and commits != db.commits
