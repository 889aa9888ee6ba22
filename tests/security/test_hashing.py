"""Hashing a password costs 64 MiB and tens of milliseconds, which nobody may have as often as they like."""

import asyncio
import threading
from collections import Counter

import pytest

from airside.errors import Busy, RateLimited
from airside.identity.passwords import MAX_CONCURRENT, MAX_WAITING, hash_password, is_password, workers
from airside.identity.users import NEW_PASSWORDS, change_password
from airside.runtime.site import Site
from airside.workspaces.invitations import accept_as_new, create_invitation, find_by_token
from tests.cast import PASSWORD, Cast, _password_hash
from tests.portal.visitor import visiting

ACCEPT = "/invitations/"


async def test_an_invitation_that_is_answered_240_times_at_once_hashes_ten(site: Site, cast: Cast) -> None:
    made = await create_invitation(site, cast.acme["id"], cast.ana["id"], email="new@example.com", role=15)
    tried = [accept_as_new(site, made.token, name="New", password=f"a password, {n}") for n in range(240)]
    answers = await asyncio.gather(*tried, return_exceptions=True)
    kinds = Counter(type(answer) for answer in answers)
    assert kinds[RateLimited] == 230
    assert kinds[tuple] == 1
    hashing = [thread for thread in threading.enumerate() if thread.name.startswith("argon2")]
    assert len(hashing) <= MAX_CONCURRENT


async def test_a_refused_invitation_says_when_to_come_back(site: Site, cast: Cast) -> None:
    made = await create_invitation(site, cast.acme["id"], cast.ana["id"], email="new@example.com", role=15)
    row = await find_by_token(site, made.token)
    for _ in range(10):
        await site.budgets.spend("invitation_hashes", "10/hour", row["id"])
    async with visiting(site) as visitor:
        page = await visitor.get(f"{ACCEPT}?token={made.token}")
        fields = {"name": "New", "password": "a good password"}
        refused = await visitor.post(ACCEPT, page.form(ACCEPT) | fields)
        assert refused.status == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        assert "Retry after" in refused.text


async def test_a_password_that_cannot_be_taken_is_not_hashed(site: Site, cast: Cast) -> None:
    made = await create_invitation(site, cast.acme["id"], cast.ana["id"], email="new@example.com", role=15)
    async with visiting(site) as visitor:
        page = await visitor.get(f"{ACCEPT}?token={made.token}")
        for _ in range(12):
            refused = await visitor.post(ACCEPT, page.form(ACCEPT) | {"name": "New", "password": "short"})
            assert refused.status == 422


async def test_a_person_changes_their_password_twenty_times_an_hour(site: Site, cast: Cast) -> None:
    for _ in range(20):
        await site.budgets.spend("new_passwords", NEW_PASSWORDS, cast.ana["id"])
    with pytest.raises(RateLimited):
        await change_password(site, cast.ana["id"], PASSWORD, "another password", keep_session="")
    await change_password(site, cast.ben["id"], PASSWORD, "another password", keep_session="")


async def test_more_than_may_wait_are_refused_and_the_others_go_on() -> None:
    held = threading.Event()
    blockers = [workers.submit(held.wait) for _ in range(MAX_CONCURRENT)]
    hashed = _password_hash()
    tasks = [
        asyncio.create_task(is_password("wrong", hashed)) for _ in range(MAX_CONCURRENT + MAX_WAITING + 5)
    ]
    try:
        refused, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert all(isinstance(task.exception(), Busy) for task in refused)
    finally:
        held.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Busy) == 5
    assert answers.count(False) == MAX_CONCURRENT + MAX_WAITING
    assert all(blocker.result() for blocker in blockers)
    assert await is_password("right and long", await hash_password("right and long"))


async def test_a_request_that_went_away_gives_its_place_back() -> None:
    for _ in range(MAX_CONCURRENT + MAX_WAITING + 5):
        task = asyncio.create_task(is_password("wrong", _password_hash()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await is_password("wrong", _password_hash()) is False
