"""How often something was revoked in this process: the sign for its caches of credentials to start afresh.

Other processes notice within a second, when what they cached has run out.
"""

from airside.db.database import Transaction


class Revocations:
    """A number that only grows; a cache filled at another number is stale."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, tx: Transaction) -> None:
        """Count one once `tx` is committed."""
        tx.on_commit(self._grow)

    def _grow(self) -> None:
        self.count += 1


revocations = Revocations()
