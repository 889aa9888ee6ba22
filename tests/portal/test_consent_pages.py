"""From an app's link to its redirect URI: what is asked, of whom, and what can't be forged."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from airside.apps.registry import create_app
from airside.db.base import new_id
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.installations.read import find_installation
from airside.installations.uninstall import uninstall_app
from airside.oauth.tables import authorization_codes, consent_requests
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace
from airside.workspaces.members import add_member, remove_member, set_member_role
from airside.workspaces.roles import ADMIN, MEMBER
from tests.cast import PASSWORD, REDIRECT_URI, Cast
from tests.portal.visitor import FORM, Shown, Visitor, find_refresh, signed_in, visiting
from tests.security.clients import PKCE
from tests.support.clocks import FrozenClock

CONSENT = "/consent/"
CHOOSE = "/consent/workspace/"


def link(cast: Cast, **more: str) -> str:
    asked = {"client_id": cast.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI} | more
    return f"/auth/o/authorize-app/?{urlencode(asked)}"


async def follow(visitor: Visitor, path: str) -> Shown:
    page = await visitor.get(path)
    while page.status == 303 and page.location.startswith("/"):
        page = await visitor.get(page.location)
    return page


def error_of(answer: Shown) -> dict[str, str]:
    assert answer.location.startswith(f"{REDIRECT_URI}?"), answer
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


async def test_an_admin_installs_and_the_app_receives_the_event(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast, state="a+b &ü"))
        assert "Install Courier in Other?" in page.text
        assert "courier.example" in page.text
        assert "Unverified" in page.text
        assert "Acme" in page.text  # who registered it
        assert "form-action 'self';" in page.headers["Content-Security-Policy"]
        answer = await zoe.submit(page, CONSENT, decision="allow")
        assert answer.status == 303
        installation = await find_installation(site.db, cast.other["id"], cast.courier["id"])
        assert installation is not None
        answered = error_of(answer)
        assert answered["app_installation_id"] == installation["id"]
        assert (answered["state"], answered["iss"]) == ("a+b &ü", site.settings.origin)
        assert answered["code"]


async def test_the_request_may_come_by_the_shorter_path_too(site: Site, cast: Cast) -> None:
    """As one page of Plane's documentation prints it."""
    shorter = link(cast).replace("/authorize-app/", "/authorize/")
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, shorter)
        assert "Install Courier in Other?" in page.text
        refused = await zoe.get("/auth/o/authorize/?client_id=unknown")
        longer = await zoe.get("/auth/o/authorize-app/?client_id=unknown")
    assert (refused.status, refused.headers["content-type"]) == (
        longer.status,
        longer.headers["content-type"],
    )


