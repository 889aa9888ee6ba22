"""How fast a source may be asked: by its `X-RateLimit-*` and `Retry-After`, and by answers that say "later"."""

import time
from email.utils import parsedate_to_datetime

import aiohttp

MAX_WAIT_SECONDS = 3_600.0
LIMITED = 429


class Busy(Exception):
    """The source answers 429, or with an error of its own. `wait` in seconds, if it says one."""

    def __init__(self, status: int, wait: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.wait = wait
        self.is_limit = status == LIMITED


class Pace:
    """When the next request may be sent."""

    def __init__(self) -> None:
        self._next = 0.0

    def seconds_left(self) -> float:
        return max(0.0, self._next - time.monotonic())

    def note(self, answer: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        """The answer, if it is one. Raises Busy."""
        wait, until_reset = _read_retry_after(answer), _read_reset(answer)
        if answer.status == LIMITED or answer.status >= 500:
            answer.release()
            given = wait if wait is not None else until_reset if answer.status == LIMITED else None
            raise Busy(answer.status, given)
        if answer.headers.get("X-RateLimit-Remaining") == "0" and until_reset is not None:
            self._next = time.monotonic() + until_reset
        return answer


def _read_retry_after(answer: aiohttp.ClientResponse) -> float | None:
    """In seconds, or as a date (RFC 9110 §10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_WAIT_SECONDS)
    return _seconds_until(_read_date(text), answer)


def _read_reset(answer: aiohttp.ClientResponse) -> float | None:
    """`X-RateLimit-Reset` is a time in seconds since 1970, or the seconds that are left."""
    text = answer.headers.get("X-RateLimit-Reset", "").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    number = float(text)
    return number if number <= MAX_WAIT_SECONDS else _seconds_until(number, answer)


def _seconds_until(moment: float | None, answer: aiohttp.ClientResponse) -> float | None:
    """By the source's own clock, if it shows one."""
    if moment is None:
        return None
    now = _read_date(answer.headers.get("Date", "")) or time.time()
    return min(max(moment - now, 0.0) + 1.0, MAX_WAIT_SECONDS)


def _read_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
