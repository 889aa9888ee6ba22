"""Limits failed attempts per subject and source, so that guessing is slow and others aren't locked out.

In memory: each server process counts alone. That is enough for secrets of 256 bits, where the limit only protects
the log and the CPU. Attempts on shorter secrets are counted in guesses.py.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from airside.errors import RateLimited

MAX_KNOWN = 100_000  # keys with a failure; past it every key is checked against the limiter


class FailedAttempts:
    """At most `allowed` failures in `minutes` for each key."""

    def __init__(self, name: str, allowed: int, minutes: int) -> None:
        # Fast path: a key without a failure, as nearly all are, skips the limiter.
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
