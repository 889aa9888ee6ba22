"""Inviting people by a link, coming in by it, and changing who may do what in a workspace."""

import re
from datetime import timedelta

import pytest

from airside.audit.tables import audit_log
from airside.events.tables import events
from airside.identity.users import find_user_by_email
from airside.runtime.site import Site
from airside.system.credentials import hash_credential
from airside.workspaces.find import find_workspace
from airside.workspaces.invitations import LIFETIME, list_invitations
from airside.workspaces.members import add_member, find_member, set_member_role
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from airside.workspaces.tables import workspace_invitations
from tests.cast import Cast
from tests.portal.visitor import Shown, Visitor, signed_in, visiting
from tests.support.api import list_events
from tests.support.clocks import FrozenClock

MEMBERS = "/acme/settings/members/"
PASSWORD = "a long enough password"


async def invite(ana: Visitor, email: str, role: str = "member") -> str:
    """The path of the link that the admin gets."""
    page = await ana.get(f"{MEMBERS}invite/")
    shown = await ana.submit(page, f"{MEMBERS}invite/", email=email, role=role)
    assert shown.status == 200, shown.text
    return link_in(shown)


def link_in(shown: Shown) -> str:
    found = re.search(r'value="https?://[^/]+(/invitations/\?token=[0-9a-f]+)"', shown.text)
    assert found, shown.text
    return found[1]


async def acts(site: Site) -> list[str]:
    rows = [row for row in await site.db.find_all(audit_log) if row["action"].startswith("invitation.")]
    return [row["action"] for row in sorted(rows, key=lambda row: row["id"])]


async def sent_events(site: Site) -> list[str]:
    rows = [row for row in await site.db.find_all(events) if row["name"].startswith("workspace.invitation.")]
    return [row["name"] for row in sorted(rows, key=lambda row: row["id"])]


