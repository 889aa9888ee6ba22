"""Rows TN1 to TN5, CO4, CO5 and RF6: who may do what where, and how it ends."""

import re

import pytest

from airside.db.base import Row, new_id
from airside.developer.registration import update_app
from airside.errors import Forbidden, Invalid, Refused
from airside.identity.api_keys import create_api_key
from airside.identity.sessions import WrongSignIn, sign_in
from airside.identity.users import deactivate_user, get_user, set_password
from airside.installations.install import install_app
from airside.installations.project_choice import choose_projects
from airside.installations.read import find_installation
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import ConsentScreen, approve, ask
from airside.oauth.tables import token_families
from airside.rest.route import Route
from airside.runtime.site import Site
from airside.workspaces.members import add_member, remove_member, set_member_role
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from tests.cast import PASSWORD, Cast
from tests.contract.world import ROUTES, name_of
from tests.oauth.conftest import AppSide, authorize_query, sign_in_as
from tests.portal.test_every_page import filled, pages
from tests.portal.visitor import signed_in
from tests.security.test_device import answer_device, poll, start
from tests.support.clocks import FrozenClock
from tests.work.scene import make_project

IN_PROJECTS = [route for route in ROUTES if "{project_id}" in route.path]
UNKNOWN = "00000000-0000-7000-8000-000000000000"


async def call(app_side: AppSide, token: str, method: str, path: str, body: object = None) -> Row:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sent = {} if method == "GET" else {"json": body if body is not None else {}}
    answer = await app_side.http.simulate_request(method, f"/api/v1/{path}/", headers=headers, **sent)
    return {"status": answer.status_code, "text": answer.text, "json": answer.json if answer.text else None}


def at(route: Route, workspace: str, project_id: str) -> str:
    """The route in this workspace and project, every other id made up."""
    named = {"workspace_slug": workspace, "project_id": project_id, "identifier": "ENG-1"}
    return re.sub(r"{(\w+)}", lambda found: named.get(found[1], UNKNOWN), route.path)


@pytest.fixture
async def elsewhere(site: Site, cast: Cast) -> Row:
    """Courier in Other, too, where Zoe installed it."""
    return await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])


@pytest.fixture(autouse=True)
def unmetered(site: Site) -> None:
    site.settings.api_rate_limit = "100000/minute"


# -- TN1, TN2 --


async def test_tn1_every_route_of_another_workspace_is_as_if_it_were_not_there(
    app_side: AppSide, elsewhere: Row
) -> None:
    bot = (await app_side.bot_token()).body["access_token"]
    for route in ROUTES:
        if "{workspace_slug}" not in route.path:
            continue
        foreign = await call(app_side, bot, route.method, at(route, "other", UNKNOWN))
        nowhere = await call(app_side, bot, route.method, at(route, "nowhere", UNKNOWN))
        assert (foreign["status"], foreign["text"]) == (nowhere["status"], nowhere["text"]), name_of(route)
        assert foreign["status"] in (403, 404), name_of(route)


