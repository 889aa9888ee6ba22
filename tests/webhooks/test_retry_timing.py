"""When a delivery is attempted, from its first attempt to its end, for every outcome, under a clock that the test
moves: through the queue, the HTTP client and the database, with real answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import NamedTuple

import pytest
from aiohttp import web

from airside.runtime.site import Site
from airside.webhooks import send
from airside.webhooks.retry import JITTER, MAX_RETRY_AFTER, SCHEDULE
from tests.support.clocks import FrozenClock
from tests.support.hostile_receivers import redirect, reset, say
from tests.support.receivers import Misbehave, Receiver, open_raw_receiver
from tests.webhooks.scenes import attempts, deliveries, happen, listen, work

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AN_HOUR = SCHEDULE[:4]  # with the first attempt, all within one


class Case(NamedTuple):
    """The response to every attempt, and the waits between the attempts until the last."""

    waits: tuple[timedelta, ...]
    end: str  # the delivery's status
    answer: Callable[[datetime], web.Response] | None = None  # at this time
    misbehave: Misbehave | None = None
    is_exact: bool = False  # no jitter: Retry-After sets the time


def status(code: int, retry_after: str = "") -> Callable[[datetime], web.Response]:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return lambda _: web.Response(status=code, headers=headers)


def date_in(wait: timedelta) -> Callable[[datetime], web.Response]:
    """503 with Retry-After as a date, which has whole seconds."""
    return lambda now: web.Response(
        status=503, headers={"Retry-After": format_datetime(now.replace(microsecond=0) + wait, usegmt=True)}
    )


def at_least(wait: timedelta) -> tuple[timedelta, ...]:
    return tuple(max(planned, wait) for planned in SCHEDULE)


CASES = {
    **{f"{code}": Case((), "delivered", status(code)) for code in (200, 201, 202, 204)},
    **{f"{code}": Case(SCHEDULE, "failed", status(code)) for code in (408, 425, 429, 500, 502, 503, 504)},
    **{f"{code}": Case(AN_HOUR, "failed", status(code)) for code in (400, 401, 403, 404, 409, 422, 451)},
    **{f"{code}": Case(AN_HOUR, "failed", misbehave=redirect(code)) for code in (301, 302, 303, 307, 308)},
    "410": Case((), "failed", status(410)),
    "429 after 30 s": Case(at_least(timedelta(seconds=30)), "failed", status(429, "30")),
    "429 after 3 h": Case(at_least(3 * HOUR), "failed", status(429, "10800")),
    # Cut to a day each time; after five days of failing the endpoint is disabled before the schedule ends.
    "429 after a year": Case((MAX_RETRY_AFTER,) * 6, "cancelled", status(429, "31536000"), is_exact=True),
    "429 after nonsense": Case(SCHEDULE, "failed", status(429, "soon")),
    "503 after a date in 2 h": Case(at_least(2 * HOUR), "failed", date_in(2 * HOUR)),
    "503 after a past date": Case(SCHEDULE, "failed", date_in(-DAY)),
    "404 after 10 min": Case(tuple(max(10 * MINUTE, wait) for wait in AN_HOUR), "failed", status(404, "600")),
    "reset": Case(SCHEDULE, "failed", misbehave=reset),
    "no answer": Case(SCHEDULE, "failed", misbehave=say(b"")),
    "no HTTP": Case(SCHEDULE, "failed", misbehave=say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
}  # fmt: skip


async def follow(site: Site, clock: FrozenClock, case: Case, receiver: Receiver) -> list[timedelta]:
    """The waits between the attempts, each made exactly when it was due and not a microsecond earlier."""
    times: list[datetime] = []
    while True:
        if case.answer:
            receiver.answers = [case.answer(clock.time)]
        await work(site)
        times.append(clock.time)
        assert len(await attempts(site)) == len(times)
        [row] = await deliveries(site)
        due = row["next_attempt_at"]
        if due is None:
            return [later - earlier for earlier, later in pairwise(times)]
        clock.time = due - timedelta(microseconds=1)
        await work(site)
        assert len(await attempts(site)) == len(times), "before it was due"
        clock.time = due


def check(found: list[timedelta], planned: tuple[timedelta, ...], *, is_exact: bool = False) -> None:
    assert len(found) == len(planned)
    for wait, plan in zip(found, planned, strict=True):
        spread = 0 if is_exact else JITTER
        earliest = plan * (1 - spread) - timedelta(seconds=1)  # a date has whole seconds
        assert earliest <= wait <= plan * (1 + spread), (wait, plan)


@pytest.mark.parametrize("name", CASES)
async def test_every_outcome_follows_its_schedule_to_the_end(
    site: Site, clock: FrozenClock, receiver: Receiver, name: str
) -> None:
    case = CASES[name]
    if case.misbehave is None:
        await listen(site, receiver.url)
        await happen(site)
        found = await follow(site, clock, case, receiver)
    else:
        async with open_raw_receiver(case.misbehave) as url:
            await listen(site, url)
            await happen(site)
            found = await follow(site, clock, case, receiver)
    check(found, case.waits, is_exact=case.is_exact)
    [row] = await deliveries(site)
    assert row["status"] == case.end
    outcomes = [attempt["outcome"] for attempt in await attempts(site)]
    assert outcomes == ["retry"] * len(case.waits) + ["retry" if case.end == "cancelled" else case.end]


@pytest.mark.parametrize("name", ["closed port", "time-out"])
async def test_who_can_not_be_reached_or_never_answers_is_retried_for_three_days(
    site: Site, clock: FrozenClock, receiver: Receiver, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "TOTAL_SECONDS", 0.05)
    receiver.pause = 60
    await listen(site, receiver.url if name == "time-out" else "http://127.0.0.1:1/")
    await happen(site)
    check(await follow(site, clock, Case(SCHEDULE, "failed"), receiver), SCHEDULE)
    errors = {attempt["error"] for attempt in await attempts(site)}
    assert errors == {send.NO_ANSWER if name == "time-out" else send.UNREACHABLE}


async def test_a_receiver_that_comes_back_ends_the_schedule(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    answers = iter([500, 404, 429, 200])
    case = Case(SCHEDULE[:3], "delivered", lambda _: web.Response(status=next(answers)))
    check(await follow(site, clock, case, receiver), case.waits)
    assert [row["status"] for row in await deliveries(site)] == ["delivered"]
