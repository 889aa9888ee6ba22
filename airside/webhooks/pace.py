"""Adaptive rate limit per endpoint, so that a failing, slow or backlogged endpoint doesn't delay the others.

A token bucket each: a burst, then a rate that doubles in every second with a success and halves on a failure. An
endpoint that is down is attempted only now and then, however long its backlog; a flapping one stays slow; a healthy
one soon has no limit. Each worker keeps its own buckets, in memory only.
"""

from collections.abc import Iterable

import msgspec

from airside.webhooks.queue import Restraint

BURST = 100.0  # attempts that may start at once
FIRST_RATE = 20.0  # attempts a second, initially
LOWEST_RATE = 1.0  # attempts a second to an endpoint that always fails
UNLIMITED = 1_000.0  # at this rate the limit no longer applies
ONE_AT_A_TIME = 4.0  # below this rate an endpoint has one attempt in flight at a time
DOUBLING_SECONDS = 1.0
FORGET_SECONDS = 600.0  # without an attempt, after which an endpoint's bucket is dropped


class _Allowance(msgspec.Struct):
    tokens: float
    rate: float
    counted_at: float
    changed_at: float

    def count(self, now: float) -> None:
        self.tokens = min(BURST, self.tokens + self.rate * (now - self.counted_at))
        self.counted_at = now

    @property
    def is_resting(self) -> bool:
        return self.tokens < 1 and self.rate < UNLIMITED

    @property
    def is_single(self) -> bool:
        return self.rate < ONE_AT_A_TIME


class Pace:
    """The rate limits of one worker's endpoints. Times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._kept: dict[str, _Allowance] = {}
        self._held_back: set[str] = set()
        self._swept_at = 0.0

    def restrain(self, now: float) -> Restraint:
        """Which endpoints the next claim must skip or limit."""
        resting: list[str] = []
        single: list[str] = []
        for endpoint_id in list(self._held_back):
            kept = self._kept[endpoint_id]
            kept.count(now)
            if kept.is_resting:
                resting.append(endpoint_id)
            elif kept.is_single:
                single.append(endpoint_id)
            else:
                self._held_back.discard(endpoint_id)
        return Restraint(resting, single)

    def record_claims(self, endpoint_ids: Iterable[str], now: float) -> None:
        self._forget(now)
        for endpoint_id in endpoint_ids:
            kept = self._kept.setdefault(endpoint_id, _Allowance(BURST, FIRST_RATE, now, now))
            kept.count(now)
            kept.tokens -= 1
            self._weigh(endpoint_id, kept)

    def record_outcome(self, endpoint_id: str, *, is_success: bool, begun: float, now: float) -> None:
        """Record the outcome of an attempt that began at `begun`. Concurrent failures halve the rate only once."""
        kept = self._kept.get(endpoint_id)
        if kept is None:
            return
        kept.count(now)
        if is_success and now - kept.changed_at >= DOUBLING_SECONDS:
            kept.rate, kept.changed_at = min(kept.rate * 2, UNLIMITED), now
        elif not is_success and begun >= kept.changed_at:
            kept.rate, kept.changed_at = max(kept.rate / 2, LOWEST_RATE), now
            kept.tokens = min(kept.tokens, 1.0)
        self._weigh(endpoint_id, kept)

    def _weigh(self, endpoint_id: str, kept: _Allowance) -> None:
        if kept.is_resting or kept.is_single:
            self._held_back.add(endpoint_id)

    def _forget(self, now: float) -> None:
        """Drop the buckets of endpoints without recent attempts."""
        if now - self._swept_at < FORGET_SECONDS:
            return
        self._swept_at = now
        for key in [key for key, one in self._kept.items() if now - one.counted_at > FORGET_SECONDS]:
            del self._kept[key]
            self._held_back.discard(key)
