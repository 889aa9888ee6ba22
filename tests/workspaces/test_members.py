"""Workspaces, their members and roles."""

import asyncio
from typing import Any

import pytest

from airside.db.base import Row
from airside.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from airside.events.tables import events
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace, update_workspace
from airside.workspaces.find import find_workspace, get_workspace, list_workspaces_of
from airside.workspaces.members import (
    add_member,
    find_member,
    list_members,
    remove_member,
    require_admin,
    require_member,
    set_member_role,
)
from airside.workspaces.roles import ADMIN, GUEST, MEMBER, get_role, parse_role
from tests.cast import Cast, make_cast


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def events_of(site: Site, entity_id: str) -> list[Row]:
    found = await site.db.find_all(events, entity_id=entity_id)
    return sorted(found, key=lambda event: event["sequence"])


async def test_the_owner_is_the_first_admin(site: Site, cast: Cast) -> None:
    member = await require_admin(site.db, cast.acme["id"], cast.ana["id"])
    assert member["role"] == ADMIN
    assert [event["name"] for event in await events_of(site, member["id"])] == ["workspace.member.created"]


async def test_members_are_listed_with_their_roles(site: Site, cast: Cast) -> None:
    listed = await list_members(site.db, cast.acme["id"])
    assert [(m["display_name"], m["role"]) for m in listed] == [
        ("Ana", ADMIN),
        ("Ben", MEMBER),
        ("Gil", GUEST),
    ]
    assert all("password_hash" not in member for member in listed)


async def test_a_changed_role_is_an_event_with_what_it_was(site: Site, cast: Cast) -> None:
    await set_member_role(site, cast.acme["id"], cast.ben["id"], ADMIN, by_user_id=cast.ana["id"])
    member = await require_member(site.db, cast.acme["id"], cast.ben["id"])
    [_, changed] = await events_of(site, member["id"])
    assert (changed["name"], changed["previous"]) == ("workspace.member.updated", {"role": MEMBER})
    assert changed["changes"][0]["new_value"] == ADMIN
    assert changed["actor"]["email"] == "ana@example.com"


async def test_the_same_role_again_is_no_event(site: Site, cast: Cast) -> None:
    await set_member_role(site, cast.acme["id"], cast.ben["id"], MEMBER, by_user_id=cast.ana["id"])
    member = await require_member(site.db, cast.acme["id"], cast.ben["id"])
    assert len(await events_of(site, member["id"])) == 1


async def test_a_removed_member_can_come_back(site: Site, cast: Cast) -> None:
    before = await require_member(site.db, cast.acme["id"], cast.ben["id"])
    await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
    assert await find_member(site.db, cast.acme["id"], cast.ben["id"]) is None
    assert cast.acme["id"] not in {w["id"] for w in await list_workspaces_of(site.db, cast.ben["id"])}
    back = await add_member(site, cast.acme["id"], cast.ben["id"], GUEST, by_user_id=cast.ana["id"])
    assert (back["id"], back["role"]) == (before["id"], GUEST)
    names = [event["name"].rsplit(".")[-1] for event in await events_of(site, before["id"])]
    assert names == ["created", "deleted", "created"]


async def test_anybody_may_leave_but_only_an_admin_removes(site: Site, cast: Cast) -> None:
    with pytest.raises(Forbidden):
        await remove_member(site, cast.acme["id"], cast.gil["id"], by_user_id=cast.ben["id"])
    await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ben["id"])
    with pytest.raises(NotFound):
        await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ben["id"])


async def test_the_last_admin_stays_although_a_bot_is_admin_too(site: Site, cast: Cast) -> None:
    ana = cast.ana["id"]
    with pytest.raises(Refused):
        await remove_member(site, cast.acme["id"], ana, by_user_id=ana)
    with pytest.raises(Refused):
        await set_member_role(site, cast.acme["id"], ana, MEMBER, by_user_id=ana)


async def test_two_admins_cannot_demote_each_other_at_once(site: Site, cast: Cast) -> None:
    ana, ben, acme = cast.ana["id"], cast.ben["id"], cast.acme["id"]
    await set_member_role(site, acme, ben, ADMIN, by_user_id=ana)
    await asyncio.gather(
        remove_member(site, acme, ana, by_user_id=ana),
        remove_member(site, acme, ben, by_user_id=ben),
        return_exceptions=True,
    )
    assert sum(member["role"] == ADMIN for member in await list_members(site.db, acme)) == 1


