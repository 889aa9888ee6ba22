"""People sign in at the Community Edition: its session says who they are, again and again."""

import asyncio
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from airside.apps.tables import apps
from airside.db.database import Database
from airside.gateway.signing_in import CHECK_EVERY, IDLE, cookies_of, purge_ended
from airside.gateway.tables import upstream_sessions
from airside.identity.sessions import start_session
from airside.identity.tables import sessions, users
from airside.identity.users import deactivate_user
from airside.workspaces.find import find_workspace
from airside.workspaces.members import find_member
from tests.gateway.front import PREFIX, Front, open_front
from tests.portal.visitor import Shown, Visitor
from tests.support.servers import free_port

HOME = f"{PREFIX}/"
SIGN_IN = f"{PREFIX}/sign-in/"
APPS = f"{PREFIX}/acme/settings/applications/"
REDIRECT_URI = "https://courier.example/cb"
OVER_A_MINUTE = CHECK_EVERY.total_seconds() + 1


@pytest.fixture
async def front(db: Database, tmp_path: Path) -> AsyncIterator[Front]:
    async with open_front(db, tmp_path) as opened:
        yield opened


async def id_of(front: Front, email: str) -> str:
    user = await front.site.db.find(users, email=email)
    assert user
    return user["id"]


async def role_of(front: Front, email: str) -> int | None:
    workspace = await find_workspace(front.site.db, "acme")
    assert workspace
    member = await find_member(front.site.db, workspace["id"], await id_of(front, email))
    return member["role"] if member else None


def asked(front: Front) -> list[str]:
    """Paths of the requests to the stand-in, from now on."""
    client: Any = front.site.upstream
    paths: list[str] = []
    send = client.send

    async def count(method: str, path: str, *rest: Any, **named: Any) -> Any:
        paths.append(path)
        return await send(method, path, *rest, **named)

    client.send = count
    return paths


def go_away(front: Front) -> None:
    """As if nothing listened there."""
    client: Any = front.site.upstream
    client._upstream = f"http://127.0.0.1:{free_port()}"


async def test_a_person_who_is_signed_in_there_is_signed_in_here_and_goes_on_to_what_they_asked_for(
    front: Front,
) -> None:
    browser = front.browser_of(front.ana)
    asking = await browser.get(APPS)
    assert asking.status == 303
    assert asking.location.startswith(f"{SIGN_IN}?next=")
    begun = await browser.get(asking.location)
    assert (begun.status, begun.location) == (303, APPS)
    cookie = browser.set_cookies["airside_session"]
    assert (cookie.path, cookie.http_only, cookie.same_site, cookie.max_age) == (PREFIX, True, "Lax", None)
    page = await browser.get(APPS)
    assert page.status == 200
    assert "Acme" in page.text


async def test_no_session_of_theirs_is_stored(front: Front) -> None:
    await front.visit(front.ana)
    (row,) = await front.site.db.find_all(upstream_sessions)
    assert front.ana.cookies["session-id"] not in str(row)
    assert "session-id" not in repr(cookies_of(front.ana.cookies))
    assert front.ana.cookies["session-id"] not in repr(cookies_of(front.ana.cookies))


async def test_a_stranger_waits_at_a_page_that_goes_on_when_they_have_signed_in(front: Front) -> None:
    browser = front.stranger()
    asking = await browser.get(APPS)
    page = await browser.get(asking.location)
    assert page.status == 200
    assert f'href="{front.upstream.url}/"' in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "airside_session" not in browser.cookies
    here = unescape(page.text.split('hx-get="')[1].split('"')[0])
    assert here == asking.location
    browser.cookies["session-id"] = front.ana.cookies["session-id"]
    poll = await browser.get(here, **{"HX-Request": "true"})
    assert (poll.status, poll.headers["hx-redirect"]) == (204, APPS)
    assert (await browser.get(APPS)).status == 200


async def test_a_session_that_is_over_is_asked_for_once(front: Front) -> None:
    await front.visit(front.ana)
    paths = asked(front)
    browser = Visitor(front.conductor, {"session-id": "0" * 32})
    for _ in range(5):
        assert (await browser.get(SIGN_IN)).status == 200
    assert paths == ["/api/users/me/"]


async def test_made_up_cookies_are_limited_for_each_address(front: Front) -> None:
    found: set[tuple[int, bool]] = set()
    for number in range(130):
        browser = Visitor(front.conductor, {"session-id": f"{number:032d}"})
        page = await browser.get(SIGN_IN)
        found.add((page.status, page.headers.get("retry-after") is not None))
    assert found == {(200, False), (429, True)}


@pytest.mark.parametrize(
    "session", ["", "a\r\nX-API-Key: k", "a; csrftoken=b", "é" * 32, "x" * 300, '"quoted"', "a b"]
)
def test_a_cookie_that_the_community_edition_does_not_make_is_never_sent_to_it(session: str) -> None:
    assert cookies_of({"session-id": session}).session == ""


