"""Operators see who has an account and end it; admins give their workspace another name."""

import pytest

from airside.audit.tables import audit_log
from airside.events.tables import events
from airside.identity.api_keys import create_api_key, resolve_api_key
from airside.identity.users import set_operator
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace
from tests.cast import Cast
from tests.portal.visitor import signed_in, visiting
from tests.support.unproven import make_unproven

PEOPLE, SETTINGS, MEMBERS = "/admin/people/", "/acme/settings/general/", "/acme/settings/members/"


async def test_members_see_whose_account_is_deactivated(site: Site, cast: Cast) -> None:
    await set_operator(site, cast.zoe["id"], True)
    async with signed_in(site, "zoe") as zoe, signed_in(site, "ana") as ana:
        member = f"{MEMBERS}{cast.ben['id']}/"
        assert all(["Deactivated" not in (await ana.get(path)).text for path in (MEMBERS, member)])
        where = f"{PEOPLE}{cast.ben['id']}/deactivate/"
        await zoe.submit(await zoe.get(where), where)
        assert all(["Deactivated" in (await ana.get(path)).text for path in (MEMBERS, member)])


async def test_an_operator_deactivates_somebody_and_lets_them_back_in(site: Site, cast: Cast) -> None:
    await set_operator(site, cast.zoe["id"], True)
    key = await create_api_key(site, cast.ben["id"])
    await make_unproven(site, cast)
    async with signed_in(site, "zoe") as zoe, signed_in(site, "ben") as ben, visiting(site) as later:
        page = await zoe.get(PEOPLE)
        assert page.text.count("@example.com</p>") == 4
        assert "E-mail not verified" in page.text
        assert "bots.airside.invalid" not in page.text
        where = f"{PEOPLE}{cast.ben['id']}/deactivate/"
        done = await zoe.submit(await zoe.get(where), where)
        assert (done.status, done.location) == (303, PEOPLE)
        assert (await ben.get("/")).status == 303
        assert (await later.sign_in("ben@example.com")).status == 401
        assert await resolve_api_key(site, key.token) is None
        back = f"{PEOPLE}{cast.ben['id']}/reactivate/"
        assert (await zoe.submit(await zoe.get(PEOPLE), back)).location == PEOPLE
        assert (await later.sign_in("ben@example.com")).status == 303
        assert await resolve_api_key(site, key.token) is None  # what ended stays ended
    rows = [row for row in await site.db.find_all(audit_log) if row["target_id"] == cast.ben["id"]]
    done_by = {
        row["action"]: row["actor_id"] for row in rows if row["action"].startswith(("user.de", "user.re"))
    }
    assert done_by == {"user.deactivated": cast.zoe["id"], "user.reactivated": cast.zoe["id"]}


async def test_nobody_locks_every_operator_out(site: Site, cast: Cast) -> None:
    await set_operator(site, cast.zoe["id"], True)
    where = f"{PEOPLE}{cast.zoe['id']}/deactivate/"
    async with signed_in(site, "zoe") as zoe:
        assert (await zoe.submit(await zoe.get(where), where)).status == 422
        assert (await zoe.get(PEOPLE)).status == 200
        assert (await zoe.get(f"{PEOPLE}{cast.installation['bot_user_id']}/deactivate/")).status == 404


async def test_only_operators_see_who_has_an_account(site: Site, cast: Cast) -> None:
    ben = f"{PEOPLE}{cast.ben['id']}/"
    async with signed_in(site, "ana") as ana:
        token = (await ana.get("/profile/")).form("/profile/")["csrf_token"]
        assert PEOPLE not in (await ana.get("/")).text
        for path in (PEOPLE, f"{ben}deactivate/"):
            assert (await ana.get(path)).status == 404
        for path in (f"{ben}deactivate/", f"{ben}reactivate/"):
            assert (await ana.post(path, {"csrf_token": token})).status == 404
    async with signed_in(site, "ben") as still:
        assert (await still.get("/")).status == 200


async def test_an_admin_renames_the_workspace_and_its_address_stays(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        done = await ana.submit(await ana.get(SETTINGS), SETTINGS, name="Acme & Sons ")
        assert (done.status, done.location) == (303, SETTINGS)
        assert "Acme &amp; Sons" in (await ana.get(SETTINGS)).text
        for wrong in ("", "  ", "x" * 81, "a\nb"):
            assert (await ana.submit(await ana.get(SETTINGS), SETTINGS, name=wrong)).status == 422
    row = await get_workspace(site.db, cast.acme["id"])
    assert (row["name"], row["slug"]) == ("Acme & Sons", "acme")
    assert len(await site.db.find_all(events, name="workspace.updated")) == 1
    [renamed] = await site.db.find_all(audit_log, action="workspace.renamed")
    assert renamed["details"] == {"name": "Acme & Sons", "was": "Acme"}


@pytest.mark.parametrize("name", ["ben", "gil"])
async def test_only_admins_rename_the_workspace(site: Site, cast: Cast, name: str) -> None:
    async with signed_in(site, name) as person:
        token = (await person.get("/profile/")).form("/profile/")["csrf_token"]
        assert (await person.get(SETTINGS)).status == 403
        assert (await person.post(SETTINGS, {"csrf_token": token, "name": "Mine"})).status == 403
    assert (await get_workspace(site.db, cast.acme["id"]))["name"] == "Acme"
