"""Whom a credential stands for, and for how long that is remembered."""

import asyncio
import time
from typing import Any

import pytest

from airside.audit.sources import APP, PERSON, Actor, current_actor
from airside.errors import BadRequest, InvalidToken, Unauthenticated
from airside.identity.api_keys import create_api_key, revoke_api_key
from airside.identity.users import deactivate_user
from airside.installations.install import install_app
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.uninstall import uninstall_app
from airside.oauth import callers as callers_module
from airside.oauth.callers import CallerCache
from airside.oauth.tables import access_tokens
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.tables import webhook_deliveries
from tests.cast import Cast
from tests.oauth.conftest import INSTALLATION, AppSide
from tests.support.clocks import FrozenClock


@pytest.fixture
def cache(site: Site) -> CallerCache:
    return CallerCache(site)


async def test_an_api_key_stands_for_its_owner_without_scopes(
    site: Site, cast: Cast, cache: CallerCache
) -> None:
    made = await create_api_key(site, cast.ben["id"])
    caller = await cache.resolve(None, made.token)
    assert (caller.user_id, caller.kind, caller.scopes) == (cast.ben["id"], "api_key", None)


async def test_a_missing_credential_is_distinguished_from_a_wrong_one(cache: CallerCache, cast: Cast) -> None:
    for authorization in (None, "", "Basic abc", "Token abc"):
        for key in (None, ""):
            with pytest.raises(Unauthenticated) as caught:
                await cache.resolve(authorization, key)
            assert not isinstance(caught.value, InvalidToken)
    for authorization in (
        "Bearer",
        "Bearer ",
        "Bearer x",
        "bearer pln_x",
        "Bearer pln_bot_\x00",
        "Bearer \ud800",
    ):
        with pytest.raises(InvalidToken):
            await cache.resolve(authorization, None)
    for key in ("x", "plane_api_x", "plane_api_\x00"):
        with pytest.raises(InvalidToken):
            await cache.resolve(None, key)


async def test_a_bot_token_is_taken_in_x_api_key_as_the_node_sdk_sends_it(
    cache: CallerCache, app_side: AppSide, cast: Cast
) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    caller = await cache.resolve(None, token)
    assert (caller.user_id, caller.kind) == (cast.installation["bot_user_id"], "bot")
    assert caller == await cache.resolve(f"Bearer {token}", None)
    with pytest.raises(InvalidToken):
        await cache.resolve(None, f"{token}0")


async def test_br4_two_credentials_at_once_are_refused(cache: CallerCache, site: Site, cast: Cast) -> None:
    made = await create_api_key(site, cast.ben["id"])
    with pytest.raises(BadRequest):
        await cache.resolve("Bearer pln_x", made.token)


