"""Row ID1: who opened an invitation's link hasn't shown that its e-mail is theirs, since the inviter saw it too."""

import pytest
from falcon import testing

from airside.audit.tables import audit_log
from airside.errors import Refused
from airside.identity.api_keys import create_api_key, resolve_api_key
from airside.identity.proof import UnprovenEmail, prove_email
from airside.identity.sessions import WrongSignIn, find_session, sign_in, start_session
from airside.identity.users import get_user, set_operator
from airside.oauth.tokens import list_grants
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace
from airside.workspaces.find import list_workspaces_of
from airside.workspaces.invitations import (
    Ended,
    accept_as,
    create_invitation,
    find_by_token,
    list_invitations,
    renew_link,
)
from airside.workspaces.members import add_member, find_member, remove_member
from airside.workspaces.roles import ADMIN, MEMBER
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import AppSide
from tests.portal.test_members import MEMBERS, link_in
from tests.portal.visitor import signed_in, visiting
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.support.unproven import CEO, make_unproven

OTHER_PASSWORD = "one that only the owner knows"
INVITATIONS = "workspaces/acme/invitations"


async def test_id1_an_account_made_from_a_link_gets_no_right_elsewhere_without_a_yes(
    site: Site, cast: Cast
) -> None:
    stranger = await make_unproven(site, cast)
    assert [row["slug"] for row in await list_workspaces_of(site.db, stranger["id"])] == ["other"]
    by = {"by_user_id": cast.ana["id"]}
    with pytest.raises(UnprovenEmail):
        await add_member(site, cast.acme["id"], stranger["id"], ADMIN, **by)
    with pytest.raises(UnprovenEmail):
        await create_workspace(site, name="Own", slug="own", owner_id=stranger["id"])
    with pytest.raises(UnprovenEmail):
        await set_operator(site, stranger["id"], True)
    with pytest.raises(UnprovenEmail):
        await create_invitation(site, cast.acme["id"], cast.ana["id"], email=CEO, role=MEMBER)
    assert [row["slug"] for row in await list_workspaces_of(site.db, stranger["id"])] == ["other"]
    await add_member(site, cast.acme["id"], stranger["id"], MEMBER, **by, accept_unproven=True)
    await add_member(
        site, cast.acme["id"], stranger["id"], ADMIN, **by
    )  # they are there: a role is no new right
    await remove_member(site, cast.acme["id"], stranger["id"], **by)
    with pytest.raises(UnprovenEmail):
        await add_member(site, cast.acme["id"], stranger["id"], MEMBER, **by)
    added = [
        row
        for row in await site.db.find_all(audit_log, action="member.added")
        if row["target_id"] == stranger["id"]
    ]
    assert [row["details"].get("email_proven") for row in added] == [False, False]


async def test_id1_an_earlier_invitation_lets_an_account_in_only_after_a_yes(site: Site, cast: Cast) -> None:
    """Acme invited the address before the stranger made the account from another workspace's link."""
    waiting = await create_invitation(
        site, cast.acme["id"], cast.ana["id"], email=CEO, role=ADMIN, accept_unproven=True
    )
    stranger = await make_unproven(site, cast)
    with pytest.raises(UnprovenEmail):
        await accept_as(site, waiting.token, stranger["id"])
    assert await find_member(site.db, cast.acme["id"], stranger["id"]) is None
    one = (site, cast.acme["id"], waiting.invitation["id"], cast.ana["id"])
    with pytest.raises(UnprovenEmail):
        await renew_link(*one)
    renewed = await renew_link(*one, accept_unproven=True)
    await accept_as(site, renewed.token, stranger["id"])
    assert await find_member(site.db, cast.acme["id"], stranger["id"])


