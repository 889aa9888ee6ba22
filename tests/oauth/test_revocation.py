"""POST /auth/o/revoke-token/: 200 for the client, an end only for its own tokens."""

import pytest

from airside.apps.registry import create_app
from airside.installations.install import install_app
from airside.installations.uninstall import uninstall_app
from airside.oauth.tables import access_tokens
from airside.oauth.tokens import MAX_MARKED
from airside.runtime.site import Site
from airside.system.credentials import hash_credential
from tests.cast import Cast
from tests.oauth.conftest import REVOKE, AppSide, basic


async def test_a_bot_token_ends(app_side: AppSide) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    other = (await app_side.bot_token()).body["access_token"]
    assert await app_side.works(token)
    answer = await app_side.revoke(token)
    assert (answer.status, answer.body) == (200, {})
    assert not await app_side.works(token)
    assert await app_side.works(other)


async def test_an_access_token_ends_alone_a_refresh_token_with_its_family(app_side: AppSide) -> None:
    first = await app_side.user_tokens()
    await app_side.revoke(first["access_token"])
    assert not await app_side.works(first["access_token"])
    second = (await app_side.refresh(first["refresh_token"])).body
    assert await app_side.works(second["access_token"])
    await app_side.revoke(second["refresh_token"])
    assert not await app_side.works(second["access_token"])
    assert (await app_side.refresh(second["refresh_token"])).body["error"] == "invalid_grant"


async def test_a_rotated_refresh_token_still_ends_its_family(app_side: AppSide) -> None:
    first = await app_side.user_tokens()
    second = (await app_side.refresh(first["refresh_token"])).body
    await app_side.revoke(first["refresh_token"])
    assert not await app_side.works(second["access_token"])


@pytest.mark.parametrize("token", ["unknown", "pln_", "plane_api_x", "x" * 10_000, "ü✈"])
async def test_an_unknown_token_is_fine(app_side: AppSide, token: str) -> None:
    assert (await app_side.revoke(token)).status == 200


@pytest.mark.parametrize("as_json", [False, True])
async def test_form_json_and_basic_mean_the_same(app_side: AppSide, as_json: bool) -> None:
    for fields, headers in (
        (app_side.own, {}),
        ({}, {"Authorization": basic(app_side.cast.client_id, app_side.cast.client_secret)}),
    ):
        token = (await app_side.bot_token()).body["access_token"]
        answer = await app_side.post(REVOKE, fields | {"token": token}, as_json=as_json, **headers)
        assert (answer.status, answer.body) == (200, {})
        assert not await app_side.works(token)


async def test_without_a_client_or_a_token_nothing_happens(app_side: AppSide) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    assert (await app_side.post(REVOKE, {"token": token})).status == 401
    wrong = {"client_id": app_side.cast.client_id, "client_secret": "wrong", "token": token}
    assert (await app_side.post(REVOKE, wrong)).status == 401
    assert (await app_side.post(REVOKE, app_side.own)).body["error"] == "invalid_request"
    assert await app_side.works(token)


async def test_anothers_tokens_are_left_alone(app_side: AppSide, site: Site, cast: Cast) -> None:
    fields = {"name": "Foreign", "redirect_uris": "https://foreign.example/"}
    foreign = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    await install_app(site, foreign.app, cast.acme["id"], cast.ana["id"])
    bot, user = (await app_side.bot_token()).body, await app_side.user_tokens()
    who = {"client_id": foreign.app["client_id"], "client_secret": foreign.client_secret}
    for token in (bot["access_token"], user["access_token"], user["refresh_token"]):
        assert (await app_side.post(REVOKE, who | {"token": token})).status == 200
    assert await app_side.works(bot["access_token"])
    assert await app_side.works(user["access_token"])
    assert (await app_side.refresh(user["refresh_token"])).status == 200


@pytest.mark.parametrize("ending", ["the family", "the installation"])
async def test_what_ends_any_number_of_tokens_marks_a_bounded_number_and_none_of_them_works(
    app_side: AppSide, site: Site, cast: Cast, ending: str
) -> None:
    tokens = await app_side.user_tokens()
    async with site.db.transaction() as tx:
        [first] = await tx.find_all(access_tokens, token_hash=hash_credential(tokens["access_token"]))
        others = [first | {"token_hash": hash_credential(f"pln_{n}")} for n in range(MAX_MARKED + 50)]
        await tx.insert_all(access_tokens, others)
    assert await app_side.works("pln_7")
    if ending == "the family":
        await app_side.revoke(tokens["refresh_token"])
    else:
        await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    marked = [row for row in await site.db.find_all(access_tokens) if row["revoked_at"] is not None]
    assert len(marked) == MAX_MARKED
    ended = {row["token_hash"] for row in marked}
    unmarked = next(f"pln_{n}" for n in range(MAX_MARKED + 50) if hash_credential(f"pln_{n}") not in ended)
    for token in ("pln_7", unmarked, tokens["access_token"]):
        assert not await app_side.works(token)
