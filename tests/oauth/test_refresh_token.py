"""Rotation: each refresh token once, its lost answer again, anything older the end of the family."""

import asyncio
from typing import Any

import pytest

from airside.apps.registry import create_app
from airside.oauth.grants.refresh_token import MAX_REPEATS
from airside.oauth.tables import access_tokens, refresh_tokens, token_families
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import AppSide
from tests.portal.visitor import signed_in
from tests.support.clocks import FrozenClock


async def is_family_revoked(site: Site) -> bool:
    [family] = await site.db.find_all(token_families)
    return family["revoked_at"] is not None


async def test_rf1_every_refresh_gives_a_new_pair_that_works(app_side: AppSide) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    third = (await app_side.refresh(second["refresh_token"], as_json=True)).body
    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert len({pair["access_token"] for pair in (first, second, third)}) == 3
    assert await app_side.works(third["access_token"])
    assert (third["expires_in"], third["scope"]) == (86400, first["scope"])


async def test_rf2_a_lost_answer_can_be_asked_for_again(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens()
    lost = (await app_side.refresh(first["refresh_token"])).body
    clock.advance(seconds=60)
    again = (await app_side.refresh(first["refresh_token"])).body
    assert again == lost | {"expires_in": lost["expires_in"] - 60}
    assert (await app_side.refresh(again["refresh_token"])).status == 200
    assert not await is_family_revoked(site)


async def test_rf2_a_lost_answer_is_repeated_only_so_often_and_nobody_is_logged_out(
    app_side: AppSide, site: Site
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    async with site.db.transaction() as tx:
        await tx.update(refresh_tokens, {"repeats": MAX_REPEATS - 1})
    answers = [await app_side.refresh(first["refresh_token"]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 400, 400]
    assert answers[-1].body["error"] == "invalid_grant"
    assert not await is_family_revoked(site)
    assert await app_side.works(second["access_token"])
    assert (await app_side.refresh(second["refresh_token"])).status == 200


async def test_rf2_a_client_that_was_away_gets_its_unused_pair_within_a_day(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens()
    lost = (await app_side.refresh(first["refresh_token"])).body
    for seconds in (70, 24 * 3600 - 70):
        clock.advance(seconds=seconds)
        again = await app_side.refresh(first["refresh_token"])
        assert again.status == 200, again.body
        assert again.body["refresh_token"] == lost["refresh_token"]
    assert again.body["expires_in"] == 0
    assert not await is_family_revoked(site)
    third = (await app_side.refresh(lost["refresh_token"])).body
    assert await app_side.works(third["access_token"])


async def test_rf2_the_pair_that_is_given_again_works(app_side: AppSide, clock: FrozenClock) -> None:
    first = await app_side.user_tokens()
    await app_side.refresh(first["refresh_token"])
    clock.advance(seconds=3600)
    again = (await app_side.refresh(first["refresh_token"])).body
    assert await app_side.works(again["access_token"])
    assert (await app_side.refresh(again["refresh_token"])).status == 200


async def test_rf3_after_a_day_an_unused_pair_is_not_given_again(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    clock.advance(hours=24, seconds=1)
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert (await app_side.refresh(second["refresh_token"])).body["error"] == "invalid_grant"


@pytest.mark.parametrize("how", ["api", "introspection", "revocation"])
async def test_rf3_once_the_pair_was_used_its_predecessor_ends_the_family(
    app_side: AppSide, site: Site, clock: FrozenClock, how: str
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    if how == "api":
        assert await app_side.works(second["access_token"])
    elif how == "introspection":
        answer = await app_side.post("/auth/o/introspect/", app_side.own | {"token": second["access_token"]})
        assert answer.body["active"]
    else:
        await app_side.revoke(second["access_token"])
    clock.advance(seconds=61)
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert not await app_side.works(second["access_token"])


async def test_rf3_who_gets_the_pair_first_is_noticed_when_the_other_asks(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    """The attack: somebody with the client's secret and the token of a lost answer takes the pair and uses it."""
    first = await app_side.user_tokens()
    await app_side.refresh(first["refresh_token"])
    clock.advance(hours=2)
    stolen = (await app_side.refresh(first["refresh_token"])).body
    assert await app_side.works(stolen["access_token"])
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert not await app_side.works(stolen["access_token"])


async def test_rf2_the_first_use_of_a_token_is_stored_once(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    token = (await app_side.user_tokens())["access_token"]
    started = clock.now()
    for _ in range(2):  # counting the requests takes a write for the first, and one for the next few thousand
        assert await app_side.works(token)
    for _ in range(3):
        clock.advance(seconds=2)  # past the cache of callers
        before = site.db.commits
        assert await app_side.works(token)
        assert site.db.commits == before
    [row] = await site.db.find_all(access_tokens)
    assert row["used_at"] == started


async def test_rf3_after_the_grace_a_reuse_ends_the_family(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    assert await app_side.works(second["access_token"])
    clock.advance(seconds=61)
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert not await app_side.works(first["access_token"])
    assert not await app_side.works(second["access_token"])
    assert (await app_side.refresh(second["refresh_token"])).body["error"] == "invalid_grant"


async def test_rf3_the_person_is_notified(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens(cast.ben)
    second = (await app_side.refresh(first["refresh_token"])).body
    assert await app_side.works(second["access_token"])
    clock.advance(seconds=61)
    await app_side.refresh(first["refresh_token"])
    async with signed_in(site, "ben") as ben, signed_in(site, "ana") as ana:
        assert "Courier was cut off in Acme" in (await ben.get("/profile/connected-apps/")).text
        assert "was cut off" not in (await ana.get("/profile/connected-apps/")).text
    clock.advance(days=31)
    async with signed_in(site, "ben") as ben:
        assert "was cut off" not in (await ben.get("/profile/connected-apps/")).text


async def test_lifetime_and_grace_are_the_operators_choice(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    site.settings.access_token_seconds, site.settings.refresh_grace_seconds = 300, 1_800
    assert (await app_side.bot_token()).body["expires_in"] == 300
    first = await app_side.user_tokens()
    assert first["expires_in"] == 300
    second = (await app_side.refresh(first["refresh_token"])).body
    clock.advance(seconds=299)
    assert await app_side.works(second["access_token"])
    clock.advance(seconds=1_501)
    assert not await app_side.works(second["access_token"])
    again = (await app_side.refresh(first["refresh_token"])).body
    assert again == second | {"expires_in": 0}
    assert (await app_side.refresh(again["refresh_token"])).body["expires_in"] == 300


async def test_rf3_an_older_ancestor_ends_the_family_even_within_the_grace(
    app_side: AppSide, site: Site
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    third = (await app_side.refresh(second["refresh_token"])).body
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert not await app_side.works(third["access_token"])


async def test_rf4_fifty_refreshes_at_once_all_get_the_same_working_pair(
    app_side: AppSide, site: Site
) -> None:
    first = await app_side.user_tokens()
    answers = await asyncio.gather(*(app_side.refresh(first["refresh_token"]) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["refresh_token"] for answer in answers}) == 1
    assert len(await site.db.find_all(refresh_tokens)) == 2
    assert await app_side.works(answers[0].body["access_token"])


async def test_the_database_holds_no_token_in_the_clear(app_side: AppSide, site: Site) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    stored: Any = str(await site.db.find_all(refresh_tokens))
    for pair in (first, second):
        assert pair["refresh_token"] not in stored
        assert pair["access_token"] not in stored


async def test_rf5_a_refresh_may_narrow_one_access_token_but_never_widen(app_side: AppSide) -> None:
    first = await app_side.user_tokens(scope="projects:read projects:write")
    narrow = await app_side.refresh(first["refresh_token"], scope="projects:read")
    assert narrow.body["scope"] == "projects:read"
    wide = await app_side.refresh(narrow.body["refresh_token"], scope="projects:read customers:read")
    assert (wide.status, wide.body["error"]) == (400, "invalid_scope")
    whole = await app_side.refresh(narrow.body["refresh_token"])
    assert whole.body["scope"] == "projects:read projects:write"


async def test_rf5_another_client_gets_nothing_and_harms_nothing(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    fields = {"name": "Thief", "redirect_uris": "https://thief.example/"}
    thief = await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
    first = await app_side.user_tokens()
    who = {"client_id": thief.app["client_id"], "client_secret": thief.client_secret}
    stolen = await app_side.refresh(first["refresh_token"], **who)
    assert stolen.body["error"] == "invalid_grant"
    assert (await app_side.refresh(first["refresh_token"])).status == 200


async def test_rf6_it_expires_after_ninety_idle_days_and_each_use_restarts_them(
    app_side: AppSide, clock: FrozenClock
) -> None:
    pair = await app_side.user_tokens()
    for _ in range(2):
        clock.advance(days=89)
        pair = (await app_side.refresh(pair["refresh_token"])).body
        assert await app_side.works(pair["access_token"])
    clock.advance(days=90)
    assert (await app_side.refresh(pair["refresh_token"])).body["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["access_token", "code"])
async def test_nothing_else_refreshes(app_side: AppSide, kind: str) -> None:
    credential = await app_side.code() if kind == "code" else (await app_side.user_tokens())["access_token"]
    assert (await app_side.refresh(credential)).body["error"] == "invalid_grant"