async def test_id1_pages_warn_and_ask_before_they_invite_an_unproven_account(site: Site, cast: Cast) -> None:
    await make_unproven(site, cast)
    invite = f"{MEMBERS}invite/"
    async with signed_in(site, "ana") as ana, visiting(site) as stranger:
        warned = await ana.submit(await ana.get(invite), invite, email=CEO, role="member")
        assert (warned.status, "is not verified" in warned.text) == (409, True)
        assert await list_invitations(site.db, cast.acme["id"]) == []
        link = link_in(await ana.submit(warned, invite))
        await stranger.sign_in(CEO)
        done = await stranger.submit(await stranger.get(link), "/invitations/")
        assert done.location == "/acme/projects/"
        assert "E-mail not verified" in (await ana.get(MEMBERS)).text


async def test_id1_a_page_that_renews_a_link_warns_and_asks_too(site: Site, cast: Cast) -> None:
    invite = f"{MEMBERS}invite/"
    async with signed_in(site, "ana") as ana, visiting(site) as stranger:
        shown = await ana.submit(await ana.get(invite), invite, email=CEO, role="member")
        assert "verify the e-mail" in shown.text
        early = link_in(shown)
        await make_unproven(site, cast)
        assert "Not your account?" in (await stranger.get(early)).text
        await stranger.sign_in(CEO)
        page = await stranger.get(early)
        assert "verified yet" in page.text
        assert "/invitations/" not in [where for where, _ in page.forms]
        [waiting] = await list_invitations(site.db, cast.acme["id"])
        renew = f"{MEMBERS}invitations/{waiting['id']}/link/"
        warned = await ana.submit(await ana.get(MEMBERS), renew)
        assert (warned.status, "is not verified" in warned.text) == (409, True)
        second = await ana.submit(warned, renew)
        assert "verify the e-mail" not in second.text
        page = await stranger.get(link_in(second))
        assert (await stranger.submit(page, "/invitations/")).location == "/acme/projects/"


async def test_id1_the_person_sees_it_and_creates_no_workspace(site: Site, cast: Cast) -> None:
    await make_unproven(site, cast)
    async with visiting(site) as stranger:
        await stranger.sign_in(CEO)
        assert "verified yet" in (await stranger.get("/profile/")).text
        assert "/workspaces/new/" not in (await stranger.get("/")).text
        assert (await stranger.get("/workspaces/new/")).status == 403
        token = (await stranger.get("/profile/")).form("/profile/")["csrf_token"]
        form = {"csrf_token": token, "name": "Own", "slug": "own"}
        assert (await stranger.post("/workspaces/new/", form)).status == 403
    async with signed_in(site, "ana") as ana:
        assert "verified yet" not in (await ana.get("/profile/")).text


async def test_id1_the_api_answers_409_unless_the_body_accepts_it(site: Site, cast: Cast) -> None:
    await make_unproven(site, cast)
    key = (await create_api_key(site, cast.ana["id"])).token
    async with testing.ASGIConductor(app_of(site)) as conductor:

        async def send(method: str, path: str, **body: object) -> testing.Result:
            headers = {"X-API-Key": key}
            return await conductor.simulate_request(method, f"/api/v1/{path}/", headers=headers, json=body)

        refused = await send("POST", INVITATIONS, email=CEO, role=20)
        assert refused.status_code == 409
        assert "accept_unproven" in refused.json["error"]
        assert await list_invitations(site.db, cast.acme["id"]) == []
        for wrong in (False, None, "yes"):
            answer = await send("POST", INVITATIONS, email=CEO, role=20, accept_unproven=wrong)
            assert answer.status_code in (400, 409)
        made = await send("POST", INVITATIONS, email=CEO, role=20, accept_unproven=True)
        assert made.status_code == 201
        again = await send("PATCH", f"{INVITATIONS}/{made.json['id']}", role=5)
        assert (again.status_code, again.json["role"]) == (200, 5)


