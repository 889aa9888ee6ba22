"""When a failing endpoint is disabled: after five days, with warnings at 50, 70 and 90 % of that time."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

LIMIT = timedelta(days=5)
WARN_AT = (50, 70, 90)  # percent of LIMIT
NOTICE = LIMIT * (100 - WARN_AT[-1]) / 100  # least time between the last warning and disabling


class Verdict(msgspec.Struct, frozen=True):
    """`percent` is the warning to give."""

    outcome: Literal["wait", "warn", "disable"]
    percent: int = 0


def judge_failing(
    first_failure_at: datetime, now: datetime, warned_percent: int, warned_at: datetime | None
) -> Verdict:
    """Judge after a failed attempt, when every attempt since `first_failure_at` has failed.

    Called after attempts only, so an endpoint that receives no events is never disabled for that."""
    percent = int((now - first_failure_at) / LIMIT * 100)
    due = max((mark for mark in WARN_AT if percent >= mark), default=0)
    if due > warned_percent:
        return Verdict("warn", due)
    if percent >= 100 and warned_at is not None and now - warned_at >= NOTICE:
        return Verdict("disable")
    return Verdict("wait")
