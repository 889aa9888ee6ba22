"""Revocation (RV1), introspection (RV2), and tokens that are for one resource only (BR6)."""

from typing import Any

import pytest

from airside.apps.registry import create_app, find_app
from airside.apps.tables import DYNAMIC
from airside.errors import Invalid, NotFound
from airside.installations.install import install_app
from airside.installations.uninstall import uninstall_app
from airside.oauth.authorize import RedirectedRefusal, open_consent_request
from airside.oauth.resource_servers import add_resource_server, remove_resource_server
from airside.runtime.site import Site
from airside.workspaces.members import remove_member
from tests.cast import Cast
from tests.oauth.conftest import REVOKE, Answer, AppSide, authorize_query, parts_of
from tests.security.clients import (
    PKCE,
    make_public,
    make_unowned,
    public_code,
    public_tokens,
    redeem_publicly,
    refresh_publicly,
)
from tests.support.clocks import FrozenClock

INTROSPECT = "/auth/o/introspect/"
MCP = "https://mcp.example/mcp"


async def introspect(app_side: AppSide, token: str, **fields: str) -> Answer:
    return await app_side.post(INTROSPECT, app_side.own | {"token": token} | fields)


async def make_foreign(site: Site, cast: Cast) -> dict[str, str]:
    fields = {"name": "Foreign", "redirect_uris": "https://foreign.example/"}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    await install_app(site, made.app, cast.acme["id"], cast.ana["id"])
    return {"client_id": made.app["client_id"], "client_secret": made.client_secret}


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
async def test_rv1_a_hint_changes_nothing(app_side: AppSide, hint: str) -> None:
    tokens = await app_side.user_tokens()
    params = app_side.own | {"token": tokens["refresh_token"], "token_type_hint": hint}
    answer = await app_side.post(REVOKE, params)
    assert (answer.status, answer.body) == (200, {})
    assert not await app_side.works(tokens["access_token"])


