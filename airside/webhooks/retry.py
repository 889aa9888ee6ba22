"""The retry policy: what happens to a delivery after an attempt. Pure functions on a fixed schedule."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2  # ± this share of the wait, so that deliveries that failed together aren't retried together
MAX_SHORT = timedelta(hours=1)  # a deploy can respond 404 for a while; a lasting client error is deliberate
MAX_RETRY_AFTER = timedelta(hours=24)  # a receiver's longer Retry-After is cut to this

_TRANSIENT = frozenset({408, 425, 429})  # client errors that ask for a retry


class Decision(msgspec.Struct, frozen=True):
    """`retry_at` is set exactly when the outcome is `retry`."""

    outcome: Literal["delivered", "retry", "failed", "disable"]
    retry_at: datetime | None = None


def decide(
    status: int | None,
    attempt: int,
    now: datetime,
    *,
    retry_after: timedelta | None = None,
    jitter: float = 0.0,
) -> Decision:
    """Decide after the attempt with this number (from 1) got a response with `status`, or none (None).

    `jitter` is a random number between -JITTER and JITTER, drawn by the caller."""
    if status is not None and 200 <= status < 300:
        return Decision("delivered")
    if status == 410:
        return Decision("disable")
    if attempt > len(SCHEDULE) or (_is_short(status) and sum(SCHEDULE[:attempt], timedelta()) > MAX_SHORT):
        return Decision("failed")
    wait = SCHEDULE[attempt - 1] * (1 + jitter)
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_RETRY_AFTER))
    return Decision("retry", now + wait)


def _is_short(status: int | None) -> bool:
    """Redirects and client errors are most likely deliberate, so they are retried for an hour only."""
    return status is not None and 300 <= status < 500 and status not in _TRANSIENT


def read_retry_after(value: str, now: datetime) -> timedelta | None:
    """Retry-After as seconds or a date (RFC 9110 §10.2.3); None where absent, past or unreadable."""
    value = value.strip()
    if not value:
        return None
    try:
        if value.isascii() and value.isdigit():
            wait = timedelta(seconds=min(int(value[:10]), MAX_RETRY_AFTER.total_seconds()))
        else:
            wait = parsedate_to_datetime(value).replace(tzinfo=UTC) - now
    except (ValueError, OverflowError):  # a year of twenty digits raises OverflowError
        return None
    return wait if wait > timedelta() else None
