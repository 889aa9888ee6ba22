"""client_credentials with app_installation_id."""

import pytest

from airside.apps.registry import create_app
from airside.db.base import new_id
from airside.developer.delete_app import delete_app
from airside.installations.install import install_app
from airside.installations.tables import installations
from airside.installations.uninstall import uninstall_app
from airside.oauth.tokens import resolve_token
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import AppSide
from tests.support.clocks import FrozenClock


async def test_the_token_acts_as_the_bot_in_its_workspace(app_side: AppSide, site: Site, cast: Cast) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    caller = await resolve_token(site, token)
    assert caller is not None
    assert caller.user_id == cast.installation["bot_user_id"]
    assert (caller.kind, caller.workspace_id, caller.scopes) == ("bot", cast.acme["id"], None)
    assert (await app_side.installation(token)).body[0]["id"] == cast.installation["id"]


async def test_no_refresh_token_comes_with_it(app_side: AppSide) -> None:
    assert "refresh_token" not in (await app_side.bot_token()).body


async def test_tk8_unknown_foreign_suspended_and_ended_installations_look_the_same(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    fields = {"name": "Foreign", "redirect_uris": "https://foreign.example/"}
    foreign = await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
    theirs = await install_app(site, foreign.app, cast.other["id"], cast.zoe["id"])
    suspended = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    async with site.db.transaction() as tx:
        await tx.update(installations, {"status": "suspended"}, id=suspended["id"])
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    ids = [
        new_id(),
        theirs["id"],
        suspended["id"],
        cast.installation["id"],
        "x",
        "'; DROP TABLE apps --",
        "9" * 9000,
    ]
    answers = [await app_side.bot_token(app_installation_id=one) for one in ids]
    assert {answer.status for answer in answers} == {400}
    assert all(answer.body == answers[0].body for answer in answers)
    assert answers[0].body["error"] == "invalid_grant"


async def test_an_upper_case_id_is_the_same_id(app_side: AppSide, cast: Cast) -> None:
    assert (await app_side.bot_token(app_installation_id=cast.installation["id"].upper())).status == 200


async def test_uninstalling_ends_every_token_at_once(app_side: AppSide, site: Site, cast: Cast) -> None:
    bot = (await app_side.bot_token()).body["access_token"]
    user = await app_side.user_tokens()
    assert await app_side.works(bot)
    assert await app_side.works(user["access_token"])
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert not await app_side.works(bot)
    assert not await app_side.works(user["access_token"])
    assert (await app_side.refresh(user["refresh_token"])).body["error"] == "invalid_grant"
    again = await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
    assert not await app_side.works(bot)
    fresh = await app_side.bot_token(app_installation_id=again["id"])
    assert await app_side.works(fresh.body["access_token"])


async def test_deleting_the_app_ends_its_tokens_and_its_client(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    bot = (await app_side.bot_token()).body["access_token"]
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    assert not await app_side.works(bot)
    assert (await app_side.bot_token()).status == 401


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("asked", "returned"),
    [
        (None, "projects:read projects:write"),
        ("read write", "read write projects:read projects:write"),
        ("read", "read projects:read"),
        ("projects:write", "projects:write"),
        ("projects:write  projects:write", "projects:write"),
    ],
)
async def test_the_reply_says_what_was_granted(
    app_side: AppSide, site: Site, asked: str | None, returned: str, as_json: bool
) -> None:
    fields = {
        "name": "Small",
        "redirect_uris": "https://small.example/",
        "scopes": "projects:read projects:write",
    }
    cast = app_side.cast
    small = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    there = await install_app(site, small.app, cast.acme["id"], cast.ana["id"])
    who = {"client_id": small.app["client_id"], "client_secret": small.client_secret}
    scope = {} if asked is None else {"scope": asked}
    answer = await app_side.bot_token(as_json=as_json, app_installation_id=there["id"], **who, **scope)
    assert answer.body["scope"] == returned
    caller = await resolve_token(site, answer.body["access_token"])
    assert caller is not None
    assert caller.scopes == frozenset(returned.split()) - {"read", "write"}


@pytest.mark.parametrize(
    "asked", ["customers:read", "nonsense", "write:projects", "projects:read customers:read"]
)
async def test_more_than_was_granted_is_refused(site: Site, app_side: AppSide, asked: str) -> None:
    fields = {"name": "Small", "redirect_uris": "https://small.example/", "scopes": ["projects:read"]}
    cast = app_side.cast
    small = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    there = await install_app(site, small.app, cast.acme["id"], cast.ana["id"])
    who = {"client_id": small.app["client_id"], "client_secret": small.client_secret}
    answer = await app_side.bot_token(app_installation_id=there["id"], scope=asked, **who)
    assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


async def test_a_bot_token_expires_after_a_day(app_side: AppSide, site: Site, clock: FrozenClock) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    clock.advance(seconds=86399)
    assert await app_side.works(token)
    clock.advance(seconds=1)
    assert not await app_side.works(token)