async def test_rv1_an_unknown_token_and_anothers_look_alike_and_nothing_ends(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    tokens, foreign = await app_side.user_tokens(), await make_foreign(site, cast)
    unknown = await app_side.post(REVOKE, foreign | {"token": "pln_unknown"})
    anothers = await app_side.post(REVOKE, foreign | {"token": tokens["access_token"]})
    assert (unknown.status, unknown.body) == (anothers.status, anothers.body) == (200, {})
    assert await app_side.works(tokens["access_token"])
    assert (await app_side.post(REVOKE, {"token": tokens["access_token"]})).status == 401


async def test_rv1_a_public_client_ends_its_own_tokens_only(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    app = await make_public(site, cast)
    own, couriers = await public_tokens(app_side, app), await app_side.user_tokens()
    for token in (own["refresh_token"], couriers["refresh_token"]):
        assert (await app_side.post(REVOKE, {"client_id": app["client_id"], "token": token})).status == 200
    assert not await app_side.works(own["access_token"])
    assert await app_side.works(couriers["access_token"])


async def test_rv2_a_client_learns_what_its_own_token_is_worth(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    tokens = await app_side.user_tokens(scope="projects:read")
    access = (await introspect(app_side, tokens["access_token"])).body
    assert access == {
        "active": True,
        "scope": "projects:read",
        "client_id": cast.client_id,
        "token_type": "Bearer",
        "iss": site.settings.origin,
        "aud": f"{site.settings.origin}/api/v1",
        "sub": cast.ana["id"],
        "iat": int(site.clock.now().timestamp()),
        "exp": int(site.clock.now().timestamp()) + 86_400,
        "app_installation_id": cast.installation["id"],
        "workspace": cast.acme["id"],
    }
    refresh = (await introspect(app_side, tokens["refresh_token"])).body
    assert (refresh["active"], refresh["token_type"]) == (True, "refresh_token")
    bot = (await app_side.bot_token()).body["access_token"]
    assert (await introspect(app_side, bot)).body["sub"] == cast.installation["bot_user_id"]


async def test_rv2_everything_else_is_inactive_and_nothing_more(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    bens = await app_side.user_tokens(cast.ben)
    rotated = await app_side.user_tokens()
    await app_side.refresh(rotated["refresh_token"])
    revoked = await app_side.user_tokens()
    await app_side.revoke(revoked["refresh_token"])
    foreign = await make_foreign(site, cast)
    for token in (bens["access_token"], bens["refresh_token"]):
        answer = await app_side.post(INTROSPECT, foreign | {"token": token})
        assert (answer.status, answer.body) == (200, {"active": False})
        assert answer.headers["cache-control"] == "no-store"
    await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
    code = await app_side.code()
    dead = ["unknown", "plane_api_x", "ü✈", code, app_side.cast.client_secret, rotated["refresh_token"]]
    dead += [bens["access_token"], bens["refresh_token"], revoked["access_token"], revoked["refresh_token"]]
    for token in dead:
        answer = await introspect(app_side, token, token_type_hint="refresh_token")
        assert (answer.status, answer.body) == (200, {"active": False})
    live = await app_side.user_tokens()
    clock.advance(days=2)
    assert (await introspect(app_side, live["access_token"])).body == {"active": False}
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert (await introspect(app_side, live["refresh_token"])).body == {"active": False}


async def test_rv2_introspection_needs_a_client_with_a_secret(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    app = await make_public(site, cast)
    token = (await public_tokens(app_side, app))["access_token"]
    for params in ({}, {"client_id": app["client_id"]}, {"client_id": cast.client_id, "client_secret": "x"}):
        answer = await app_side.post(INTROSPECT, params | {"token": token})
        assert (answer.status, answer.body["error"]) == (401, "invalid_client")
        assert answer.headers["cache-control"] == "no-store"
    assert (await app_side.post(INTROSPECT, app_side.own)).body["error"] == "invalid_request"
    assert (await app_side.http.simulate_get(INTROSPECT)).status_code == 405


async def test_rv2_a_resource_server_learns_what_others_hold_for_it_and_nothing_else(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    pocket = await make_public(site, cast)
    for_mcp = await public_tokens(app_side, pocket, resource=MCP)
    for_api = (await public_tokens(app_side, pocket))["access_token"]
    for_another = (await public_tokens(app_side, pocket, resource=f"{MCP}/other"))["access_token"]
    guard = await make_foreign(site, cast)
    app = await find_app(site.db, guard["client_id"])
    assert app is not None

    async def ask(token: str) -> dict[str, Any]:
        answer = await app_side.post(INTROSPECT, guard | {"token": token})
        assert answer.status == 200
        return answer.body

    assert await ask(for_mcp["access_token"]) == {"active": False}
    assert await add_resource_server(site, app, f"{MCP}/") == MCP
    params = await ask(for_mcp["access_token"])
    assert (params["active"], params["aud"], params["client_id"]) == (True, MCP, pocket["client_id"])
    assert (params["sub"], params["workspace"]) == (cast.ana["id"], cast.acme["id"])
    couriers = (await app_side.bot_token()).body["access_token"]
    for token in (for_mcp["refresh_token"], for_api, for_another, couriers):
        assert await ask(token) == {"active": False}
    assert (await introspect(app_side, for_mcp["access_token"])).body == {"active": False}, (
        "it isn't Courier's"
    )
    await remove_resource_server(site, app, MCP)
    assert await ask(for_mcp["access_token"]) == {"active": False}


async def test_rv2_nobody_is_named_a_resource_server_of_the_api_or_without_a_secret(
    site: Site, cast: Cast
) -> None:
    origin = site.settings.origin
    for resource in (origin, f"{origin}/api/v1/", "nonsense", "mcp.example", f"{MCP}#x", "", "\0"):
        with pytest.raises(Invalid):
            await add_resource_server(site, cast.courier, resource)
    for app in (await make_public(site, cast), await make_unowned(site, DYNAMIC, client_type="confidential")):
        with pytest.raises(Invalid):
            await add_resource_server(site, app, MCP)
    with pytest.raises(NotFound):
        await remove_resource_server(site, cast.courier, MCP)


async def works_at_api(app_side: AppSide, tokens: dict[str, Any]) -> bool:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await app_side.http.simulate_get("/api/v1/users/me/", headers=headers)
    assert answer.status_code == 200 or 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    return answer.status_code == 200


async def test_br6_a_token_for_another_resource_is_refused_at_the_api(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    app = await make_public(site, cast)
    bound = await public_tokens(app_side, app, resource=MCP)
    assert not await works_at_api(app_side, bound)
    assert not await app_side.works(bound["access_token"])
    again = (await refresh_publicly(app_side, app, bound["refresh_token"], resource=MCP)).body
    assert not await works_at_api(app_side, again)


@pytest.mark.parametrize(
    "resource", ["", "{origin}", "{origin}/", "{origin}/api/v1", "{origin}/api/v1/", "{origin}/api/v2/"]
)
async def test_br6_a_token_for_the_api_works_there_and_says_so(
    app_side: AppSide, site: Site, cast: Cast, resource: str
) -> None:
    app = await make_unowned(site, DYNAMIC, client_type="public")
    tokens = await public_tokens(app_side, app, resource=resource.format(origin=site.settings.origin))
    assert await works_at_api(app_side, tokens)


async def test_br6_a_confidential_dynamic_client_can_tell_whom_its_token_is_for(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    """What a server behind Airside looks at: a token for the API is none for it, and vice versa."""
    app = await make_public(site, cast)
    swapped = await redeem_publicly(
        app_side, app, await public_code(app_side, app, resource=MCP), resource=MCP
    )
    assert swapped.status == 200
    for resource in ("https://other.example/", f"{site.settings.origin}/api/v1"):
        code = await public_code(app_side, app, resource=MCP)
        wrong = await redeem_publicly(app_side, app, code, resource=resource)
        assert (wrong.status, wrong.body["error"]) == (400, "invalid_target")
        refused = await refresh_publicly(app_side, app, swapped.body["refresh_token"], resource=resource)
        assert refused.body["error"] == "invalid_target"
    couriers = await app_side.user_tokens(resource=MCP)
    assert (await introspect(app_side, couriers["access_token"])).body["aud"].endswith("/api/v1")


async def test_br6_resource_means_nothing_for_an_app_that_an_admin_registered(app_side: AppSide) -> None:
    tokens = await app_side.user_tokens(resource=MCP)
    assert await works_at_api(app_side, tokens)
    fresh = (await app_side.refresh(tokens["refresh_token"], resource="nonsense")).body
    assert await works_at_api(app_side, fresh)


@pytest.mark.parametrize(
    "resource", ["/api", "ftp://x.example", "https://", "https://x.example/#f", "https://[", "x"]
)
async def test_br6_a_resource_that_is_no_address_is_refused(site: Site, cast: Cast, resource: str) -> None:
    app = await make_public(site, cast)
    asked = authorize_query(cast, client_id=app["client_id"], resource=resource, **PKCE)
    with pytest.raises(RedirectedRefusal) as caught:
        await open_consent_request(site, asked)
    assert parts_of(caught.value.location)["error"] == "invalid_target"
