"""A code becomes a user's tokens: once, and only as it was asked for."""

import asyncio
import base64
import hashlib

import pytest

from airside.apps.registry import create_app
from airside.developer.registration import update_app
from airside.identity.users import deactivate_user
from airside.installations.install import install_app
from airside.installations.uninstall import uninstall_app
from airside.oauth.tokens import resolve_token
from airside.runtime.site import Site
from airside.workspaces.members import remove_member
from tests.cast import REDIRECT_URI, Cast
from tests.oauth.conftest import AppSide
from tests.support.clocks import FrozenClock

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


async def test_a_code_gives_a_token_that_acts_as_the_person(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    answer = await app_side.redeem(await app_side.code())
    assert answer.status == 200
    assert answer.body["access_token"].startswith("pln_")
    assert not answer.body["access_token"].startswith("pln_bot_")
    assert answer.body["refresh_token"].startswith("pln_refresh_")
    assert (answer.body["token_type"], answer.body["expires_in"]) == ("Bearer", 86400)
    caller = await resolve_token(site, answer.body["access_token"])
    assert caller is not None
    assert (caller.user_id, caller.kind, caller.workspace_id) == (cast.ana["id"], "user", cast.acme["id"])


async def test_a_json_request_redeems_as_well(app_side: AppSide) -> None:
    assert (await app_side.redeem(await app_side.code(), as_json=True)).status == 200


async def test_cd1_a_replay_is_refused_and_ends_what_the_code_gave(app_side: AppSide) -> None:
    code = await app_side.code()
    first = (await app_side.redeem(code)).body
    assert await app_side.works(first["access_token"])
    replay = await app_side.redeem(code)
    assert (replay.status, replay.body["error"]) == (400, "invalid_grant")
    assert not await app_side.works(first["access_token"])
    assert (await app_side.refresh(first["refresh_token"])).body["error"] == "invalid_grant"


async def test_cd2_of_fifty_redemptions_at_once_one_succeeds(app_side: AppSide) -> None:
    code = await app_side.code()
    answers = await asyncio.gather(*(app_side.redeem(code) for _ in range(50)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 49


async def test_cd3_a_code_lives_sixty_seconds(app_side: AppSide, clock: FrozenClock) -> None:
    early, late = await app_side.code(), await app_side.code()
    clock.advance(seconds=59)
    assert (await app_side.redeem(early)).status == 200
    clock.advance(seconds=1)
    assert (await app_side.redeem(late)).body["error"] == "invalid_grant"


async def test_cd3_another_client_can_neither_use_nor_burn_a_code(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    fields = {"name": "Thief", "redirect_uris": REDIRECT_URI}
    thief = await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
    code = await app_side.code()
    who = {"client_id": thief.app["client_id"], "client_secret": thief.client_secret}
    assert (await app_side.redeem(code, **who)).body["error"] == "invalid_grant"
    assert (await app_side.redeem(code)).status == 200


@pytest.mark.parametrize("uri", ["https://courier.example/callback/", "https://courier.example/other", ""])
async def test_ru4_the_redirect_uri_must_be_repeated_exactly(app_side: AppSide, uri: str) -> None:
    code = await app_side.code()
    assert (await app_side.redeem(code, redirect_uri=uri)).body["error"] == "invalid_grant"
    assert (await app_side.redeem(code)).body["error"] == "invalid_grant"  # it was burned


async def test_what_was_not_sent_at_authorize_need_not_be_sent(app_side: AppSide) -> None:
    code = await app_side.code(redirect_uri="")
    fields = {"grant_type": "authorization_code", "code": code}
    assert (await app_side.token(**fields)).status == 200


async def test_the_verifier_must_fit(app_side: AppSide) -> None:
    assert (
        base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        == CHALLENGE
    )
    assert (await app_side.redeem(await app_side.code(**PKCE), code_verifier=VERIFIER)).status == 200


@pytest.mark.parametrize("verifier", ["", "x" * 43, VERIFIER + "x", VERIFIER[:42], "ü" * 43, VERIFIER * 4])
async def test_pk2_a_wrong_verifier_burns_a_confidential_clients_code(
    app_side: AppSide, verifier: str
) -> None:
    code = await app_side.code(**PKCE)
    assert (await app_side.redeem(code, code_verifier=verifier)).body["error"] == "invalid_grant"
    assert (await app_side.redeem(code, code_verifier=VERIFIER)).body["error"] == "invalid_grant"


async def test_az6_umbrella_scopes_are_returned_and_stay_within_the_registration(
    app_side: AppSide, site: Site
) -> None:
    cast = app_side.cast
    changes = {"scopes": ["projects:read", "projects.labels:write"]}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    tokens = await app_side.user_tokens(scope="read write")
    assert tokens["scope"] == "read write projects:read projects.labels:write"
    again = await app_side.refresh(tokens["refresh_token"], scope="read write")
    assert again.body["scope"] == tokens["scope"]


async def test_cd3_a_code_dies_with_its_person(app_side: AppSide, site: Site, cast: Cast) -> None:
    code = await app_side.code(cast.ben)
    await deactivate_user(site, cast.ben["id"])
    assert (await app_side.redeem(code)).body["error"] == "invalid_grant"


async def test_cd3_a_code_dies_with_its_installation(app_side: AppSide, site: Site, cast: Cast) -> None:
    code = await app_side.code()
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert (await app_side.redeem(code)).body["error"] == "invalid_grant"
    again = await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
    assert again["id"] != cast.installation["id"]
    assert (await app_side.redeem(code)).body["error"] == "invalid_grant"


async def test_tokens_end_when_their_person_leaves_or_is_deactivated(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    bens, anas = await app_side.user_tokens(cast.ben), await app_side.user_tokens(cast.ana)
    assert await app_side.works(bens["access_token"])
    await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
    assert not await app_side.works(bens["access_token"])
    assert (await app_side.refresh(bens["refresh_token"])).body["error"] == "invalid_grant"
    await deactivate_user(site, cast.ana["id"])
    assert not await app_side.works(anas["access_token"])
    assert (await app_side.refresh(anas["refresh_token"])).body["error"] == "invalid_grant"