async def test_gw2_the_cookie_of_the_community_edition_alone_changes_nothing(front: Front) -> None:
    """As a form on another site would be sent: with the cookie, and with everything that its author can know."""
    ana = await front.visit(front.ana)
    token = (await ana.get(APPS + "new/")).form(APPS + "new/")["csrf_token"]
    forged = front.browser_of(front.ana)
    for fields in ({}, {"csrf_token": token}):
        for path in ("acme/settings/applications/new/", "profile/appearance/", "acme/settings/app-policy/"):
            answer = await forged.post(f"{PREFIX}/{path}", {**fields, "name": "Evil"})
            assert (answer.status, answer.location.split("?")[0]) == (303, SIGN_IN), path
    assert "airside_session" not in forged.cookies
    for fields in ({}, {"csrf_token": "0" * 80}):
        answer = await ana.post(f"{PREFIX}/acme/settings/applications/new/", {**fields, "name": "Evil"})
        assert answer.status == 403
    assert (await ana.post(f"{PREFIX}/sign-out/", {})).status == 403
    assert "Evil" not in (await ana.get(APPS)).text


async def test_gw2_a_session_of_airside_needs_the_cookie_that_it_was_begun_with(front: Front) -> None:
    ana = await front.visit(front.ana)
    del ana.cookies["session-id"]
    answer = await ana.get(APPS)
    assert (answer.status, answer.location.split("?")[0]) == (303, SIGN_IN)
    ana.cookies["session-id"] = front.ana.cookies["session-id"]
    assert (await ana.get(APPS)).status == 303, "it ended"
    assert await front.site.db.find_all(sessions) == await front.site.db.find_all(upstream_sessions) == []


