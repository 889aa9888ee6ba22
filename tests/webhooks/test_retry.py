"""The retry decision: every outcome, with a time that the test sets."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from airside.webhooks.retry import JITTER, SCHEDULE, Decision, decide, read_retry_after

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def waits(status: int | None) -> list[timedelta]:
    """The wait before each retry, until the delivery fails for good."""
    found: list[timedelta] = []
    while (decision := decide(status, len(found) + 1, NOW)).outcome == "retry":
        assert decision.retry_at is not None
        found.append(decision.retry_at - NOW)
    assert decision == Decision("failed")
    return found


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert decide(status, 1, NOW) == Decision("delivered")


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_retried_for_three_days(status: int | None) -> None:
    assert waits(status) == list(SCHEDULE)
    assert timedelta(days=3) < sum(SCHEDULE, timedelta()) < timedelta(days=4)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 413, 422, 451])
def test_what_is_likely_meant_is_retried_for_an_hour_only(status: int) -> None:
    assert waits(status) == list(SCHEDULE[:4])
    assert sum(SCHEDULE[:4], timedelta()) < timedelta(hours=1)


def test_410_disables_at_the_first_attempt() -> None:
    assert decide(410, 1, NOW) == Decision("disable")


def test_the_schedule_only_grows() -> None:
    assert all(earlier < later for earlier, later in pairwise(SCHEDULE))


def test_jitter_moves_a_retry_by_a_fifth_at_most() -> None:
    assert decide(500, 1, NOW, jitter=-JITTER).retry_at == NOW + timedelta(seconds=4)
    assert decide(500, 1, NOW, jitter=JITTER).retry_at == NOW + timedelta(seconds=6)


def test_retry_after_delays_but_never_hastens_and_is_believed_for_a_day() -> None:
    def retry_at(**wait: float) -> datetime | None:
        return decide(503, 2, NOW, retry_after=timedelta(**wait)).retry_at

    assert retry_at(minutes=10) == NOW + timedelta(minutes=10)
    assert retry_at(seconds=1) == NOW + SCHEDULE[1]
    assert retry_at(days=400) == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 7 ", timedelta(seconds=7)),
        ("Mon, 05 Jan 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("99999999999999999999", timedelta(days=1)),
        ("0", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("١٢٠", None),
        ("Mon, 05 Jan 2026 11:00:00 GMT", None),
        ("Mon, 05 Jan 999999 11:00:00 GMT", None),
        ("Mon, 05 Jan 99999999999999999999 11:00:00 GMT", None),
        ("Mon, 05 Jan 2026 12:01:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, wait: timedelta | None) -> None:
    assert read_retry_after(value, NOW) == wait


def test_the_schedule_is_the_documented_one() -> None:
    text = " ".join((DOCS / "receive-webhooks.md").read_text().split())
    found = re.search(r"are retried after (.*?), each ±(\d+) %", text)
    assert found is not None
    units = {"s": "seconds", "min": "minutes", "h": "hours"}
    waits = re.findall(r"(\d+) (s|min|h)\b", found[1])
    assert [timedelta(**{units[unit]: int(number)}) for number, unit in waits] == list(SCHEDULE)
    assert int(found[2]) == JITTER * 100
