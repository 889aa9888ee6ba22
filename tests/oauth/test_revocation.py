"""POST /auth/o/revoke-token/: 200 for the client, an end only for its own tokens."""

import pytest

from airside.apps.registry import create_app
from airside.installations.install import install_app
from airside.site import Site
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
