"""Signing in and out, and where one goes on from there."""

import re

import pytest

from airside.identity.tables import sessions, users
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import signed_in, visiting


async def test_pt2_signing_in_leads_home_with_a_guarded_cookie(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana:
        answer = await ana.sign_in("ana@example.com")
        assert (answer.status, answer.location) == (303, "/")
        cookie = ana.set_cookies["airside_session"]
        assert (cookie.http_only, cookie.same_site, cookie.path, cookie.secure) == (True, "Lax", "/", False)
        assert "Acme" in (await ana.get("/")).text


async def test_pt2_over_https_the_cookie_is_secure_and_for_this_host_alone(site: Site, cast: Cast) -> None:
    site.settings.base_url = "https://airside.example"
    async with visiting(site) as ana:
        await ana.sign_in("ana@example.com")
        cookie = ana.set_cookies["__Host-airside_session"]
        assert (cookie.secure, cookie.path, cookie.domain) == (True, "/", None)
        assert (await ana.get("/")).status == 200


async def test_pt2_the_session_id_changes_at_sign_in_and_the_old_one_is_worth_nothing(
    site: Site, cast: Cast
) -> None:
    async with visiting(site) as ana:
        ana.cookies["airside_session"] = "planted-by-somebody"
        await ana.sign_in("ana@example.com")
        first = ana.cookies["airside_session"]
        assert first != "planted-by-somebody"
        page = await ana.get("/profile/")
        ana.cookies.pop("airside_session")
        form = await ana.get("/sign-in/")
        ana.cookies["airside_session"] = first
        await ana.submit(form, "/sign-in/", email="ana@example.com", password="correct horse battery staple")
        assert ana.cookies["airside_session"] != first
        assert page.status == 200
        ana.cookies["airside_session"] = first
        assert (await ana.get("/")).status == 303


async def test_a_wrong_password_an_unknown_person_and_a_bot_get_the_same_answer(
    site: Site, cast: Cast
) -> None:
    bot = await site.db.find(users, id=cast.installation["bot_user_id"])
    assert bot is not None
    async with visiting(site) as visitor:
        distinct = set()
        for email in ("ana@example.com", "nobody@example.com", bot["email"]):
            answer = await visitor.sign_in(email, "wrong password")
            assert answer.status == 401
            assert 'name="password"' in answer.text
            distinct.add(re.sub(r'(?<=name="csrf_token" value=)"\w+"', "", answer.text).replace(email, ""))
        assert len(distinct) == 1


async def test_guessing_is_stopped_with_429(site: Site, cast: Cast) -> None:
    async with visiting(site) as visitor:
        answers = [await visitor.sign_in("guessed@example.com", "wrong password") for _ in range(11)]
    assert [answer.status for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_page_asked_for_comes_after_signing_in(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana:
        turned_away = await ana.get("/acme/settings/applications/")
        assert turned_away.status == 303
        form = await ana.get(turned_away.location)
        answer = await ana.submit(
            form, "/sign-in/", email="ana@example.com", password="correct horse battery staple"
        )
        assert answer.location == "/acme/settings/applications/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "https:evil.example",
        "\\evil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "javascript:alert(1)",
        "/acme/projects/",  # right, but not signed by this instance
        "0" * 64 + "/acme/projects/",
        "0" * 64 + "//evil.example",
        "\0",
        "",
    ],
)
async def test_az8_nobody_is_led_elsewhere_after_signing_in(site: Site, cast: Cast, elsewhere: str) -> None:
    async with visiting(site) as ana:
        form = await ana.get("/sign-in/")
        answer = await ana.submit(
            form,
            "/sign-in/",
            email="ana@example.com",
            password="correct horse battery staple",
            next=elsewhere,
        )
        assert (answer.status, answer.location) == (303, "/")


async def test_az8_a_return_path_is_not_to_be_tampered_with(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana:
        form = await ana.get((await ana.get("/acme/projects/")).location)
        signed = form.form("/sign-in/")["next"]
        filled = {"email": "ana@example.com", "password": "correct horse battery staple"}
        answer = await ana.submit(form, "/sign-in/", **filled, next=signed.replace("acme", "other"))
        assert answer.location == "/"


async def test_who_is_signed_in_already_goes_straight_on(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        assert (await ana.get("/sign-in/")).location == "/"


async def test_signing_out_ends_the_session(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        session_id = ana.cookies["airside_session"]
        answer = await ana.submit(await ana.get("/"), "/sign-out/")
        assert (answer.status, answer.location) == (303, "/sign-in/")
        assert "airside_session" not in ana.cookies
        ana.cookies["airside_session"] = session_id
        assert (await ana.get("/")).status == 303
    assert await site.db.find_all(sessions) == []


async def test_pt2_the_sign_in_form_needs_its_own_token(site: Site, cast: Cast) -> None:
    filled = {"email": "ana@example.com", "password": "correct horse battery staple"}
    async with visiting(site) as ana, visiting(site) as other:
        theirs = (await other.get("/sign-in/")).form("/sign-in/")
        await ana.get("/sign-in/")
        assert (await ana.post("/sign-in/", filled)).status == 403
        assert (await ana.post("/sign-in/", theirs | filled)).status == 403
        assert "airside_session" not in ana.cookies
