"""When an endpoint that always fails is given up: warned of at 50, 70 and 90 % of five days, then disabled."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

LIMIT = timedelta(days=5)
WARN_AT = (50, 70, 90)  # percent of LIMIT
NOTICE = (
    LIMIT * (100 - WARN_AT[-1]) / 100
)  # what is left to act in after the last warning, however late it came


class Verdict(msgspec.Struct, frozen=True):
    """`percent` is the warning to give."""

    outcome: Literal["wait", "warn", "disable"]
    percent: int = 0


def judge_failing(
    first_failure_at: datetime, now: datetime, warned_percent: int, warned_at: datetime | None
) -> Verdict:
    """Judge after an attempt that failed, when every one since `first_failure_at` has.

    Asked at attempts only, so an endpoint that nothing is sent to is never given up for its silence."""
    percent = int((now - first_failure_at) / LIMIT * 100)
    due = max((mark for mark in WARN_AT if percent >= mark), default=0)
    if due > warned_percent:
        return Verdict("warn", due)
    if percent >= 100 and warned_at is not None and now - warned_at >= NOTICE:
        return Verdict("disable")
    return Verdict("wait")