async def test_a_stranger_signs_in_first_and_comes_back_to_the_question(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana:
        form = await follow(ana, link(cast))
        assert "Courier" in form.text
        answer = await ana.submit(form, "/sign-in/", email="ana@example.com", password=PASSWORD)
        page = await ana.get(answer.location)
        assert "Let Courier into Acme?" in page.text


async def test_who_belongs_to_several_workspaces_chooses(site: Site, cast: Cast) -> None:
    await create_workspace(site, name="Lab", slug="lab", owner_id=cast.ana["id"])
    async with signed_in(site, "ana") as ana:
        choice = await follow(ana, link(cast))
        assert "Where do you want to use Courier?" in choice.text
        page = await follow(ana, (await ana.submit(choice, CHOOSE, workspace="lab")).location)
        assert "Install Courier in Lab?" in page.text
        again = await ana.get(page.text.split('· <a href="')[1].split('"')[0].replace("&amp;", "&"))
        page = await follow(ana, (await ana.submit(again, CHOOSE, workspace="acme")).location)
        assert "Let Courier into Acme?" in page.text
        for stranger in ("other", "nowhere", "", "\0"):
            back = await ana.submit(choice, CHOOSE, workspace=stranger)
            assert "Other" not in (await follow(ana, back.location)).text


async def test_denial_redirects_to_the_app_with_access_denied(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        answer = await zoe.submit(await follow(zoe, link(cast, state="s")), CONSENT, decision="deny")
        assert error_of(answer)["error"] == "access_denied"
    assert await find_installation(site.db, cast.other["id"], cast.courier["id"]) is None


async def test_a_member_grants_where_the_app_is_and_is_sent_to_an_admin_where_it_is_not(
    site: Site, cast: Cast
) -> None:
    async with signed_in(site, "ben") as ben:
        page = await follow(ben, link(cast))
        assert "Let Courier into Acme?" in page.text
        assert "Acts as <span" in page.text
        await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
        assert (await ben.submit(page, CONSENT, decision="allow")).status == 403
        page = await follow(ben, (await ben.get(link(cast))).location)
        page = await follow(ben, (await ben.submit(page, CHOOSE, workspace="acme")).location)
        assert "Ask one of them to install it first." in page.text
        assert "ana@example.com" in page.text
        assert error_of(await ben.submit(page, CONSENT, decision="deny"))["error"] == "access_denied"
    assert await site.db.find_all(authorization_codes) == []


async def test_a_guest_lets_no_app_act_for_them(site: Site, cast: Cast) -> None:
    async with signed_in(site, "gil") as gil:
        choice = await follow(gil, link(cast))
        page = await follow(gil, (await gil.submit(choice, CHOOSE, workspace="acme")).location)
        fields = page.form(CONSENT) | {"chosen": cast.acme["id"], "decision": "allow"}
        assert (await gil.post(CONSENT, fields)).status == 403


async def test_a_role_lost_before_the_answer_counts(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = await follow(ben, link(cast))
        await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
        assert (await ben.submit(page, CONSENT, decision="allow")).status == 403
    assert await site.db.find_all(authorization_codes) == []


async def test_co2_an_answer_is_taken_once(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast))
        assert (await zoe.submit(page, CONSENT, decision="allow")).status == 303
        again = await zoe.submit(page, CONSENT, decision="allow")
        assert (again.status, again.location) == (403, "")
    assert len(await site.db.find_all(authorization_codes)) == 1


async def test_co2_the_token_of_another_session_or_another_request_is_refused(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe, signed_in(site, "ana") as ana:
        mine = (await follow(zoe, link(cast))).form(CONSENT)
        other = (await follow(zoe, link(cast))).form(CONSENT)
        hers = (await follow(ana, link(cast))).form(CONSENT)
        page_token = (await zoe.get("/profile/")).form("/profile/")["csrf_token"]
        for token in (other["csrf_token"], hers["csrf_token"], page_token, "", "0" * 64):
            answer = await zoe.post(CONSENT, mine | {"csrf_token": token, "decision": "allow"})
            assert answer.status == 403
        missing = {name: value for name, value in mine.items() if name != "csrf_token"}
        assert (await zoe.post(CONSENT, missing | {"decision": "allow"})).status == 403
        assert (await zoe.post(CONSENT, hers | {"decision": "allow"})).status == 403
        assert (await ana.get(f"{CONSENT}?request={mine['request']}")).status == 404
    assert await find_installation(site.db, cast.other["id"], cast.courier["id"]) is None


async def test_co3_fields_that_were_tampered_with_change_nothing(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast, scope="projects:read"))
        hidden = page.form(CONSENT)
        assert {"csrf_token", "request", "chosen"} <= hidden.keys()
        for name in ("csrf_token", "request", "chosen"):
            for forged in (cast.acme["id"], new_id(), "", "x", "\0"):
                answer = await zoe.post(CONSENT, hidden | {name: forged, "decision": "allow"})
                assert answer.status == 403, (name, forged)
                assert answer.location == ""
        extra = {
            "redirect_uri": "https://evil.example",
            "scope": "write",
            "client_id": "x",
            "workspace": "acme",
        }
        answer = await zoe.submit(page, CONSENT, decision="allow", **extra)
        assert error_of(answer)["code"]
    [code] = await site.db.find_all(authorization_codes)
    assert (code["scopes"], code["workspace_id"], code["redirect_uri"]) == (
        ["projects:read"], cast.other["id"], REDIRECT_URI,
    )  # fmt: skip


@pytest.mark.parametrize("decision", ["", "yes", "Allow", "\0"])
async def test_only_allow_and_deny_are_answers(site: Site, cast: Cast, decision: str) -> None:
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast))
        assert (await zoe.submit(page, CONSENT, decision=decision)).status == 400
    assert len(await site.db.find_all(consent_requests)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_id": "unknown"},
        {"client_id": "\0"},
        {"client_id": "https://evil.example/client.json"},
        {"client_id": "airside-cli"},
        {"client_id": "x" * 600},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "//evil.example/callback"},
        {"redirect_uri": "/callback"},
        {"redirect_uri": "*"},
        {"redirect_uri": f"{REDIRECT_URI}#x"},
        {"redirect_uri": f"{REDIRECT_URI}/../evil"},
        {"redirect_uri": REDIRECT_URI.upper()},
        {"redirect_uri": "https://courier.example.evil.example/callback"},
        {"redirect_uri": "data:text/html,evil.example"},
        {"redirect_uri": "https://evil.example/callback", "response_type": "token"},
        {"redirect_uri": "https://evil.example/callback", "scope": "nonsense", "state": "s"},
        {"redirect_uri": f"{REDIRECT_URI}/"},
        {"redirect_uri": f"{REDIRECT_URI}?x=1"},
        {"redirect_uri": REDIRECT_URI.replace("https", "http")},
        {"redirect_uri": "https://courier.example@evil.example/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "\0"},
        {"state": "x" * 20_000},
    ],
)
async def test_az1_a_wrong_link_ends_on_a_page_and_redirects_nowhere(
    site: Site, cast: Cast, wrong: dict[str, str]
) -> None:
    async with visiting(site) as stranger, signed_in(site, "ana") as ana:
        for visitor in (stranger, ana):
            page = await visitor.get(link(cast, **wrong))
            assert (page.status, page.location) == (400, "")
            assert "evil.example" not in re.sub(r"<code.*?</code>", "", page.text)  # shown, and no more
            assert page.headers["X-Frame-Options"] == "DENY"
        assert (await ana.get(link(cast) + f"&client_id={cast.client_id}")).status == 400
        assert (await ana.get("/auth/o/authorize-app/?%ff=%fe")).status == 400


