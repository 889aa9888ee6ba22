"""Suspending an installed app: everything stops at once, and resumes unchanged."""

import pytest

from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Forbidden, NotFound
from airside.events.tables import events
from airside.installations.read import find_installation
from airside.installations.scope_requests import (
    approve_scopes,
    decline_scopes,
    find_scope_request,
    list_scope_requests,
)
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.uninstall import uninstall_app
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.oauth.conftest import AppSide

READ, WRITE = "projects:read", "projects:write"


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site, scopes=[READ])


async def names(site: Site, cast: Cast) -> list[str]:
    found: list[Row] = await site.db.find_all(events, entity_id=cast.installation["id"])
    return [event["name"] for event in sorted(found, key=lambda event: event["sequence"])]


async def test_suspended_nothing_works_and_unsuspended_everything_does(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    bot, pair = (await app_side.bot_token()).body["access_token"], await app_side.user_tokens()
    code = await app_side.code()
    await suspend_app(*where)
    assert not await app_side.works(bot)
    assert not await app_side.works(pair["access_token"])
    refreshed = await app_side.refresh(pair["refresh_token"])
    assert (refreshed.status, refreshed.body["error"]) == (400, "invalid_grant")
    suspended = await app_side.bot_token()
    unknown = await app_side.bot_token(app_installation_id=cast.acme["id"])
    assert (suspended.status, suspended.body) == (unknown.status, unknown.body)
    assert (await app_side.redeem(code)).body["error"] == "invalid_grant"
    await suspend_app(*where)  # once more changes nothing
    await unsuspend_app(*where)
    assert await app_side.works(bot)
    assert await app_side.works(pair["access_token"])
    assert (await app_side.refresh(pair["refresh_token"])).status == 200
    assert await names(site, cast) == ["app.installed", "app.suspended", "app.unsuspended"]


async def test_only_admins_of_the_workspace_suspend(site: Site, cast: Cast) -> None:
    for who in (cast.ben["id"], cast.gil["id"], cast.installation["bot_user_id"]):
        for act in (suspend_app, unsuspend_app):
            with pytest.raises(Forbidden):
                await act(site, cast.acme["id"], cast.installation["id"], who)
    with pytest.raises(NotFound):
        await suspend_app(site, cast.other["id"], cast.installation["id"], cast.zoe["id"])


# -- asking for more --


async def test_a_registration_that_grows_waits_for_an_admin(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    old = (await app_side.bot_token()).body
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": [READ, WRITE]})
    [request] = await list_scope_requests(site.db, cast.acme["id"])
    assert (request["scopes"], request["asked_by_id"]) == ([WRITE], None)
    assert (await app_side.bot_token(scope=WRITE)).body["error"] == "invalid_scope"
    where = (site, cast.acme["id"], cast.installation["id"])
    with pytest.raises(Forbidden):
        await approve_scopes(*where, cast.ben["id"])
    granted = await approve_scopes(*where, cast.ana["id"])
    assert granted["scopes"] == [READ, WRITE]
    assert await names(site, cast) == ["app.installed", "app.scopes_changed"]
    assert (await app_side.bot_token(scope=WRITE)).body["scope"] == WRITE
    made = await app_side.http.simulate_post(
        "/api/v1/workspaces/acme/projects/",
        headers={"Authorization": f"Bearer {old['access_token']}"},
        json={"name": "Sail", "identifier": "SAIL"},
    )
    assert made.status_code == 403, "a token that exists keeps the scopes it has"


async def test_declined_it_keeps_what_it_has_and_people_cannot_nag(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": [READ, WRITE]})
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await decline_scopes(*where)
    with pytest.raises(NotFound):
        await decline_scopes(*where)
    installation = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installation is not None
    assert installation["scopes"] == [READ]
    pair = await app_side.user_tokens(cast.ben, scope=f"{READ} {WRITE}")
    assert pair["scope"] == READ
    assert await find_scope_request(site.db, installation["id"]) is None


async def test_a_member_who_meets_the_app_asking_for_more_asks_the_admins(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": [READ, WRITE]})
    await app_side.user_tokens(cast.ana, scope=READ)  # installs it with this only
    pair = await app_side.user_tokens(cast.ben)
    assert pair["scope"] == READ
    [request] = await list_scope_requests(site.db, cast.acme["id"])
    assert (request["scopes"], request["asked_by_id"]) == ([WRITE], cast.ben["id"])
    await app_side.user_tokens(cast.ana)  # an admin's consent grants it, and answers the question
    assert await list_scope_requests(site.db, cast.acme["id"]) == []
