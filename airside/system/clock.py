"""The clock, passed as a dependency: tests set the time, and domain code never reads the system's."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def read_instant(text: str) -> datetime | None:
    """Parse an ISO 8601 time, as UTC if it has no zone; None if it isn't one."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def in_utc(time: datetime) -> datetime:
    """The time in UTC; a time without a zone is taken as UTC. Raises OverflowError at the calendar's ends."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
