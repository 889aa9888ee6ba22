"""The time zones that records may name."""

from functools import cache
from zoneinfo import available_timezones


def is_time_zone(name: str) -> bool:
    """Whether the machine's time zone database has this name."""
    return name == "UTC" or name in _list_names()


@cache
def _list_names() -> frozenset[str]:
    """Read once: it opens each of some 600 files, which holds up the event loop for 20 ms."""
    return frozenset(available_timezones())