async def test_tn1_every_route_of_a_project_that_the_app_was_not_let_into_is_404(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    inside, outside = await make_project(site, cast), await make_project(site, cast, "Wagon")
    await choose_projects(site, cast.acme["id"], cast.installation["id"], cast.ana["id"], [inside])
    tokens = [(await app_side.bot_token()).body, await app_side.user_tokens()]
    for token in (issued["access_token"] for issued in tokens):
        for route in IN_PROJECTS:
            refused = await call(app_side, token, route.method, at(route, "acme", outside))
            unknown = await call(app_side, token, route.method, at(route, "acme", UNKNOWN))
            assert refused["status"] == 404, name_of(route)
            assert refused["text"] == unknown["text"], name_of(route)


async def test_tn1_pages_answer_alike_for_foreign_and_made_up_ids(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        token = (await zoe.get("/profile/")).form("/profile/")["csrf_token"]
        form = {"csrf_token": token, "decision": "approve", "password": PASSWORD, "confirm": "Courier"}
        for method in ("GET", "POST"):
            for path in pages(site, method, "/{slug}"):
                if "installation_id" not in path and "app_id" not in path:
                    continue
                foreign = filled(path, cast, slug="other")
                unknown = re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_id(), foreign)
                answers = [
                    await (zoe.get(place) if method == "GET" else zoe.post(place, form))
                    for place in (foreign, unknown)
                ]
                assert [answer.status for answer in answers] == [404, 404], (method, path)
                assert not any("Courier" in answer.text for answer in answers), (method, path)
    installation = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installation is not None
    assert installation["status"] == "installed"


async def test_tn2_an_apps_token_of_one_workspace_is_useless_in_another(
    app_side: AppSide, elsewhere: Row
) -> None:
    here = (await app_side.bot_token()).body["access_token"]
    there = (await app_side.bot_token(app_installation_id=elsewhere["id"])).body["access_token"]
    for token, own, foreign in ((here, "acme", "other"), (there, "other", "acme")):
        assert (await call(app_side, token, "GET", f"workspaces/{own}/projects"))["status"] == 200
        assert (await call(app_side, token, "GET", f"workspaces/{foreign}/projects"))["status"] == 403
        [shown] = (await app_side.installation(token)).body
        assert shown["workspace_detail"]["slug"] == own
    assert (await app_side.installation(here, f"id={elsewhere['id']}")).body == []


# -- TN3, TN4, TN5 --


async def test_tn3_a_smaller_role_bites_on_the_next_call(app_side: AppSide, site: Site, cast: Cast) -> None:
    project_id = await make_project(site, cast)
    token = (await app_side.user_tokens(cast.ben))["access_token"]
    project = f"workspaces/acme/projects/{project_id}"
    change = {"description": "Steam"}
    refused = await call(app_side, token, "PATCH", project, change)
    assert refused["status"] == 403, "scopes never widen a role"
    await set_member_role(site, cast.acme["id"], cast.ben["id"], ADMIN, by_user_id=cast.ana["id"])
    assert (await call(app_side, token, "PATCH", project, change))["status"] == 200
    await set_member_role(site, cast.acme["id"], cast.ben["id"], GUEST, by_user_id=cast.ana["id"])
    assert (await call(app_side, token, "PATCH", project, change))["status"] == 403
    await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
    assert (await call(app_side, token, "GET", project))["status"] == 401


async def test_tn4_a_bot_gets_no_other_way_in(site: Site, cast: Cast) -> None:
    bot_id = cast.installation["bot_user_id"]
    bot = await get_user(site.db, bot_id)
    for password in ("", PASSWORD):
        with pytest.raises(WrongSignIn):
            await sign_in(site, bot["email"], password)
    with pytest.raises(Invalid):
        await set_password(site, bot_id, PASSWORD)
    with pytest.raises(Forbidden):
        await create_api_key(site, bot_id)
    with pytest.raises(Forbidden):
        await install_app(site, cast.courier, cast.acme["id"], bot_id)
    with pytest.raises(Forbidden):
        await update_app(site, cast.courier["id"], bot_id, {"name": "Mine"})
    with pytest.raises(Forbidden):
        await add_member(site, cast.acme["id"], cast.zoe["id"], ADMIN, by_user_id=bot_id)
    with pytest.raises(Forbidden):
        await set_member_role(site, cast.acme["id"], cast.ben["id"], ADMIN, by_user_id=bot_id)
    with pytest.raises(Refused):
        await set_member_role(site, cast.acme["id"], bot_id, MEMBER, by_user_id=cast.ana["id"])


async def test_tn4_a_session_made_for_a_bot_is_none(site: Site, cast: Cast) -> None:
    from airside.identity.sessions import find_session, start_session

    assert await find_session(site, await start_session(site, cast.installation["bot_user_id"])) is None


async def test_tn5_read_opens_no_route_that_writes(app_side: AppSide, site: Site, cast: Cast) -> None:
    project_id = await make_project(site, cast)
    token = (await app_side.bot_token(scope="read")).body["access_token"]
    looks_like_writing = {"search_work_items_advanced"}  # POST, because its question is long; it only reads
    for route in ROUTES:
        if route.method == "GET" or route.scope is None or route.name in looks_like_writing:
            continue
        if (route.scope or "").endswith(":read"):
            continue
        answer = await call(app_side, token, route.method, at(route, "acme", project_id))
        assert answer["status"] == 403, name_of(route)
        assert "insufficient_scope" in answer["text"] or answer["status"] == 403


async def test_tn4_no_app_makes_what_outlives_it_not_even_as_an_admin_with_every_scope(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    """A workspace's webhook would go on telling it of every project after it was uninstalled (WH11)."""
    await choose_projects(
        site, cast.acme["id"], cast.installation["id"], cast.ana["id"], [await make_project(site, cast)]
    )
    tokens = [
        (await app_side.user_tokens(scope="read write"))["access_token"],
        (await app_side.bot_token()).body["access_token"],
    ]
    unscoped = [route for route in ROUTES if route.scope is None and "{workspace_slug}" in route.path]
    assert unscoped
    for token in tokens:
        for route in unscoped:
            path = at(route, "acme", UNKNOWN).replace("{client_id}", cast.client_id)
            body = {
                "url": "https://courier.example/hooks",
                "event": "workitem.created",
                "since": "2026-01-01T00:00:00Z",
                "name": "laptop",
                "forward_to": "http://127.0.0.1:9000/",
                "session": UNKNOWN,
                "answers": [],
            }
            answer = await call(app_side, token, route.method, path, body)
            assert answer["status"] == 403, name_of(route)
    device = await start(app_side)
    await answer_device(site, cast, device, cast.ana)
    own = (await poll(app_side, device)).body["access_token"]  # of the airside command
    assert (await call(app_side, own, "GET", "workspaces/acme/webhooks"))["status"] == 403


# -- CO4, CO5 --


async def put(site: Site, cast: Cast, person: Row, **asked: str) -> tuple[ConsentScreen, str]:
    request_id = await open_consent_request(site, authorize_query(cast, **asked))
    session = await sign_in_as(site, person)
    return await ask(site, request_id, session, cast.acme["id"]), request_id


async def test_co4_every_authorization_asks_again_and_marks_what_is_new(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    first, _ = await put(site, cast, cast.ben, scope="projects:read")
    assert first.added_as_you == {}, "nothing is new beside nothing"
    await app_side.user_tokens(cast.ben, scope="projects:read")
    same, _ = await put(site, cast, cast.ben, scope="projects:read")
    assert (same.added_as_you, same.as_you) == ({}, {"Projects": ["See projects"]})
    more, _ = await put(site, cast, cast.ben, scope="projects:read profile:read")
    assert more.added_as_you == {"Profile": ["See your name, e-mail address and picture"]}


async def test_co4_the_page_marks_what_is_new_for_the_person(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    await app_side.user_tokens(cast.ben, scope="projects:read")
    async with signed_in(site, "ben") as ben:
        link = f"/auth/o/authorize-app/?{authorize_query(cast, scope='projects:read profile:read')}"
        page = await ben.get((await ben.get(link)).location)
    assert page.text.count(">New<") == 1
    assert "granted before" in page.text


@pytest.mark.parametrize("who", ["ben", "gil"])
async def test_co5_only_admins_install(app_side: AppSide, site: Site, cast: Cast, who: str) -> None:
    from airside.installations.uninstall import uninstall_app

    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    person: Row = getattr(cast, who)
    request_id = await open_consent_request(site, authorize_query(cast))
    session = await sign_in_as(site, person)
    question = await ask(site, request_id, session, cast.acme["id"])
    assert question.chosen is not None
    assert question.chosen.may is None
    with pytest.raises(Forbidden):
        await approve(site, request_id, session, cast.acme["id"])
    async with signed_in(site, who) as visitor:
        page = await visitor.get(
            (await visitor.get(f"/auth/o/authorize-app/?{authorize_query(cast)}")).location
        )
        chosen = await visitor.submit(page, "/consent/workspace/", workspace="acme")
        form = (await visitor.get(chosen.location)).form("/consent/")
        forced = form | {"decision": "allow", "chosen": cast.acme["id"]}
        assert (await visitor.post("/consent/", forced)).status == 403
    assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is None


async def test_co5_the_page_shows_where_it_leads_and_that_nobody_vouches(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        page = await zoe.get((await zoe.get(f"/auth/o/authorize-app/?{authorize_query(cast)}")).location)
    for words in ("courier.example", "Unverified", "Only selected projects", "Other", "by Acme"):
        assert words in page.text


async def test_co5_an_admin_lets_it_into_some_projects_by_form_alone(site: Site, cast: Cast) -> None:
    from airside.installations.uninstall import uninstall_app

    chosen, other = await make_project(site, cast), await make_project(site, cast, "Wagon")
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    where = "/consent/"
    async with signed_in(site, "ana") as ana:
        page = await ana.get((await ana.get(f"/auth/o/authorize-app/?{authorize_query(cast)}")).location)
        form = list((page.form(where) | {"decision": "allow", "only_selected": "on"}).items())
        assert (await ana.post(where, form)).status == 422
        assert (await ana.post(where, [*form, ("projects", new_id())])).status == 422
        assert (await ana.post(where, [*form, ("projects", chosen)])).status == 303
    installation = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installation is not None
    assert installation["project_ids"] == [chosen]
    assert other not in installation["project_ids"]


# -- RF6 --


async def test_rf6_a_family_ends_a_year_after_consent_however_busy(
    app_side: AppSide, clock: FrozenClock
) -> None:
    pair = await app_side.user_tokens()
    for _ in range(7):
        clock.advance(days=52)
        answer = await app_side.refresh(pair["refresh_token"])
        assert answer.status == 200, answer.body
        pair = answer.body
    assert pair["expires_in"] == 86_400, "364 days: the whole day that is left"
    clock.advance(hours=23)
    last = await app_side.refresh(pair["refresh_token"])
    assert last.body["expires_in"] == 3_600, "no access token outlives the consent"
    clock.advance(hours=2)
    assert (await app_side.refresh(last.body["refresh_token"])).body["error"] == "invalid_grant"
    assert not await app_side.works(last.body["access_token"])


@pytest.mark.parametrize("how", ["removed", "deactivated", "password reset"])
async def test_rf6_tokens_end_with_the_person(app_side: AppSide, site: Site, cast: Cast, how: str) -> None:
    pair = await app_side.user_tokens(cast.ben)
    if how == "removed":
        await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
    elif how == "deactivated":
        await deactivate_user(site, cast.ben["id"])
    else:
        await set_password(site, cast.ben["id"], "another correct horse")
    assert (await app_side.refresh(pair["refresh_token"])).body["error"] == "invalid_grant"
    assert not await app_side.works(pair["access_token"])
    [family] = await site.db.find_all(token_families, user_id=cast.ben["id"])
    assert family["revoked_at"] is not None, "so that it doesn't come back with the person"


async def test_a_persons_list_of_apps_says_when_each_was_used(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    pair = await app_side.user_tokens(cast.ben, scope="projects:read")
    [before] = await site.db.find_all(token_families, user_id=cast.ben["id"])
    assert before["last_used_at"] is None
    assert await app_side.works(pair["access_token"])
    [used] = await site.db.find_all(token_families, user_id=cast.ben["id"])
    assert used["last_used_at"] == clock.now()
    clock.advance(minutes=5)
    assert await app_side.works(pair["access_token"])
    [again] = await site.db.find_all(token_families, user_id=cast.ben["id"])
    assert again["last_used_at"] == used["last_used_at"], "written only every ten minutes"
    async with signed_in(site, "ben") as ben:
        page = await ben.get("/profile/connected-apps/")
        assert "See projects" in page.text
        path = f"/profile/connected-apps/{cast.installation['id']}/disconnect/"
        assert (await ben.submit(await ben.get(path), path)).status == 303
    assert not await app_side.works(pair["access_token"])
