"""Counts revocations in this process, to invalidate its credential caches.

In other processes a revocation takes effect within a second, when their cache entries expire.
"""

from airside.db.database import Transaction


class Revocations:
    """A counter that only grows; a cache filled at a lower count is stale."""

    def __init__(self) -> None:
        self.count = 0

    def record(self, tx: Transaction) -> None:
        """Count a revocation once `tx` is committed."""
        tx.on_commit(self._grow)

    def _grow(self) -> None:
        self.count += 1


revocations = Revocations()