@pytest.mark.parametrize("who", ["ben", "gil"])
async def test_only_an_admin_adds_and_changes(site: Site, cast: Cast, who: str) -> None:
    by: str = getattr(cast, who)["id"]
    with pytest.raises(Forbidden):
        await add_member(site, cast.acme["id"], cast.zoe["id"], MEMBER, by_user_id=by)
    with pytest.raises(Forbidden):
        await set_member_role(site, cast.acme["id"], by, ADMIN, by_user_id=by)
    with pytest.raises(Forbidden):
        await update_workspace(site, cast.acme["id"], by, {"name": "Mine"})


async def test_an_outsider_gets_not_found(site: Site, cast: Cast) -> None:
    for workspace_id in (cast.acme["id"], "x", "\x00"):
        with pytest.raises(NotFound):
            await require_member(site.db, workspace_id, cast.zoe["id"])
    with pytest.raises(NotFound):
        await set_member_role(site, cast.acme["id"], cast.zoe["id"], MEMBER, by_user_id=cast.ana["id"])


async def test_a_bots_role_is_not_changed_by_hand(site: Site, cast: Cast) -> None:
    bot, by = cast.installation["bot_user_id"], cast.ana["id"]
    with pytest.raises(Refused):
        await set_member_role(site, cast.acme["id"], bot, GUEST, by_user_id=by)
    with pytest.raises(Refused):
        await add_member(site, cast.acme["id"], bot, ADMIN, by_user_id=by)
    with pytest.raises(Forbidden):
        await require_admin(site.db, cast.acme["id"], bot)


@pytest.mark.parametrize("role", [0, 10, 25, -5, 10**30])
async def test_a_role_is_one_of_three(site: Site, cast: Cast, role: int) -> None:
    with pytest.raises(Invalid):
        await add_member(site, cast.acme["id"], cast.zoe["id"], role, by_user_id=cast.ana["id"])


def test_roles_have_words() -> None:
    assert [parse_role(word) for word in ("admin", " Member ", "guest")] == [ADMIN, MEMBER, GUEST]
    assert get_role(GUEST).name == "Guest"
    with pytest.raises(Invalid):
        parse_role("owner")


async def test_a_taken_slug_is_a_conflict(site: Site, cast: Cast) -> None:
    with pytest.raises(Conflict):
        await create_workspace(site, name="Acme 2", slug="ACME", owner_id=cast.zoe["id"])


@pytest.mark.parametrize(
    "slug",
    ["", "-a", "a-", "a b", "ä", "a/b", "api", "Auth", "static", "x" * 49, "a\x00", "\ud800", "..", "a.b"],
)
async def test_a_slug_is_checked(site: Site, cast: Cast, slug: str) -> None:
    with pytest.raises(Invalid) as caught:
        await create_workspace(site, name="A", slug=slug, owner_id=cast.ana["id"])
    assert list(caught.value.fields) == ["slug"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\nb", "\x00", 5, None])
async def test_a_name_is_checked(site: Site, cast: Cast, name: Any) -> None:
    with pytest.raises(Invalid) as caught:
        await update_workspace(site, cast.acme["id"], cast.ana["id"], {"name": name})
    assert list(caught.value.fields) == ["name"]


async def test_neither_a_bot_nor_nobody_owns_a_workspace(site: Site, cast: Cast) -> None:
    with pytest.raises(Invalid):
        await create_workspace(site, name="B", slug="bots", owner_id=cast.installation["bot_user_id"])
    with pytest.raises(NotFound):
        await create_workspace(site, name="B", slug="bots", owner_id=cast.acme["id"])
    assert await find_workspace(site.db, "bots") is None


async def test_a_renamed_workspace_is_an_event(site: Site, cast: Cast) -> None:
    after = await update_workspace(site, cast.acme["id"], cast.ana["id"], {"name": "Acme Ltd"})
    assert after["name"] == "Acme Ltd"
    assert (await get_workspace(site.db, cast.acme["id"]))["name"] == "Acme Ltd"
    await update_workspace(site, cast.acme["id"], cast.ana["id"], {"name": "Acme Ltd"})
    [event] = await events_of(site, cast.acme["id"])
    assert (event["name"], event["previous"]) == ("workspace.updated", {"name": "Acme"})


async def test_a_workspace_is_found_by_its_slug(site: Site, cast: Cast) -> None:
    found = await find_workspace(site.db, "acme")
    assert found is not None
    assert found["id"] == cast.acme["id"]
    assert await find_workspace(site.db, "\x00") is None
    with pytest.raises(NotFound):
        await get_workspace(site.db, "acme")
