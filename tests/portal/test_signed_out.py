"""A form that is sent after its session has ended: its texts are kept, and nobody else can fill the page."""

from urllib.parse import urlencode

import pytest

from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import FORM, Visitor, multipart, signed_in, visiting

PATH = "/acme/settings/applications/new/"
TYPED = {
    "name": "Courier",
    "short_description": "Brings the news",
    "csrf_token": "old",
    "password": "a secret word",
}
HERE = {"Origin": "http://127.0.0.1:8000"}


async def test_its_texts_are_shown_and_can_be_sent_again(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        ana.cookies.pop("airside_session")
        kept = await ana.post(PATH, TYPED, **HERE)
        assert kept.status == 401
        assert kept.form(PATH) == {
            "csrf_token": "",
            "name": "Courier",
            "short_description": "Brings the news",
        }
        assert "a secret word" not in kept.text
        await ana.sign_in("ana@example.com")
        token = (await ana.get(PATH)).form(PATH)["csrf_token"]
        sent = kept.form(PATH) | {"csrf_token": token, "redirect_uris": "https://courier.example/callback"}
        assert (await ana.send("POST", PATH, encode(sent), FORM)).status == 303


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}],
)
async def test_another_site_cannot_fill_the_page(site: Site, cast: Cast, headers: dict[str, str]) -> None:
    async with visiting(site) as stranger:
        answer = await stranger.post(PATH, TYPED, **headers)
        assert (answer.status, answer.location.partition("?")[0]) == (303, "/sign-in/")


@pytest.mark.parametrize(
    "values", [{}, {"csrf_token": "old word"}, {"name": "Courier"}, {"password": "two words"}]
)
async def test_a_form_without_a_text_leads_to_the_sign_in(
    site: Site, cast: Cast, values: dict[str, str]
) -> None:
    async with visiting(site) as stranger:
        assert (await stranger.post(PATH, values, **HERE)).status == 303


async def test_a_form_that_cannot_be_read_leads_to_the_sign_in(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        assert await status_of(stranger, b"\xff=\xff", FORM) == 303
        assert await status_of(stranger, b"name=" + b"a b" * 1_000_000, FORM) == 303


async def test_files_have_to_be_chosen_again(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        body = multipart([("name", "Brings the news")], b"\x89PNG\r\n\x1a\n")
        headers = {"Content-Type": "multipart/form-data; boundary=a-line-between-parts"}
        page = await stranger.send("POST", PATH, body, headers | HERE)
        assert page.status == 401
        assert "Choose your files again" in page.text


async def status_of(visitor: Visitor, body: bytes, headers: dict[str, str]) -> int:
    return (await visitor.send("POST", PATH, body, headers | HERE)).status


def encode(values: dict[str, str]) -> bytes:
    return urlencode(values).encode()


async def test_a_member_learns_whom_to_ask_about_an_app(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        refused = await ben.get(f"/acme/settings/applications/{cast.courier['id']}/")
        assert refused.status == 403
        assert "Ask an administrator: Ana (ana@example.com)." in refused.text
        assert "Ana (ana@example.com)" in (await ben.get("/acme/settings/audit/")).text