async def test_az1_a_deleted_app_and_anothers_redirect_uri_redirect_nowhere(site: Site, cast: Cast) -> None:
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/callback"]}
    tally = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    async with visiting(site) as stranger:
        anothers = await stranger.get(link(cast, client_id=tally.app["client_id"]))
        await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
        deleted = await stranger.get(link(cast, state="s"))
    assert [(page.status, page.location) for page in (anothers, deleted)] == [(400, ""), (400, "")]


async def test_an_error_of_the_app_is_redirected_to_the_app(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        answer = await stranger.get(link(cast, response_type="token", state="s"))
        assert answer.status == 303
        answered = error_of(answer)
        assert (answered["error"], answered["state"]) == ("unsupported_response_type", "s")
        assert answered["iss"] == site.settings.origin


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000/back",
        "http://[::1]:5000/back",
        "com.example.app:/back",
        "https://app.example/back?a=1&b='\"",
    ],
)
async def test_the_answer_leads_to_any_redirect_uri_by_a_page_of_ours(
    site: Site, cast: Cast, uri: str
) -> None:
    fields = {"name": "Tally", "redirect_uris": [uri]}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast, client_id=made.app["client_id"], redirect_uri=uri, **PKCE))
        assert "form-action 'self';" in page.headers["Content-Security-Policy"]
        assert (await zoe.submit(page, CONSENT, decision="allow")).location.startswith(uri)


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_the_page_that_leads_to_the_app_is_for_who_answered_and_for_once(
    site: Site, cast: Cast, clock: FrozenClock, decision: str
) -> None:
    async with signed_in(site, "zoe") as zoe, signed_in(site, "ana") as ana, visiting(site) as stranger:
        for is_late in (False, True):
            page = await follow(zoe, link(cast, state="s"))
            form = urlencode(page.form(CONSENT) | {"decision": decision}).encode()
            answer = await zoe.send("POST", CONSENT, form, FORM)
            on = answer.location
            assert (answer.status, on.partition("?")[0]) == (303, "/consent/continue/")
            assert "code=" not in on
            assert (await ana.get(on)).status == 404
            assert (await stranger.get(on)).location.startswith("/sign-in/")
            clock.time += timedelta(seconds=61 if is_late else 1)
            led = await zoe.get(on)
            assert led.status == (404 if is_late else 200)
            assert find_refresh(led.text).startswith("" if is_late else f"{REDIRECT_URI}?")
            assert led.headers["Referrer-Policy"] == "no-referrer"
            assert (await zoe.get(on)).status == 404
            assert (await zoe.get(f"{CONSENT}?{on.partition('?')[2]}")).status == 404


async def test_a_redirect_uri_that_is_not_registered_is_shown_beside_those_that_are(
    site: Site, cast: Cast
) -> None:
    async with visiting(site) as stranger:
        page = await stranger.get(link(cast, redirect_uri="https://courier.example/Callback?<b>"))
    assert (page.status, page.location) == (400, "")
    assert "https://courier.example/Callback?&lt;b&gt;" in page.text
    assert REDIRECT_URI in page.text


async def test_co4_more_scopes_than_before_are_asked_for_and_marked(site: Site, cast: Cast) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": "projects:read profile:read"})
    async with signed_in(site, "zoe") as zoe:
        await zoe.submit(await follow(zoe, link(cast, scope="projects:read")), CONSENT, decision="allow")
        page = await follow(zoe, link(cast, scope="projects:read profile:read"))
        assert page.text.count(">New</span>") == 1
        assert "Let Courier into Other?" in page.text


async def test_an_admin_who_became_a_member_can_not_install(site: Site, cast: Cast) -> None:
    lab = await create_workspace(site, name="Lab", slug="lab", owner_id=cast.ana["id"])
    await add_member(site, lab["id"], cast.zoe["id"], ADMIN, by_user_id=cast.ana["id"])
    async with signed_in(site, "zoe") as zoe:
        choice = await follow(zoe, link(cast))
        page = await follow(zoe, (await zoe.submit(choice, CHOOSE, workspace="lab")).location)
        await set_member_role(site, lab["id"], cast.zoe["id"], MEMBER, by_user_id=cast.ana["id"])
        assert (await zoe.submit(page, CONSENT, decision="allow")).status == 403
    assert await find_installation(site.db, lab["id"], cast.courier["id"]) is None