async def test_another_persons_cookie_ends_the_session_and_begins_theirs(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    browser = await front.visit(front.ana)
    browser.cookies["session-id"] = ben.cookies["session-id"]
    assert (await browser.get(f"{PREFIX}/profile/")).status == 303
    assert (await browser.get(SIGN_IN)).location == HOME
    page = await browser.get(f"{PREFIX}/profile/")
    assert "ben@acme.test" in page.text
    assert "ana@acme.test" not in page.text


async def test_a_session_that_no_cookie_was_stored_with_is_none(front: Front) -> None:
    """As one from before the Community Edition was set."""
    await front.visit(front.ana)
    browser = front.browser_of(front.ana)
    browser.cookies["airside_session"] = await start_session(front.site, await id_of(front, "ana@acme.test"))
    assert (await browser.get(HOME)).status == 303


async def test_within_a_minute_nobody_is_asked_and_then_once_for_requests_at_once(front: Front) -> None:
    ana = await front.visit(front.ana)
    paths = asked(front)
    await ana.get(HOME)
    front.clock.advance(seconds=59)
    await ana.get(HOME)
    assert paths == []
    front.clock.advance(seconds=OVER_A_MINUTE)
    answers = await asyncio.gather(*(Visitor(front.conductor, dict(ana.cookies)).get(HOME) for _ in range(5)))
    assert [one.status for one in answers] == [200] * 5
    assert paths.count("/api/users/me/") == 1


async def test_gw10_a_demoted_person_loses_what_admins_have_at_the_next_page_after_a_minute(
    front: Front,
) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme", role=20)
    browser = await front.visit(ben)
    policy = f"{PREFIX}/acme/settings/app-policy/"
    assert (await browser.get(policy)).status == 200
    await change_role(front, "ben@acme.test", 15)
    front.clock.advance(seconds=OVER_A_MINUTE)
    assert (await browser.get(policy)).status == 403
    assert await role_of(front, "ben@acme.test") == 15


async def test_gw10_a_removed_person_does_not_see_the_workspace_any_more(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    browser = await front.visit(ben)
    assert (await browser.get(f"{PREFIX}/acme/settings/integrations/")).status == 200
    await change_role(front, "ben@acme.test", None)
    front.clock.advance(seconds=OVER_A_MINUTE)
    assert (await browser.get(f"{PREFIX}/acme/settings/integrations/")).status == 404
    assert await role_of(front, "ben@acme.test") is None


async def test_gw10_a_consent_asks_at_once_whether_the_person_is_still_there(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    browser = await front.visit(ben)
    front.clock.advance(seconds=10)
    await change_role(front, "ben@acme.test", None)
    await browser.get(f"{PREFIX}/consent/?request=019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e")
    assert await role_of(front, "ben@acme.test") is None


async def change_role(front: Front, email: str, role: int | None) -> None:
    """By an admin, in the Community Edition's own pages. None: removed."""
    user = front.upstream.site.store.users.first(email=email)
    assert user
    member = front.upstream.site.store.workspace_members.first(member=user["id"])
    assert member
    path = f"/api/workspaces/acme/members/{member['id']}/"
    await (front.ana.patch(path, {"role": role}) if role else front.ana.send("DELETE", path, expect=204))


async def test_who_signs_out_there_is_signed_out_here_within_a_minute(front: Front) -> None:
    browser = await front.visit(front.ana)
    await front.ana.submit("/auth/sign-out/")
    assert (await browser.get(HOME)).status == 200
    front.clock.advance(seconds=OVER_A_MINUTE)
    answer = await browser.get(HOME)
    assert (answer.status, answer.location) == (303, SIGN_IN)
    assert await front.site.db.find_all(sessions) == []
    assert (await browser.get(SIGN_IN)).status == 200


async def test_gw12_while_the_community_edition_is_away_a_session_is_good_for_its_minute_and_then_says_so(
    front: Front,
) -> None:
    browser = await front.visit(front.ana)
    go_away(front)
    front.clock.advance(seconds=59)
    assert (await browser.get(HOME)).status == 200
    front.clock.advance(seconds=2)
    for path in (HOME, SIGN_IN, APPS):
        page = await browser.get(path)
        assert page.status == 503, path
        assert page.headers["retry-after"] == "5"
        assert "Plane can&#39;t be reached" in page.text
        assert front.ana.cookies["session-id"] not in page.text
    assert (await Visitor(front.conductor).get(SIGN_IN)).status == 200, "without a cookie nobody is asked"
    assert (await front.browser_of(front.ana).get(SIGN_IN)).status == 503


async def test_signing_out_ends_the_session_here_alone_and_says_so_even_while_the_other_is_away(
    front: Front,
) -> None:
    browser = await front.visit(front.ana)
    page = await browser.get(HOME)
    go_away(front)
    front.clock.advance(seconds=OVER_A_MINUTE)
    out = await browser.submit(page, f"{PREFIX}/sign-out/")
    assert (out.status, out.location) == (303, f"{PREFIX}/sign-out/")
    assert "airside_session" not in browser.cookies
    assert "You are signed out of Airside" in (await browser.get(out.location)).text
    assert (await front.ana.get("/api/users/me/"))["email"] == "ana@acme.test"
    assert await front.site.db.find_all(sessions) == []


async def test_no_password_is_asked_for_and_the_session_is_confirmed_instead(front: Front) -> None:
    browser = await front.visit(front.ana)
    shown = await create_app(browser)
    app = shown.location.split("/applications/")[1].split("/")[0]
    path = f"{APPS}{app}/secrets/"
    page = await browser.get(path)
    assert 'type="password"' not in page.text
    front.clock.advance(seconds=10)
    made = await browser.submit(page, path, name="Second")
    assert made.status == 200
    page = await browser.get(f"{APPS}{app}/webhook-secret/")
    await front.ana.submit("/auth/sign-out/")
    front.clock.advance(seconds=10)
    refused = await browser.submit(page, f"{APPS}{app}/webhook-secret/")
    assert (refused.status, refused.location.split("?")[0]) == (303, SIGN_IN)


async def create_app(browser: Visitor) -> Shown:
    page = await browser.get(f"{APPS}new/")
    fields = page.form(f"{APPS}new/") | {"name": "Courier", "redirect_uris": REDIRECT_URI}
    answer = await browser.send(
        "POST",
        f"{APPS}new/",
        "&".join(f"{name}={value}" for name, value in fields.items()).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 303, answer.text
    return answer


async def test_an_account_that_an_operator_deactivated_here_gets_a_sentence(front: Front) -> None:
    browser = await front.visit(front.ana)
    await deactivate_user(front.site, await id_of(front, "ana@acme.test"))
    assert (await browser.get(HOME)).status == 303
    page = await browser.get(SIGN_IN)
    assert page.status == 403
    assert "can&#39;t be used in Airside" in page.text


async def test_a_session_ends_after_half_a_day_without_use_and_its_row_is_purged(front: Front) -> None:
    browser = await front.visit(front.ana)
    front.clock.advance(seconds=IDLE.total_seconds() + 1)
    assert (await browser.get(HOME)).status == 303
    assert await purge_ended(front.site) == 0
    (row,) = await front.site.db.find_all(sessions)
    async with front.site.db.transaction() as tx:
        await tx.delete(sessions, id_hash=row["id_hash"])
    assert await purge_ended(front.site) == 1


async def test_a_consent_request_waits_under_its_id_until_somebody_is_signed_in(front: Front) -> None:
    made = await create_app(await front.visit(front.ana))
    app = await front.site.db.find(apps, id=made.location.split("/applications/")[1].split("/")[0])
    assert app
    query = {"client_id": app["client_id"], "response_type": "code", "redirect_uri": REDIRECT_URI}
    browser = front.stranger()
    asking = await browser.get(f"/auth/o/authorize-app/?{urlencode(query)}")
    assert asking.location.startswith(f"{PREFIX}/consent/?request=")
    to_sign_in = await browser.get(asking.location)
    request_id = asking.location.partition("request=")[2]
    assert to_sign_in.location == f"{SIGN_IN}?next={request_id}"
    waiting = await browser.get(to_sign_in.location)
    assert "to continue to" in waiting.text
    assert "Courier" in waiting.text
    browser.cookies["session-id"] = front.ana.cookies["session-id"]
    begun = await browser.get(to_sign_in.location)
    assert begun.location == asking.location
    assert "Courier" in (await browser.get(begun.location)).text
