"""Installing, uninstalling, installing again."""

import asyncio

import pytest

from airside.db.base import Row
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.errors import Forbidden, NotFound, Refused
from airside.events.tables import events
from airside.identity.sessions import WrongSignIn, sign_in
from airside.identity.users import get_user
from airside.installations.install import install_app
from airside.installations.read import describe_installation, find_installation, list_installations
from airside.installations.tables import installations
from airside.installations.uninstall import uninstall_app
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_endpoints
from airside.workspaces.members import find_member, list_members, remove_member
from airside.workspaces.roles import ADMIN
from tests.cast import PASSWORD, Cast, make_cast


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def event_names(site: Site, entity_id: str) -> list[str]:
    found: list[Row] = await site.db.find_all(events, entity_id=entity_id)
    return [event["name"] for event in sorted(found, key=lambda event: event["sequence"])]


async def test_the_bot_is_a_member_that_can_never_sign_in(site: Site, cast: Cast) -> None:
    bot = await get_user(site.db, cast.installation["bot_user_id"])
    member = await find_member(site.db, cast.acme["id"], bot["id"])
    assert member is not None
    assert (bot["is_bot"], bot["password_hash"], bot["display_name"]) == (True, None, "Courier")
    assert member["role"] == ADMIN
    with pytest.raises(WrongSignIn):
        await sign_in(site, bot["email"], PASSWORD)
    assert bot["id"] not in {m["id"] for m in await list_members(site.db, cast.acme["id"])}
    assert bot["id"] in {m["id"] for m in await list_members(site.db, cast.acme["id"], bots=True)}


async def test_installing_twice_gives_the_same_installation(site: Site, cast: Cast) -> None:
    again = await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
    assert again["id"] == cast.installation["id"]
    assert await event_names(site, again["id"]) == ["app.installed"]


async def test_installing_at_once_makes_one_installation(site: Site, cast: Cast) -> None:
    made = await asyncio.gather(
        *(install_app(site, cast.courier, cast.other["id"], cast.zoe["id"]) for _ in range(10))
    )
    assert len({installation["id"] for installation in made}) == 1


@pytest.mark.parametrize("who", ["ben", "gil"])
async def test_only_an_admin_installs_and_uninstalls(site: Site, cast: Cast, who: str) -> None:
    person: Row = getattr(cast, who)
    with pytest.raises(Forbidden):
        await install_app(site, cast.courier, cast.acme["id"], person["id"])
    with pytest.raises(Forbidden):
        await uninstall_app(site, cast.acme["id"], cast.installation["id"], person["id"])


async def test_a_bot_installs_nothing_although_its_role_is_admin(site: Site, cast: Cast) -> None:
    with pytest.raises(Forbidden):
        await install_app(site, cast.courier, cast.acme["id"], cast.installation["bot_user_id"])


async def test_an_outsider_gets_not_found(site: Site, cast: Cast) -> None:
    with pytest.raises(NotFound):
        await install_app(site, cast.courier, cast.acme["id"], cast.zoe["id"])
    with pytest.raises(NotFound):
        await uninstall_app(site, cast.other["id"], cast.installation["id"], cast.zoe["id"])


async def test_uninstalling_ends_the_membership_and_the_webhook(site: Site, cast: Cast) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is None
    assert await find_member(site.db, cast.acme["id"], cast.installation["bot_user_id"]) is None
    [endpoint] = await site.db.find_all(webhook_endpoints, id=cast.installation["webhook_id"])
    assert not endpoint["is_active"]
    assert await event_names(site, cast.installation["id"]) == ["app.installed", "app.uninstalled"]
    with pytest.raises(NotFound):
        await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])


async def test_a_reinstall_has_a_new_id_and_the_same_bot(site: Site, cast: Cast) -> None:
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    again = await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
    assert again["id"] != cast.installation["id"]
    assert again["bot_user_id"] == cast.installation["bot_user_id"]
    assert again["webhook_id"] not in (None, cast.installation["webhook_id"])
    assert await find_member(site.db, cast.acme["id"], again["bot_user_id"])


async def test_each_workspace_has_its_own_bot(site: Site, cast: Cast) -> None:
    there = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    assert there["bot_user_id"] != cast.installation["bot_user_id"]


async def test_a_bot_is_removed_only_by_uninstalling(site: Site, cast: Cast) -> None:
    with pytest.raises(Refused):
        await remove_member(
            site, cast.acme["id"], cast.installation["bot_user_id"], by_user_id=cast.ana["id"]
        )


async def test_the_wire_shows_the_seeds_eleven_keys(site: Site, cast: Cast) -> None:
    shown = await describe_installation(site.db, cast.installation["id"])
    assert shown == {
        "id": cast.installation["id"],
        "workspace_detail": {"name": "Acme", "slug": "acme", "id": cast.acme["id"], "logo_url": None},
        "created_at": "2026-01-05T12:00:00.123456Z",
        "updated_at": "2026-01-05T12:00:00.123456Z",
        "deleted_at": None,
        "status": "installed",
        "workspace": cast.acme["id"],
        "application": cast.courier["id"],
        "installed_by": cast.ana["id"],
        "app_bot": cast.installation["bot_user_id"],
        "webhook": cast.installation["webhook_id"],
        "created_by": cast.ana["id"],
        "updated_by": cast.ana["id"],
    }


async def test_a_changed_webhook_url_reaches_the_installations(site: Site, cast: Cast) -> None:
    changes = {"webhook_url": "https://courier.example/new/hooks", "webhook_version": "v2"}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    [endpoint] = await site.db.find_all(webhook_endpoints, id=cast.installation["webhook_id"])
    assert (endpoint["url"], endpoint["version"]) == ("https://courier.example/new/hooks", "v2")
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": None})
    [endpoint] = await site.db.find_all(webhook_endpoints, id=cast.installation["webhook_id"])
    assert not endpoint["is_active"]


async def test_a_webhook_url_given_later_makes_an_endpoint(site: Site) -> None:
    cast = await make_cast(site, webhook_url=None)
    assert cast.installation["webhook_id"] is None
    await update_app(
        site, cast.courier["id"], cast.ana["id"], {"webhook_url": "https://courier.example/new/"}
    )
    installation = await site.db.find(installations, id=cast.installation["id"])
    assert installation is not None
    assert installation["webhook_id"] is not None


async def test_granting_more_widens_the_installation_and_says_so(site: Site) -> None:
    cast = await make_cast(site, scopes="projects:read projects:write")
    wanted = ["projects:read"]
    there = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"], wanted)
    assert there["scopes"] == ["projects:read"]
    wider = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"], ["projects:write"])
    assert wider["scopes"] == ["projects:read", "projects:write"]
    assert await event_names(site, there["id"]) == ["app.installed", "app.scopes_changed"]


async def test_a_deleted_app_is_uninstalled_everywhere(site: Site, cast: Cast) -> None:
    await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    assert await list_installations(site.db, cast.acme["id"]) == []
    assert await list_installations(site.db, cast.other["id"]) == []
    with pytest.raises(NotFound):
        await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
