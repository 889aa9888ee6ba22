"""Airside's own command line as a client: it is nobody's app, and gets no more than the person who signs it in."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from airside.api.v1 import TABLE
from airside.apps.policy import change_policy, rule_app
from airside.apps.registry import create_app
from airside.apps.tables import DYNAMIC, apps
from airside.audit.tables import audit_log
from airside.db.base import Row, new_id
from airside.errors import Forbidden, Invalid, NotFound
from airside.events.tables import events
from airside.identity.tables import users
from airside.identity.users import deactivate_user, set_password
from airside.installations.install import install_app
from airside.installations.tables import installations
from airside.oauth.consent import ConsentGone
from airside.oauth.sign_ins import end_sign_in, end_sign_ins_in, list_sign_ins
from airside.rest.route import Route
from airside.runtime.site import Site
from airside.workspaces.members import add_member, remove_member
from airside.workspaces.roles import MEMBER
from airside.workspaces.tables import workspace_members
from tests.cast import REDIRECT_URI, Cast
from tests.oauth.conftest import REVOKE, TOKEN, Answer, AppSide
from tests.portal.visitor import signed_in
from tests.security.clients import make_public, make_unowned
from tests.security.test_device import CLI, answer_device, poll, start
from tests.support.clocks import FrozenClock

ME = "/api/v1/users/me/"
# All that `airside` asks the API for with what `airside login` keeps.
ITS_OWN = {
    "current_user", "find_application", "list_listeners", "open_listener", "close_listener", "follow_listener",
    "answer_deliveries",
}  # fmt: skip


async def sign_in_cli(app_side: AppSide, person: Row) -> dict[str, Any]:
    """The tokens that `airside login` gets when this person says yes, in Acme."""
    device = await start(app_side)
    await answer_device(app_side.site, app_side.cast, device, person)
    answer = await poll(app_side, device)
    assert answer.status == 200, answer.body
    return answer.body


async def call(app_side: AppSide, token: str, method: str, path: str, body: Any = None) -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    result = await app_side.http.simulate_request(method, path, headers=headers, json=body)
    return Answer(result.status_code, result.json, dict(result.headers))


async def refresh_cli(app_side: AppSide, tokens: dict[str, Any], **client: str) -> Answer:
    params = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return await app_side.post(TOKEN, CLI | params | client)


@pytest.mark.parametrize("name", ["ben", "gil"])
async def test_co5_members_and_guests_sign_it_in_and_nothing_is_installed(
    app_side: AppSide, site: Site, cast: Cast, name: str
) -> None:
    person = getattr(cast, name)
    tables = (installations, users, workspace_members, events)
    before = [len(await site.db.find_all(table)) for table in tables]
    tokens = await sign_in_cli(app_side, person)
    assert [len(await site.db.find_all(table)) for table in tables] == before
    assert tokens["access_token"].startswith("pln_cli_")
    me = await call(app_side, tokens["access_token"], "GET", ME)
    assert (me.status, me.body["email"]) == (200, person["email"])
    fresh = await refresh_cli(app_side, tokens)
    assert fresh.status == 200
    assert (await call(app_side, fresh.body["access_token"], "GET", ME)).body["id"] == person["id"]
    found = [row for row in await site.db.find_all(audit_log) if row["app_name"] == "Airside CLI"]
    acts = sorted(found, key=lambda row: row["id"])
    assert [(row["action"], row["workspace_id"]) for row in acts] == [
        ("app.created", None), ("consent.given", cast.acme["id"]),
        ("token.issued", cast.acme["id"]), ("token.refreshed", cast.acme["id"]),
    ]  # fmt: skip


async def test_co5_a_stranger_of_the_workspace_does_not(app_side: AppSide, cast: Cast) -> None:
    with pytest.raises(ConsentGone):  # none of hers
        await answer_device(app_side.site, cast, await start(app_side), cast.zoe)


def fill(route: Route, cast: Cast) -> str:
    names = ["workspace_slug", "client_id", *(part for part in route.path.replace("}", "{").split("{")[1::2])]
    known = dict.fromkeys(names, new_id()) | {"workspace_slug": "acme", "client_id": cast.client_id}
    return f"/api/v1/{route.path.lstrip('/')}/".format(**known)


async def test_tn3_its_token_reaches_what_the_command_line_asks_for_and_nothing_else(
    app_side: AppSide, cast: Cast
) -> None:
    token = (await sign_in_cli(app_side, cast.ana))["access_token"]
    routes = [row for row in TABLE if isinstance(row, Route)]
    assert {route.name for route in routes} >= ITS_OWN - {"current_user"}
    body = {"url": "https://courier.example/", "event": "project.created"}
    for route in routes:
        answer = await call(app_side, token, route.method, fill(route, cast), body)
        if route.scope == "profile:read" or route.name in ITS_OWN:
            assert answer.status != 403, route.name
        else:
            assert answer.status in (403, 404), (route.name, answer.status)
            assert answer.status == 403 or "_id}" in route.path, route.name
    for path in ("projects/", "members/", "webhooks/", "invitations/"):
        assert (await call(app_side, token, "GET", f"/api/v1/workspaces/acme/{path}")).status in (403, 404)
    wide = await app_side.post("/auth/o/device/", CLI | {"scope": "projects:write"})
    assert wide.body["error"] == "invalid_scope"
    more = await refresh_cli(app_side, await sign_in_cli(app_side, cast.ana), scope="projects:read")
    assert more.body["error"] == "invalid_scope"


async def test_tn3_it_listens_for_the_apps_that_its_person_manages(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    fields = {"name": "Bens", "redirect_uris": [REDIRECT_URI]}
    await change_policy(site, cast.acme["id"], cast.ana["id"], {"registers": "members"})
    bens = (
        await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ben["id"], fields=fields)
    ).app
    opening = {"name": "laptop", "forward_to": "http://127.0.0.1:9000/", "session": new_id()}
    statuses: dict[str, list[int]] = {}
    for name in ("ana", "ben", "gil"):
        token = (await sign_in_cli(app_side, getattr(cast, name)))["access_token"]
        statuses[name] = []
        for app in (bens, cast.courier):
            here = f"/api/v1/workspaces/acme/applications/{app['client_id']}/listeners/"
            found = await call(app_side, token, "GET", f"/api/v1/applications/{app['client_id']}/")
            statuses[name] += [found.status, (await call(app_side, token, "POST", here, opening)).status]
    assert statuses == {"ana": [200, 201, 200, 201], "ben": [200, 201, 404, 403], "gil": [404, 403, 404, 403]}


async def test_tn1_other_workspaces_are_as_if_they_were_not_there(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    await add_member(site, cast.other["id"], cast.ana["id"], MEMBER, by_user_id=cast.zoe["id"])
    await change_policy(site, cast.other["id"], cast.zoe["id"], {"registers": "members"})
    fields = {"name": "Elsewhere", "redirect_uris": [REDIRECT_URI]}
    theirs = (
        await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.ana["id"], fields=fields)
    ).app
    token = (await sign_in_cli(app_side, cast.ana))["access_token"]
    hers, unknown = theirs["client_id"], new_id()
    pairs = {
        f"applications/{hers}/": f"applications/{unknown}/",
        f"workspaces/other/applications/{hers}/listeners/": f"workspaces/nowhere/applications/{hers}/listeners/",
        f"workspaces/acme/applications/{hers}/listeners/": f"workspaces/acme/applications/{unknown}/listeners/",
    }
    for one, unknown in pairs.items():
        answers = [await call(app_side, token, "GET", f"/api/v1/{path}") for path in (one, unknown)]
        assert answers[0].status in (403, 404)
        assert (answers[0].status, answers[0].body) == (answers[1].status, answers[1].body)


End = Callable[[Site, Cast], Awaitable[Any]]


async def end_own(site: Site, cast: Cast) -> None:
    [one] = await list_sign_ins(site, cast.ben["id"])
    with pytest.raises(NotFound):
        await end_sign_in(site, cast.gil["id"], one["id"])
    await end_sign_in(site, cast.ben["id"], one["id"])


async def end_as_admin(site: Site, cast: Cast) -> None:
    for other in (cast.gil, cast.zoe):
        with pytest.raises((Forbidden, NotFound)):
            await end_sign_ins_in(site, cast.acme["id"], cast.ben["id"], other["id"])
    assert await end_sign_ins_in(site, cast.other["id"], cast.ben["id"], cast.zoe["id"]) == 0
    assert await end_sign_ins_in(site, cast.acme["id"], cast.ben["id"], cast.ana["id"]) == 1


ENDS: dict[str, End] = {
    "removed": lambda site, cast: remove_member(
        site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"]
    ),
    "deactivated": lambda site, cast: deactivate_user(site, cast.ben["id"]),
    "password reset": lambda site, cast: set_password(site, cast.ben["id"], "another horse battery staple"),
    "ended": end_own,
    "ended by an admin": end_as_admin,
}


@pytest.mark.parametrize("how", ENDS)
async def test_rv3_whatever_ends_access_ends_the_sign_in_at_once(
    app_side: AppSide, site: Site, cast: Cast, how: str
) -> None:
    tokens, anas = await sign_in_cli(app_side, cast.ben), await sign_in_cli(app_side, cast.ana)
    waiting = await start(app_side)
    await answer_device(site, cast, waiting, cast.ben)
    assert (await call(app_side, tokens["access_token"], "GET", ME)).status == 200  # remembered from here on
    await ENDS[how](site, cast)
    assert (await call(app_side, tokens["access_token"], "GET", ME)).status == 401
    assert (await refresh_cli(app_side, tokens)).body["error"] == "invalid_grant"
    assert (await poll(app_side, waiting)).status == (200 if how == "ended" else 400)
    assert (await call(app_side, anas["access_token"], "GET", ME)).status == 200
    ended = [row for row in await site.db.find_all(audit_log) if row["action"] == "token.revoked"]
    assert len(ended) == 1
    by = {"ended": cast.ben["id"], "ended by an admin": cast.ana["id"]}.get(how)
    assert (ended[0]["actor_id"], ended[0]["workspace_id"]) == (by, cast.acme["id"])


async def test_md4_no_other_client_passes_for_the_command_line(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    tokens = await sign_in_cli(app_side, cast.ben)
    for other in (await make_public(site, cast), await make_unowned(site, DYNAMIC)):
        client = {"client_id": other["client_id"]}
        assert (await refresh_cli(app_side, tokens, **client)).body["error"] == "invalid_grant"
        for token in (tokens["access_token"], tokens["refresh_token"]):
            await app_side.post(REVOKE, client | {"token": token})
    assert (await call(app_side, tokens["access_token"], "GET", ME)).status == 200
    for name in ("Airside CLI", "airside-cli", "\u0410IRSIDE C\u0406I"):
        with pytest.raises(Invalid):
            fields = {"name": name, "redirect_uris": [REDIRECT_URI]}
            await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    with pytest.raises(Invalid):
        fields = {"name": "Mine", "redirect_uris": [REDIRECT_URI], "client_id": "airside-cli"}
        await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    asked = {"grant_type": "client_credentials", "app_installation_id": cast.installation["id"]}
    secret = await app_side.post(TOKEN, CLI | asked | {"client_secret": "guess"})
    assert (secret.status, secret.body["error"]) == (401, "invalid_client")


async def test_tn3_nobody_is_asked_to_sign_it_in_to_another_resource(app_side: AppSide, site: Site) -> None:
    """Its question names the workspace alone, so a code that was sent to somebody must not lead elsewhere."""
    asked = await app_side.post("/auth/o/device/", CLI | {"resource": "https://mcp.example/mcp"})
    assert (asked.status, asked.body["error"]) == (400, "invalid_target")
    here = await app_side.post("/auth/o/device/", CLI | {"resource": f"{site.settings.origin}/api/v1/"})
    assert here.status == 200


async def test_co5_it_is_no_app_that_could_be_installed_allowed_or_led_to_by_a_link(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    await sign_in_cli(app_side, cast.ana)
    row = await site.db.find(apps, client_id="airside-cli")
    assert row is not None
    with pytest.raises(NotFound):
        await install_app(site, row, cast.acme["id"], cast.ana["id"])
    for rule in ("allowed", "denied"):
        with pytest.raises(Invalid):
            await rule_app(site, cast.acme["id"], cast.ana["id"], "airside-cli", rule)
    async with signed_in(site, "ana") as ana:
        for more in ("", "&redirect_uri=http://127.0.0.1/never", "&redirect_uri=http://127.0.0.1:7/x"):
            query = f"client_id=airside-cli&response_type=code&code_challenge_method=S256{more}"
            page = await ana.get(f"/auth/o/authorize-app/?{query}&code_challenge={'x' * 43}")
            assert (page.status, page.location) == (400, "")


async def test_md4_the_pages_show_a_sign_in_as_long_as_somebody_could_act_by_it(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    tokens, member = await sign_in_cli(app_side, cast.ben), f"/acme/settings/members/{cast.ben['id']}/"
    settings = site.settings
    clock.time += settings.refresh_idle - timedelta(minutes=1)
    answer = await refresh_cli(app_side, tokens)
    assert answer.status == 200
    clock.time += settings.refresh_idle - timedelta(minutes=1)
    async with signed_in(site, "ben") as ben, signed_in(site, "ana") as ana:
        assert "/profile/sign-ins/" in (await ben.get("/profile/")).text
        assert "sign-ins/end/" in (await ana.get(member)).text
        clock.time += timedelta(minutes=2)
        assert "/profile/sign-ins/" not in (await ben.get("/profile/")).text
        assert "sign-ins/end/" not in (await ana.get(member)).text
    assert (await refresh_cli(app_side, answer.body)).body["error"] == "invalid_grant"


async def test_md4_the_pages_show_it_as_airside_s_own_and_end_it(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    device = await start(app_side)
    consent, member = "/consent/", f"/acme/settings/members/{cast.ben['id']}/"
    async with signed_in(site, "ben") as ben, signed_in(site, "ana") as ana:
        asked = await ben.submit(await ben.get(f"/device/?user_code={device['user_code']}"), "/device/")
        question = await ben.get(asked.location)
        for words in (
            "Sign in Airside CLI to Acme?",
            "asked from",
            "127.0.0.1",
            "Continue only if you started",
        ):
            assert words in question.text
        for words in ("Unverified", "Install Airside", "bot", "Registered"):
            assert words not in question.text
        await ben.submit(question, consent, decision="allow")
        token = (await poll(app_side, device)).body["access_token"]
        assert (await call(app_side, token, "GET", ME)).status == 200
        assert "Airside CLI" not in (await ben.get("/profile/connected-apps/")).text
        assert "sign-ins/end/" not in (await ben.get(member)).text
        seen = await ana.get(member)
        assert 'From <span class="break">127.0.0.1' in seen.text
        [one] = await list_sign_ins(site, cast.ben["id"])
        end = f"/profile/sign-ins/{one['id']}/end/"
        csrf = (await ana.get("/profile/")).form("/profile/")["csrf_token"]
        assert (await ana.post(end, {"csrf_token": csrf})).status == 404
        profile = await ben.get("/profile/")
        assert "127.0.0.1" in profile.text
        await ben.submit(profile, end)
        assert (await call(app_side, token, "GET", ME)).status == 401
        assert "Command line" not in (await ben.get("/profile/")).text
        again = (await sign_in_cli(app_side, cast.ben))["access_token"]
        await ana.submit(await ana.get(member), f"{member}sign-ins/end/")
        assert (await call(app_side, again, "GET", ME)).status == 401
