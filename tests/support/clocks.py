"""A clock that moves only when a test advances it."""

from datetime import UTC, datetime, timedelta


class FrozenClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **delta: float) -> None:
        """Advance by a `timedelta`'s keywords."""
        self.time += timedelta(**delta)
