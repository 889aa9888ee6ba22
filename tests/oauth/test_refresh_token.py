"""Rotation: each refresh token once, its lost answer again, anything older the end of the family."""

import asyncio
from typing import Any

import pytest

from airside.apps.registry import create_app
from airside.oauth.grants.refresh_token import REPEATS
from airside.oauth.tables import refresh_tokens, token_families
from airside.site import Site
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
        await tx.update(refresh_tokens, {"repeats": REPEATS - 1})
    answers = [await app_side.refresh(first["refresh_token"]) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 400, 400]
    assert answers[-1].body["error"] == "invalid_grant"
    assert not await is_family_revoked(site)
    assert await app_side.works(second["access_token"])
    assert (await app_side.refresh(second["refresh_token"])).status == 200


async def test_rf3_after_the_grace_a_reuse_ends_the_family(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    clock.advance(seconds=61)
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"
    assert await is_family_revoked(site)
    assert not await app_side.works(first["access_token"])
    assert not await app_side.works(second["access_token"])
    assert (await app_side.refresh(second["refresh_token"])).body["error"] == "invalid_grant"


async def test_rf3_the_person_is_told_of_it(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    first = await app_side.user_tokens(cast.ben)
    await app_side.refresh(first["refresh_token"])
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


async def test_rf6_ninety_idle_days_end_it_and_each_use_starts_them_anew(
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
