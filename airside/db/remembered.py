"""What was just read and may be used again: for at most a second, and until this process commits anything.

So a revoked token or a smaller role counts at once here, and within a second in every other process, while a
busy client's requests ask the database nothing twice.
"""

import time
from typing import Generic, TypeVar

from airside.db.database import Database

LIFETIME_SECONDS = 1.0
CAPACITY = 10_000  # entries; past it the whole is forgotten, which costs one query each

T = TypeVar("T")


class Remembered(Generic[T]):
    """A small cache in front of one kind of read."""

    def __init__(self) -> None:
        self._entries: dict[object, tuple[float, int, T]] = {}

    def find(self, db: Database, key: object) -> T | None:
        """The value, or None when it isn't known for certain any more."""
        entry = self._entries.get(key)
        if entry is None or entry[1] != db.commits or entry[0] < time.monotonic():
            return None
        return entry[2]

    def keep(self, db: Database, commits: int, key: object, value: T) -> None:
        """Keep what was read while the database was at `commits`; a commit in between voids it."""
        if commits != db.commits:
            return
        if len(self._entries) >= CAPACITY:
            self._entries.clear()
        self._entries[key] = (time.monotonic() + LIFETIME_SECONDS, commits, value)
