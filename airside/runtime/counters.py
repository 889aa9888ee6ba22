"""What this process has counted since it last wrote it down, for /metrics: plain numbers, no library.

Everything else about metrics is airside/metrics, which is only imported where somebody asks.
"""

from bisect import bisect_left
from collections.abc import Mapping

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds, as an attempt may take
ENDLESS = "+Inf"

Key = tuple[str, str]  # the name, and its label's value or ""; every label's values are a short list


class Counters:
    """Counters that only grow; adding is a dictionary's work, since it stands in every request's way."""

    def __init__(self) -> None:
        self._grown: dict[Key, int] = {}

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        key = (name, label)
        self._grown[key] = self._grown.get(key, 0) + by

    def observe(self, name: str, milliseconds: int) -> None:
        """Count into the histogram of this name, and keep the sum."""
        place = bisect_left(BUCKETS, milliseconds / 1000)
        self.add(name, str(BUCKETS[place]) if place < len(BUCKETS) else ENDLESS)
        self.add(f"{name}_sum", by=milliseconds)

    def take(self) -> dict[Key, int]:
        """What has been counted since the last time; it is the caller's from now on."""
        taken, self._grown = self._grown, {}
        return taken

    def give_back(self, taken: Mapping[Key, int]) -> None:
        """It could not be written down."""
        for (name, label), by in taken.items():
            self.add(name, label, by)