async def test_somebody_new_comes_in_by_the_link_and_is_signed_in(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana, visiting(site) as eve:
        link = await invite(ana, "Eve@Example.com", "guest")
        token = link.partition("=")[2]
        stored = await site.db.find(workspace_invitations, token_hash=hash_credential(token))
        assert stored
        assert token not in str(stored)
        assert "eve@example.com" in (await ana.get(MEMBERS)).text
        assert token not in (await ana.get(MEMBERS)).text

        page = await eve.get(link)
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "Acme" in page.text
        short = await eve.submit(page, "/invitations/", name="Eve", password="short")
        assert (short.status, "Use at least" in short.text) == (422, True)
        done = await eve.submit(page, "/invitations/", name="Eve", password=PASSWORD)
        assert (done.status, done.location) == (303, "/acme/projects/")
        assert (await eve.get("/acme/projects/")).status == 200

        user = await find_user_by_email(site.db, "eve@example.com")
        assert user
        member = await find_member(site.db, cast.acme["id"], user["id"])
        assert member
        assert (member["role"], user["display_name"]) == (GUEST, "Eve")
        assert await list_invitations(site.db, cast.acme["id"]) == []
        assert await acts(site) == ["invitation.created", "invitation.accepted"]
        assert await sent_events(site) == ["workspace.invitation.created", "workspace.invitation.updated"]
        (accepted,) = await list_events(site, "workspace.invitation.updated")
        assert [change["field"] for change in accepted["changes"]] == ["accepted"]
        assert set(accepted["previous"]) == {"accepted", "responded_at"}
        assert (await eve.get(link)).status == 404  # it works once


async def test_somebody_with_an_account_signs_in_and_joins(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana, visiting(site) as zoe:
        link = await invite(ana, "zoe@example.com")
        page = await zoe.get(link)
        assert 'name="password"' not in page.text
        sign_in = re.search(r'href="(/sign-in/\?next=[^"]+)"', page.text)
        assert sign_in
        form = await zoe.get(sign_in[1])
        back = await zoe.submit(
            form, "/sign-in/", email="zoe@example.com", password="correct horse battery staple"
        )
        assert back.location == link
        done = await zoe.submit(await zoe.get(link), "/invitations/")
        assert done.location == "/acme/projects/"
        assert await find_member(site.db, cast.acme["id"], cast.zoe["id"])


async def test_the_link_lets_nobody_else_in(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        link = await invite(ana, "eve@example.com", "admin")
        page = await zoe.get(link)
        assert "zoe@example.com" in page.text
        form = page.form("/invitations/sign-out/")
        forced = await zoe.post("/invitations/", form)
        assert forced.status == 400
        assert await find_member(site.db, cast.acme["id"], cast.zoe["id"]) is None
        back = await zoe.submit(page, "/invitations/sign-out/")
        assert back.location == link
        assert 'name="password"' in (await zoe.get(link)).text


@pytest.mark.parametrize(
    ("role", "words"), [("admin", "an admin"), ("member", "a member"), ("guest", "a guest")]
)
async def test_an_invitation_names_the_role_with_its_article(
    site: Site, cast: Cast, role: str, words: str
) -> None:
    async with signed_in(site, "ana") as ana, visiting(site) as eve:
        page = await ana.get(f"{MEMBERS}invite/")
        shown = await ana.submit(page, f"{MEMBERS}invite/", email="eve@example.com", role=role)
        assert f"becomes {words} of Acme." in shown.text
        assert f"as {words}." in (await eve.get(link_in(shown))).text


async def test_a_link_ends_when_it_is_replaced_revoked_or_old(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    async with signed_in(site, "ana") as ana, visiting(site) as eve:
        first = await invite(ana, "eve@example.com")
        [row] = await list_invitations(site.db, cast.acme["id"])
        path = f"{MEMBERS}invitations/{row['id']}/"
        second = link_in(await ana.submit(await ana.get(MEMBERS), f"{path}link/"))
        assert (await eve.get(first)).status == 404
        assert (await eve.get(second)).status == 200
        clock.advance(seconds=(LIFETIME + timedelta(seconds=1)).total_seconds())
        assert (await eve.get(second)).status == 404
        assert "Expired" in (await ana.get(MEMBERS)).text
        third = link_in(await ana.submit(await ana.get(MEMBERS), f"{path}link/"))
        page = await eve.get(third)
        revoked = await ana.submit(await ana.get(f"{path}revoke/"), f"{path}revoke/")
        assert revoked.location == MEMBERS
        late = await eve.submit(page, "/invitations/", name="Eve", password=PASSWORD)
        assert late.status == 404
        assert await find_user_by_email(site.db, "eve@example.com") is None
        assert (await acts(site))[-1] == "invitation.revoked"
        assert (await sent_events(site))[-1] == "workspace.invitation.deleted"


async def test_an_invitation_takes_no_role_away(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        link = await invite(ana, "zoe@example.com", "guest")
        page = await zoe.get(link)
        await add_member(site, cast.acme["id"], cast.zoe["id"], ADMIN, by_user_id=cast.ana["id"])
        await zoe.submit(page, "/invitations/")
        member = await find_member(site.db, cast.acme["id"], cast.zoe["id"])
        assert member
        assert member["role"] == ADMIN


@pytest.mark.parametrize("email", ["ben@example.com", "not an e-mail", "", "eve@example.com"])
async def test_a_bad_address_a_member_and_one_invited_already_are_refused(
    site: Site, cast: Cast, email: str
) -> None:
    async with signed_in(site, "ana") as ana:
        await invite(ana, "eve@example.com")
        page = await ana.get(f"{MEMBERS}invite/")
        answer = await ana.submit(page, f"{MEMBERS}invite/", email=email, role="member")
        assert answer.status == 422
        assert len(await list_invitations(site.db, cast.acme["id"])) == 1


async def test_members_and_guests_invite_nobody(site: Site, cast: Cast) -> None:
    for name in ("ben", "gil"):
        async with signed_in(site, name) as person:
            assert (await person.get(f"{MEMBERS}invite/")).status == 403
            page = await person.get("/profile/")
            token = page.form("/profile/")["csrf_token"]
            form = {"csrf_token": token, "email": "eve@example.com", "role": "admin"}
            assert (await person.post(f"{MEMBERS}invite/", form)).status == 403
    assert await list_invitations(site.db, cast.acme["id"]) == []


async def test_an_admin_changes_a_role_and_removes_somebody(site: Site, cast: Cast) -> None:
    acme, ben = cast.acme["id"], f"{MEMBERS}{cast.ben['id']}/"
    async with signed_in(site, "ana") as ana:
        done = await ana.submit(await ana.get(ben), ben, role="guest")
        assert done.location == MEMBERS
        member = await find_member(site.db, acme, cast.ben["id"])
        assert member
        assert member["role"] == GUEST
        await ana.submit(await ana.get(f"{ben}remove/"), f"{ben}remove/")
        assert await find_member(site.db, acme, cast.ben["id"]) is None
        assert (await ana.get(ben)).status == 404


async def test_the_last_admin_stays_one(site: Site, cast: Cast) -> None:
    ana_path = f"{MEMBERS}{cast.ana['id']}/"
    async with signed_in(site, "ana") as ana:
        for path, filled in ((ana_path, {"role": "member"}), (f"{ana_path}remove/", {})):
            answer = await ana.submit(await ana.get(path), path, **filled)
            assert answer.status == 422
            assert "A workspace needs an admin" in answer.text
    member = await find_member(site.db, cast.acme["id"], cast.ana["id"])
    assert member
    assert member["role"] == ADMIN


async def test_anybody_leaves_and_nobody_else_is_made_to(site: Site, cast: Cast) -> None:
    async with signed_in(site, "gil") as gil:
        others = f"{MEMBERS}{cast.ben['id']}/remove/"
        token = (await gil.get("/profile/")).form("/profile/")["csrf_token"]
        assert (await gil.get(others)).status == 403
        assert (await gil.post(others, {"csrf_token": token})).status == 403
        own = f"{MEMBERS}{cast.gil['id']}/remove/"
        done = await gil.submit(await gil.get(own), own)
        assert done.location == "/"
        assert (await gil.get("/acme/projects/")).status == 404


async def test_members_are_found_by_name_and_by_e_mail(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = await ben.get(f"{MEMBERS}?q=GIL%40")
        assert "gil@example.com" in page.text
        assert "ana@example.com" not in page.text
        assert "Nobody found" in (await ben.get(f"{MEMBERS}?q=nobody")).text


async def test_a_person_makes_a_workspace_where_the_operator_lets_them(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = await ben.get("/workspaces/new/")
        taken = await ben.submit(page, "/workspaces/new/", name="Acme", slug="acme")
        assert (taken.status, "is taken" in taken.text) == (422, True)
        made = await ben.submit(page, "/workspaces/new/", name="Ben's own, Ltd.")
        assert made.location == "/ben-s-own-ltd/projects/"
        row = await find_workspace(site.db, "ben-s-own-ltd")
        assert row
        member = await find_member(site.db, row["id"], cast.ben["id"])
        assert member
        assert member["role"] == ADMIN
        site.settings.workspace_creation = "operators"
        assert (await ben.get("/workspaces/new/")).status == 403
        assert (await ben.submit(page, "/workspaces/new/", name="More")).status == 403
        assert "/workspaces/new/" not in (await ben.get("/")).text


async def test_a_link_ends_with_the_rights_of_its_creator(site: Site, cast: Cast) -> None:
    """Somebody who is no admin any more would come back by a link that they kept."""
    await set_member_role(site, cast.acme["id"], cast.ben["id"], ADMIN, by_user_id=cast.ana["id"])
    async with signed_in(site, "ben") as ben, visiting(site) as eve:
        link = await invite(ben, "eve@example.com", "admin")
        page = await eve.get(link)
        assert page.status == 200
        await set_member_role(site, cast.acme["id"], cast.ben["id"], MEMBER, by_user_id=cast.ana["id"])
        assert (await eve.get(link)).status == 404
        assert (await eve.submit(page, "/invitations/", name="Eve", password=PASSWORD)).status == 404
        assert await find_user_by_email(site.db, "eve@example.com") is None
    async with signed_in(site, "ana") as ana, visiting(site) as eve:
        [waiting] = await list_invitations(site.db, cast.acme["id"])
        renewed = await ana.submit(await ana.get(MEMBERS), f"{MEMBERS}invitations/{waiting['id']}/link/")
        assert (await eve.get(link_in(renewed))).status == 200
