"""The time, as a thing that is handed around: tests move it, domain code never asks the system."""

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
    """An ISO 8601 time in UTC, which it is where it names no zone; None for what is no time."""
    try:
        return in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def in_utc(time: datetime) -> datetime:
    """OverflowError at the calendar's ends."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
