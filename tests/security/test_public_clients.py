"""Clients that can't keep a secret (RFC 6749 §2.1, RFC 8252): PKCE in its place (PK1 to PK3)."""

import pytest

from airside.apps.secrets import add_client_secret
from airside.developer.registration import update_app
from airside.errors import Invalid, Refused
from airside.oauth.authorize import RedirectedRefusal, open_consent_request
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import TOKEN, AppSide, authorize_query, basic, parts_of
from tests.oauth.test_authorization_code import CHALLENGE, VERIFIER
from tests.security.clients import (
    PKCE,
    make_public,
    public_code,
    public_tokens,
    redeem_publicly,
    refresh_publicly,
)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"code_challenge": CHALLENGE},
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": CHALLENGE, "code_challenge_method": "S512"},
    ],
)
async def test_pk1_a_public_client_without_s256_is_refused(
    site: Site, cast: Cast, asked: dict[str, str]
) -> None:
    app = await make_public(site, cast)
    with pytest.raises(RedirectedRefusal) as caught:
        await open_consent_request(site, authorize_query(cast, client_id=app["client_id"], **asked))
    assert parts_of(caught.value.location)["error"] == "invalid_request"


async def test_pk1_a_public_client_signs_a_person_in(app_side: AppSide, site: Site, cast: Cast) -> None:
    app = await make_public(site, cast)
    tokens = await public_tokens(app_side, app)
    assert await app_side.works(tokens["access_token"])
    fresh = (await refresh_publicly(app_side, app, tokens["refresh_token"])).body
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert await app_side.works(fresh["access_token"])


async def test_rf3_a_public_refresh_token_used_after_the_grace_ends_the_family_although_its_pair_is_unused(
    app_side: AppSide, site: Site, cast: Cast, clock: object
) -> None:
    app = await make_public(site, cast)
    first = await public_tokens(app_side, app)
    second = (await refresh_publicly(app_side, app, first["refresh_token"])).body
    clock.advance(minutes=2)  # type: ignore[attr-defined]
    assert (await refresh_publicly(app_side, app, first["refresh_token"])).body["error"] == "invalid_grant"
    assert not await app_side.works(second["access_token"])


@pytest.mark.parametrize("verifier", ["", "x" * 43, VERIFIER[:42], "ü" * 43, VERIFIER * 4])
async def test_pk2_a_wrong_or_missing_verifier_burns_the_code(
    app_side: AppSide, site: Site, cast: Cast, verifier: str
) -> None:
    app = await make_public(site, cast)
    code = await public_code(app_side, app)
    wrong = await redeem_publicly(app_side, app, code, code_verifier=verifier)
    assert (wrong.status, wrong.body["error"]) == (400, "invalid_grant")
    assert (await redeem_publicly(app_side, app, code)).body["error"] == "invalid_grant"


async def test_pk3_no_downgrade_in_either_direction(app_side: AppSide) -> None:
    plain = await app_side.redeem(await app_side.code(), code_verifier=VERIFIER)
    assert plain.body["error"] == "invalid_grant"
    challenged = await app_side.redeem(await app_side.code(**PKCE))
    assert challenged.body["error"] == "invalid_grant"


async def test_a_confidential_client_cannot_pass_for_a_public_one(app_side: AppSide) -> None:
    code = await app_side.code(**PKCE)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    answer = await app_side.post(TOKEN, fields | {"client_id": app_side.cast.client_id})
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_a_public_client_has_no_secret_and_no_bot_tokens(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    app = await make_public(site, cast)
    with pytest.raises(Refused, match="public"):
        await add_client_secret(site, app, cast.ana["id"])
    with pytest.raises(Invalid):
        await update_app(site, app["id"], cast.ana["id"], {"client_type": "confidential"})
    installed = (await app_side.consent(client_id=app["client_id"], **PKCE))["app_installation_id"]
    fields = {"grant_type": "client_credentials", "app_installation_id": installed}
    for way in ({"client_id": app["client_id"]}, {"client_id": app["client_id"], "client_secret": "x"}):
        assert (await app_side.post(TOKEN, fields | way)).body["error"] == "invalid_client"
    header = basic(app["client_id"], "")
    assert (await app_side.post(TOKEN, fields, Authorization=header)).body["error"] == "invalid_client"
