"""Counting failed attempts for each subject and source, so that guessing is slow and others aren't locked out.

In process: each server process counts by itself, which bounds guessing well enough for secrets of 256 bits, where
the count is there for the sake of the log and the machine. What is shorter is counted in guesses.py.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from airside.errors import RateLimited

MAX_KNOWN = 100_000  # keys with a failure; past it every key asks the window


class FailedAttempts:
    """At most `allowed` failures in `minutes` for each key."""

    def __init__(self, name: str, allowed: int, minutes: int) -> None:
        # Who has never failed, which is nearly everybody, is let through without asking the window.
        self._failed: set[tuple[str, ...]] = set()
        self._item = RateLimitItemPerMinute(allowed, minutes, namespace=name)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, *key: str) -> None:
        """Raises RateLimited when the key has used up its failures."""
        if key not in self._failed and len(self._failed) < MAX_KNOWN:
            return
        if not self._limiter.test(self._item, *key):
            reset = self._limiter.get_window_stats(self._item, *key).reset_time
            raise RateLimited(max(1, math.ceil(reset - time.time())))

    def count(self, *key: str) -> None:
        if len(self._failed) < MAX_KNOWN:
            self._failed.add(key)
        self._limiter.hit(self._item, *key)