async def test_id1_an_invitation_that_waits_is_opened_to_the_account_over_the_api(
    site: Site, cast: Cast
) -> None:
    waiting = await create_invitation(site, cast.acme["id"], cast.ana["id"], email=CEO, role=MEMBER)
    stranger = await make_unproven(site, cast)
    key = (await create_api_key(site, cast.ana["id"])).token
    path = f"/api/v1/{INVITATIONS}/{waiting.invitation['id']}/"
    async with testing.ASGIConductor(app_of(site)) as conductor:
        headers = {"X-API-Key": key}
        refused = await conductor.simulate_patch(path, headers=headers, json={"role": 20})
        assert refused.status_code == 409
        accepted = await conductor.simulate_patch(path, headers=headers, json={"accept_unproven": True})
        assert (accepted.status_code, accepted.json["role"]) == (200, 15)
    assert len(await site.db.find_all(audit_log, action="invitation.unproven_accepted")) == 1
    await accept_as(site, waiting.token, stranger["id"])


async def test_id1_no_answer_presents_the_email_as_verified(app_side: AppSide) -> None:
    site, cast = app_side.site, app_side.cast
    stranger = await make_unproven(site, cast)
    by = {"by_user_id": cast.ana["id"]}
    await add_member(site, cast.acme["id"], stranger["id"], MEMBER, **by, accept_unproven=True)
    tokens = await app_side.user_tokens(stranger)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = await app_side.http.simulate_get("/api/v1/users/me/", headers=bearer)
    assert me.json["email"] == CEO
    body = app_side.own | {"token": tokens["access_token"]}
    introspected = await app_side.post("/auth/o/introspect/", body)
    assert introspected.body["sub"] == stranger["id"]
    for shown in (me.json, introspected.body):
        assert not any("verified" in name or "proven" in name for name in shown)
    assert CEO not in str(introspected.body)


async def test_id1_proving_ends_whatever_the_account_held_before(
    app_side: AppSide, clock: FrozenClock
) -> None:
    site, cast = app_side.site, app_side.cast
    stranger = await make_unproven(site, cast)
    by = {"by_user_id": cast.ana["id"]}
    await add_member(site, cast.acme["id"], stranger["id"], ADMIN, **by, accept_unproven=True)
    session = await start_session(site, stranger["id"])
    key = await create_api_key(site, stranger["id"])
    tokens, code = await app_side.user_tokens(stranger), await app_side.code(stranger)
    link = await create_invitation(site, cast.acme["id"], stranger["id"], email="eve@example.com", role=ADMIN)
    assert await app_side.works(tokens["access_token"])

    clock.advance(seconds=1)
    assert await prove_email(site, stranger["id"], OTHER_PASSWORD) == 1
    assert await find_session(site, session) is None
    assert await resolve_api_key(site, key.token) is None
    assert not await app_side.works(tokens["access_token"])
    assert (await app_side.refresh(tokens["refresh_token"])).status == 400
    assert (await app_side.redeem(code)).status == 400
    assert await list_grants(site, stranger["id"]) == []
    with pytest.raises(Ended):
        await find_by_token(site, link.token)
    with pytest.raises(WrongSignIn):
        await sign_in(site, CEO, PASSWORD)
    assert await sign_in(site, CEO, OTHER_PASSWORD)
    assert len(await site.db.find_all(audit_log, action="user.email_proven")) == 1


async def test_id1_a_proven_account_is_one_like_any_other(site: Site, cast: Cast) -> None:
    stranger = await make_unproven(site, cast)
    await prove_email(site, stranger["id"], OTHER_PASSWORD)
    with pytest.raises(Refused):
        await prove_email(site, stranger["id"], OTHER_PASSWORD)
    by = {"by_user_id": cast.ana["id"]}
    await add_member(site, cast.acme["id"], stranger["id"], MEMBER, **by)
    await create_workspace(site, name="Own", slug="own", owner_id=stranger["id"])
    assert (await get_user(site.db, stranger["id"]))["email_proven_at"] == site.clock.now()
