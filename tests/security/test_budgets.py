"""RT1: tokens are free, so requests are counted for whom they stand for, over all tokens and processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from airside.db.database import Database
from airside.db.statements import Statement
from airside.errors import RateLimited
from airside.identity.api_keys import NEW_KEYS, create_api_key
from airside.oauth.expiry import clear_expired
from airside.runtime.rate_budgets import Budgets, rate_budgets, slice_size
from airside.runtime.site import Site
from airside.settings import Settings
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import TOKEN, AppSide
from tests.portal.visitor import signed_in
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.support.databases import opened

PROJECTS, ME = "/api/v1/workspaces/acme/projects/", "/api/v1/users/me/"


@asynccontextmanager
async def another_process(site: Site, count: int = 1) -> AsyncIterator[list[Any]]:
    """HTTP clients of further servers on the same database, each with connections and counts of its own."""
    async with AsyncExitStack() as stack:
        clients: list[Any] = []
        for _ in range(count):
            db = await stack.enter_async_context(opened(site.db.url))
            other = Site(settings=site.settings, db=db, sealer=site.sealer, clock=site.clock)
            clients.append(await stack.enter_async_context(testing.ASGIConductor(app_of(other))))
        yield clients


async def call(http: Any, path: str = PROJECTS, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.simulate_get(path, headers=named)


async def count_answered(calls: Iterable[Any]) -> int:
    """How many of the calls, ten at once, were answered; all others were refused with when to come back."""
    waiting, answered = list(calls), 0
    for first in range(0, len(waiting), 10):
        for answer in await asyncio.gather(*waiting[first : first + 10]):
            answered += answer.status_code == 200
            if answer.status_code != 200:
                assert_refused(answer)
    return answered


def assert_refused(answer: Any) -> None:
    seconds = int(answer.headers["retry-after"])
    assert answer.status_code == 429
    assert 1 <= seconds <= 60
    assert answer.json["detail"] == f"Retry after {seconds} seconds"


async def run(site: Site, text: str) -> None:
    async with site.db.transaction() as tx:
        await tx.fetch_all(Statement(sa.text(text)))


@pytest.fixture
async def limited(app_side: AppSide) -> AsyncIterator[AppSide]:
    app_side.site.settings.api_rate_limit = "60/minute"
    async with testing.ASGIConductor(app_of(app_side.site)) as http:
        yield AppSide(http, app_side.site, app_side.cast)


async def test_rt1_eight_bot_tokens_at_two_servers_share_one_budget(limited: AppSide) -> None:
    tokens = [(await limited.bot_token()).body["access_token"] for _ in range(8)]
    async with another_process(limited.site) as [other]:
        calls = [
            call((limited.http, other)[number % 2], Authorization=f"Bearer {tokens[number % 8]}")
            for number in range(200)
        ]
        assert 54 <= await count_answered(calls) <= 60


async def test_rt1_two_people_of_one_app_have_a_budget_each(limited: AppSide, cast: Cast) -> None:
    anas = [(await limited.user_tokens(cast.ana))["access_token"] for _ in range(3)]
    bens = (await limited.user_tokens(cast.ben))["access_token"]
    bots = (await limited.bot_token()).body["access_token"]
    calls = [call(limited.http, Authorization=f"Bearer {anas[number % 3]}") for number in range(80)]
    assert await count_answered(calls) == 60
    for token in (bens, bots):
        assert (await call(limited.http, Authorization=f"Bearer {token}")).status_code == 200
    assert_refused(await call(limited.http, Authorization=f"Bearer {anas[0]}"))


async def test_rt1_all_keys_of_a_person_share_one_budget(limited: AppSide, cast: Cast) -> None:
    keys = [(await create_api_key(limited.site, cast.ana["id"])).token for _ in range(5)]
    bens = (await create_api_key(limited.site, cast.ben["id"])).token
    assert await count_answered(call(limited.http, X_API_Key=keys[n % 5]) for n in range(80)) == 60
    assert (await call(limited.http, X_API_Key=bens)).status_code == 200


@pytest.mark.parametrize("allowed", [60, 1000])
async def test_rt1_the_sum_over_ten_servers_holds_within_a_tenth(
    db: Database, clock: FrozenClock, allowed: int
) -> None:
    """Nine that got some requests and then none, so that what they hold is wasted; one that gets all the rest."""
    async with AsyncExitStack() as stack:
        servers = [Budgets(await stack.enter_async_context(opened(db.url)), clock) for _ in range(10)]
        answered = 0
        for server in servers[:9]:
            for _ in range(2):
                await server.spend("api", f"{allowed}/minute", "bot")
                answered += 1
        with pytest.raises(RateLimited):
            while True:
                await servers[9].spend("api", f"{allowed}/minute", "bot")
                answered += 1
        assert allowed * 0.9 < answered <= allowed


@pytest.mark.parametrize("allowed", [1, 7, 60, 600, 100_000])
def test_rt1_what_servers_hold_unused_is_less_than_a_tenth(allowed: int) -> None:
    unused = [slice_size(allowed, ordinal) - 1 for ordinal in range(1, 1000)]
    assert sum(unused) <= allowed / 10


async def test_rt1_requests_at_once_are_counted_once_each(db: Database, clock: FrozenClock) -> None:
    budgets = Budgets(db, clock)
    answers = await asyncio.gather(
        *(budgets.spend("api", "60/minute", "bot") for _ in range(100)), return_exceptions=True
    )
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 40


async def test_rt1_a_cancelled_request_leaves_the_others_their_lease(
    db: Database, clock: FrozenClock
) -> None:
    budgets = Budgets(db, clock)
    tasks = [asyncio.create_task(budgets.spend("api", "60/minute", "bot")) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False, False]


async def test_rt1_a_window_costs_some_twenty_writes_whatever_its_limit(
    db: Database, clock: FrozenClock
) -> None:
    budgets = Budgets(db, clock)
    before = db.commits
    for _ in range(6000):
        await budgets.spend("api", "6000/minute", "bot")
    with pytest.raises(RateLimited):
        await budgets.spend("api", "6000/minute", "bot")
    assert db.commits - before <= 22
    for _ in range(100):  # whoever hammers on costs none
        with pytest.raises(RateLimited):
            await budgets.spend("api", "6000/minute", "bot")
    assert db.commits - before <= 22


async def test_rt1_a_new_window_starts_full_and_old_rows_go(site: Site, clock: FrozenClock) -> None:
    for _ in range(3):
        for _ in range(2):
            left = await site.budgets.spend("api", "2/minute", "bot")
        with pytest.raises(RateLimited) as refused:
            await site.budgets.spend("api", "2/minute", "bot")
        assert (left.remaining, left.reset) == (0, int(clock.now().timestamp()) + refused.value.retry_after)
        clock.advance(seconds=60)
    assert len(await site.db.find_all(rate_budgets)) == 1
    clock.advance(seconds=120)
    await clear_expired(site)
    assert await site.db.find_all(rate_budgets) == []


async def test_rt1_a_server_whose_clock_is_behind_counts_in_the_window_that_is_open(db: Database) -> None:
    ahead, behind = FrozenClock(), FrozenClock()
    behind.advance(seconds=-60)
    first, second = Budgets(db, ahead), Budgets(db, behind)
    for _ in range(5):
        await first.spend("api", "10/minute", "bot")
    for _ in range(5):
        await second.spend("api", "10/minute", "bot")
    for late in (first, second):
        with pytest.raises(RateLimited):
            await late.spend("api", "10/minute", "bot")


async def test_rt1_while_nothing_can_be_written_a_server_counts_by_itself(
    site: Site, clock: FrozenClock
) -> None:
    """A full disk or a read-only database must not refuse what only reads."""
    await run(site, "ALTER TABLE rate_budgets RENAME TO elsewhere")
    try:
        left = [await site.budgets.spend("api", "3/minute", "bot") for _ in range(3)]
        assert [one.remaining for one in left] == [2, 1, 0]
        with pytest.raises(RateLimited):
            await site.budgets.spend("api", "3/minute", "bot")
    finally:
        await run(site, "ALTER TABLE elsewhere RENAME TO rate_budgets")


async def test_rt1_what_clients_ask_before_every_request_is_nearly_unmetered(limited: AppSide) -> None:
    token = (await limited.bot_token()).body["access_token"]
    asked = [await call(limited.http, ME, Authorization=f"Bearer {token}") for _ in range(70)]
    assert {answer.status_code for answer in asked} == {200}
    assert asked[-1].headers["x-ratelimit-remaining"] == str(6000 - 70)
    answers = [await limited.installation(token) for _ in range(70)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["x-ratelimit-remaining"] == str(6000 - 140)
    assert await count_answered(call(limited.http, Authorization=f"Bearer {token}") for _ in range(70)) == 60


async def test_rt1_issuing_tokens_has_a_budget_for_each_client(limited: AppSide, site: Site) -> None:
    site.settings.token_rate_limit = "10/minute"
    first = await limited.user_tokens()
    async with another_process(site) as [other]:
        sides = [limited, AppSide(other, site, limited.cast)]
        answers = [await sides[number % 2].bot_token() for number in range(20)]
        answers.append(await limited.refresh(first["refresh_token"]))
    assert 8 <= [answer.status for answer in answers].count(200) <= 9  # the code was one
    refused = answers[-1]
    assert refused.status == 429
    assert refused.body["detail"] == f"Retry after {refused.headers['retry-after']} seconds"
    assert refused.headers["cache-control"] == "no-store"


async def test_rt1_a_stranger_uses_up_no_clients_tokens(limited: AppSide, site: Site) -> None:
    site.settings.token_rate_limit = "3/minute"
    for _ in range(10):
        asked = {"grant_type": "client_credentials", "app_installation_id": limited.cast.installation["id"]}
        asked |= {"client_id": limited.cast.client_id, "client_secret": "guess"}
        assert (await limited.http.simulate_post(TOKEN, json=asked)).status_code == 401
    assert (await limited.bot_token()).status == 200


async def test_rt1_making_keys_has_a_budget_for_each_person(site: Site, cast: Cast) -> None:
    fields = {"label": "One of many", "expires_in_days": "90", "password": PASSWORD}
    async with signed_in(site, "ana") as ana, signed_in(site, "ben") as ben:
        path = "/profile/api-keys/"
        made = [await ana.submit(await ana.get(path), path, **fields) for _ in range(21)]
        assert NEW_KEYS == "20/hour"
        assert [answer.status for answer in made] == [200] * 20 + [429]
        assert (await ben.submit(await ben.get(path), path, **fields)).status == 200


@pytest.mark.parametrize("name", ["api_rate_limit", "token_rate_limit", "registration_rate_limit"])
def test_rt1_a_rate_that_cannot_be_read_is_refused_at_start(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: "many"})


async def test_rt1_counting_costs_next_to_nothing(db: Database, clock: FrozenClock) -> None:
    """A sanity bound far above the measured microsecond, by processor time, so that load doesn't matter."""
    budgets = Budgets(db, clock)
    await budgets.spend("api", "100000000/minute", "bot")
    started = time.thread_time()
    for _ in range(10_000):
        await budgets.spend("api", "100000000/minute", "bot")
    assert time.thread_time() - started < 0.5