async def test_br4_what_a_proxy_asks_for_and_an_empty_header_are_no_credential(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    key = (await create_api_key(site, cast.ben["id"])).token
    token = (await app_side.bot_token()).body["access_token"]
    for path in (INSTALLATION, "/api/v1/users/me/"):
        for authorization in ("Basic YW5hOnB3", "Digest x", "", " ", "Bearer", "Bearer "):
            headers = {"Authorization": authorization, "X-API-Key": key}
            answer = await app_side.http.simulate_get(path, headers=headers)
            alone = await app_side.http.simulate_get(path, headers={"X-API-Key": key})
            assert (answer.status_code, answer.text) == (alone.status_code, alone.text), authorization
        headers = {"Authorization": f"Bearer {token}", "X-API-Key": ""}
        assert (await app_side.http.simulate_get(path, headers=headers)).status_code == 200
    both = {"Authorization": f"Bearer {token}", "X-API-Key": key}
    assert (await app_side.http.simulate_get("/api/v1/users/me/", headers=both)).status_code == 400


async def test_br4_a_token_in_the_query_is_none(app_side: AppSide) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    for path in (INSTALLATION, "/api/v1/users/me/", "/api/v1/workspaces/acme/projects/"):
        for name in ("access_token", "token", "api_key"):
            answer = await app_side.http.simulate_get(path, params={name: token})
            assert (answer.status_code, "error=" in answer.headers["www-authenticate"]) == (401, False)
    headers = {"Authorization": f"Bearer {token}", "X-API-Key": "plane_api_x"}
    twice = await app_side.http.simulate_get("/api/v1/users/me/", headers=headers)
    assert twice.status_code == 400


@pytest.mark.parametrize("how", ["expired", "revoked", "uninstalled", "made up", "cut short", "empty"])
async def test_br2_what_is_not_live_is_an_invalid_token_for_programs(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock, how: str
) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    if how == "expired":
        clock.advance(days=1)
    elif how == "revoked":
        await app_side.revoke(token)
    elif how == "uninstalled":
        await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    else:
        token = {"made up": "pln_bot_" + "0" * 64, "cut short": token[:-1], "empty": ""}[how]
    for path in (INSTALLATION, "/api/v1/users/me/", "/api/v1/workspaces/acme/projects/"):
        answer = await app_side.http.simulate_get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, path
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert answer.headers["content-type"] == "application/json"


async def test_br5_no_other_secret_is_a_bearer_token(
    app_side: AppSide, site: Site, cast: Cast, cache: CallerCache
) -> None:
    user, key = await app_side.user_tokens(), await create_api_key(site, cast.ana["id"])
    await fan_out(site, DatabaseQueue(site))
    delivery = (await site.db.find_all(webhook_deliveries))[0]
    others = [
        delivery["id"], delivery["event_id"],
        user["refresh_token"], await app_side.code(), cast.client_secret, cast.webhook_secret, cast.client_id,
        cast.installation["id"], key.token,
    ]  # fmt: skip
    for other in others:
        with pytest.raises(InvalidToken):
            await cache.resolve(f"Bearer {other}", None)
    with pytest.raises(InvalidToken):
        await cache.resolve(None, user["access_token"])


async def test_an_expired_revoked_or_ownerless_key_is_refused(
    site: Site, cast: Cast, cache: CallerCache, clock: FrozenClock
) -> None:
    expiring, kept, bens = [
        await create_api_key(site, person["id"], expires_in_days=days)
        for person, days in ((cast.ana, 1), (cast.ana, None), (cast.ben, None))
    ]
    for made in (expiring, kept, bens):
        await cache.resolve(None, made.token)
    clock.advance(days=1)
    with pytest.raises(InvalidToken):
        await cache.resolve(None, expiring.token)
    await revoke_api_key(site, cast.ana["id"], kept.id)
    with pytest.raises(InvalidToken):
        await cache.resolve(None, kept.token)
    await deactivate_user(site, cast.ben["id"])
    with pytest.raises(InvalidToken):
        await cache.resolve(None, bens.token)


async def test_a_caller_is_remembered_for_a_second_at_most(
    app_side: AppSide, site: Site, cache: CallerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "Bearer " + (await app_side.bot_token()).body["access_token"]
    await cache.resolve(header, None)
    async with site.db.transaction() as tx:  # as another process would, past this one's count of revocations
        await tx.update(access_tokens, {"revoked_at": site.clock.now()}, kind="bot")
    await cache.resolve(header, None)
    later = time.monotonic() + 1.0
    monkeypatch.setattr(callers_module.time, "monotonic", lambda: later)
    with pytest.raises(InvalidToken):
        await cache.resolve(header, None)


async def test_a_revocation_while_a_token_is_being_looked_up_is_not_forgotten(
    app_side: AppSide, site: Site, cache: CallerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    reading, revoked = asyncio.Event(), asyncio.Event()
    real = callers_module.resolve_token

    async def slow(*args: Any) -> Any:
        found = await real(*args)
        reading.set()
        await revoked.wait()
        return found

    monkeypatch.setattr(callers_module, "resolve_token", slow)
    first = asyncio.create_task(cache.resolve(f"Bearer {token}", None))
    await reading.wait()
    await app_side.revoke(token)
    revoked.set()
    await first
    with pytest.raises(InvalidToken):
        await cache.resolve(f"Bearer {token}", None)


async def test_a_remembered_caller_is_forgotten_at_once_when_it_is_revoked_here(
    app_side: AppSide, site: Site, cast: Cast, cache: CallerCache
) -> None:
    key, user = await create_api_key(site, cast.ana["id"]), await app_side.user_tokens()
    bot = (await app_side.bot_token()).body["access_token"]
    sent = {
        "key": (None, key.token),
        "user": (f"Bearer {user['access_token']}", None),
        "bot": (f"Bearer {bot}", None),
    }
    for one in sent.values():
        await cache.resolve(*one)
    await revoke_api_key(site, cast.ana["id"], key.id)
    await expect_refused(cache, *sent["key"])
    await app_side.revoke(bot)
    await expect_refused(cache, *sent["bot"])
    await cache.resolve(*sent["user"])
    await deactivate_user(site, cast.ana["id"])
    await expect_refused(cache, *sent["user"])


async def test_tokens_of_a_suspended_installation_rest_until_it_is_unsuspended(
    app_side: AppSide, site: Site, cast: Cast, cache: CallerCache
) -> None:
    user, bot = await app_side.user_tokens(), (await app_side.bot_token()).body["access_token"]
    tokens = [f"Bearer {user['access_token']}", f"Bearer {bot}"]
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await suspend_app(*where)
    for token in tokens:
        await expect_refused(cache, token, None)
    await unsuspend_app(*where)
    for token in tokens:
        await cache.resolve(token, None)


async def expect_refused(cache: CallerCache, authorization: str | None, api_key: str | None) -> None:
    with pytest.raises(InvalidToken):
        await cache.resolve(authorization, api_key)


async def test_a_revocation_while_a_token_is_being_looked_up_is_not_forgotten_when_others_come_in_between(
    app_side: AppSide, cache: CallerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request in between sees the revocation first, so a token whose look-up finishes late must not be cached."""
    token, other = [(await app_side.bot_token()).body["access_token"] for _ in range(2)]
    reading, revoked = asyncio.Event(), asyncio.Event()
    real = callers_module.resolve_token

    async def slow(site: Site, credential: str) -> Any:
        found = await real(site, credential)
        if credential == token:
            reading.set()
            await revoked.wait()
        return found

    monkeypatch.setattr(callers_module, "resolve_token", slow)
    first = asyncio.create_task(cache.resolve(f"Bearer {token}", None))
    await reading.wait()
    await app_side.revoke(token)
    await cache.resolve(f"Bearer {other}", None)
    revoked.set()
    await first
    with pytest.raises(InvalidToken):
        await cache.resolve(f"Bearer {token}", None)


async def test_the_installation_endpoint_answers_for_the_tokens_own_only(
    app_side: AppSide, cast: Cast
) -> None:
    for token in (
        (await app_side.bot_token()).body["access_token"],
        (await app_side.user_tokens())["access_token"],
    ):
        own = cast.installation["id"]
        [shown] = (await app_side.installation(token)).body
        assert (shown["id"], shown["workspace_detail"]["slug"]) == (own, "acme")
        assert (await app_side.installation(token, f"id={own}")).body == [shown]
        for other in (cast.acme["id"], "x", "%00", "%ff", f"{own}&id=x", "'"):
            answer = await app_side.installation(token, f"id={other}")
            assert (answer.status, answer.body) == (200, []), other


async def test_the_installation_endpoint_refuses_in_the_apis_shape(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    missing = await app_side.http.simulate_get(INSTALLATION)
    assert missing.status_code == 401
    assert missing.json == {"detail": "Authentication credentials were not provided."}
    assert missing.headers["www-authenticate"].startswith("Bearer ")
    assert "error=" not in missing.headers["www-authenticate"]
    wrong = await app_side.installation("nonsense")
    assert (wrong.status, 'error="invalid_token"' in wrong.headers["www-authenticate"]) == (401, True)
    key = await create_api_key(site, cast.ana["id"])
    with_key = await app_side.http.simulate_get(INSTALLATION, headers={"X-API-Key": key.token})
    assert (with_key.status_code, with_key.json) == (200, [])


async def test_what_a_caller_does_is_audited_under_the_credentials_person_and_app(
    app_side: AppSide, site: Site, cast: Cast, cache: CallerCache
) -> None:
    bot, user = (await app_side.bot_token()).body, await app_side.user_tokens()
    for authorization, actor in (
        (bot["access_token"], Actor(APP, cast.courier["id"])),
        (user["access_token"], Actor(PERSON, cast.courier["id"])),
    ):
        await cache.resolve(f"Bearer {authorization}", None)
        assert current_actor() == actor
    await cache.resolve(None, (await create_api_key(site, cast.ana["id"])).token)
    assert current_actor() == Actor(PERSON, None)


async def test_rate_budgets_are_shared_by_the_tokens_of_a_bot_and_by_nobody_else(
    app_side: AppSide, site: Site, cast: Cast, cache: CallerCache
) -> None:
    elsewhere = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    tokens = [
        (await app_side.bot_token()).body["access_token"],
        (await app_side.bot_token()).body["access_token"],
        (await app_side.bot_token(app_installation_id=elsewhere["id"])).body["access_token"],
        (await app_side.user_tokens())["access_token"],
        (await app_side.user_tokens(cast.ben))["access_token"],
    ]
    first, second, *others = [(await cache.resolve(f"Bearer {token}", None)).budget for token in tokens]
    assert first == second
    assert len({first, *others}) == 4
    assert all({first, *others})
