"""This process's counters for /metrics since they were last written to the database: plain numbers, no library.

Everything else about metrics is in airside/metrics, which is imported only when metrics are read.
"""

from bisect import bisect_left
from collections.abc import Mapping

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, as an attempt may take
ENDLESS = "+Inf"

Key = tuple[str, str]  # the name, and its label's value or ""; every label's values are a short list


class Counters:
    """Monotonic counters; adding is one dictionary update, since every request does it."""

    def __init__(self) -> None:
        self._grown: dict[Key, int] = {}

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        key = (name, label)
        self._grown[key] = self._grown.get(key, 0) + by

    def observe(self, name: str, milliseconds: int) -> None:
        """Add a value to the histogram of this name, and to its sum."""
        place = bisect_left(BUCKETS, milliseconds / 1000)
        self.add(name, str(BUCKETS[place]) if place < len(BUCKETS) else ENDLESS)
        self.add(f"{name}_sum", by=milliseconds)

    def take(self) -> dict[Key, int]:
        """The counts since the last call; they are reset."""
        taken, self._grown = self._grown, {}
        return taken

    def give_back(self, taken: Mapping[Key, int]) -> None:
        """Add back counts that couldn't be written."""
        for (name, label), by in taken.items():
            self.add(name, label, by)
