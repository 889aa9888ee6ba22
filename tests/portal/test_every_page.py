"""What holds for every page: headers, who may, whose it is, forged forms, and input that makes no sense."""

import gzip
import re
from collections.abc import Iterator
from html import unescape

import pytest

from airside.apps.secrets import list_client_secrets
from airside.identity.api_keys import create_api_key
from airside.portal.forms import FORM_LIMIT, WRITING_LIMIT
from airside.portal.routes import portal_routes
from airside.runtime.site import Site
from tests.cast import PASSWORD, Cast
from tests.portal.visitor import FORM, multipart, signed_in, visiting

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
NOT_OF_A_PERSON = ("/static", "/favicon", "/uploads", "/sign-in", "/invitations", "/consent")


def filled(path: str, cast: Cast, slug: str = "acme", **ids: str) -> str:
    known = {
        "slug": slug,
        "app_id": cast.courier["id"],
        "installation_id": cast.installation["id"],
        "delivery_id": UNKNOWN,
        "webhook_id": UNKNOWN,
        "secret_id": UNKNOWN,
        "key_id": UNKNOWN,
        "sign_in_id": UNKNOWN,
        "user_id": UNKNOWN,
        "invitation_id": UNKNOWN,
        "answer": "allowed",
        "app_slug": cast.courier["slug"],
        "picture_id": UNKNOWN,
        "project_id": UNKNOWN,
        "member_id": UNKNOWN,
        "label_id": UNKNOWN,
        "state_id": UNKNOWN,
        "identifier": "ENG-1",
        "comment_id": UNKNOWN,
        "link_id": UNKNOWN,
        "attachment_id": UNKNOWN,
        "run_id": UNKNOWN,
        "agent_id": UNKNOWN,
        "field": "state",
    }
    missing = dict.fromkeys(re.findall(r"{(\w+)}", path), UNKNOWN)
    return path.format(**(missing | known | ids)).rstrip("/") + "/"


def form_limit(path: str) -> int:
    """Bytes that the page's form may have: more where people write texts."""
    is_text = path.endswith(("/browse/{identifier}/edit", "/comments", "/comments/{comment_id}"))
    return WRITING_LIMIT if is_text else FORM_LIMIT


def pages(site: Site, method: str, within: str = "") -> Iterator[str]:
    for path, resource in portal_routes(site):
        is_theirs = path.startswith(within or "/") and not path.startswith(NOT_OF_A_PERSON)
        if is_theirs and hasattr(resource, f"on_{method.lower()}"):
            yield path


async def test_co1_no_page_is_framed_cached_or_loads_from_elsewhere(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        for path in pages(site, "GET"):
            page = await ana.get(filled(path, cast))
            assert page.status in (200, 303, 400, 404), (
                path
            )  # 400: refused, as what there is nothing to export of
            if page.status == 303:
                continue
            policy = page.headers["Content-Security-Policy"]
            assert policy == (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            )
            assert page.headers["X-Frame-Options"] == "DENY"
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Referrer-Policy"] == "same-origin"
            assert page.headers["Cache-Control"] == "no-store"
            assert "style=" not in page.text
            assert "access-control-allow-origin" not in page.headers


async def test_sign_in_and_consent_tell_nobody_where_from_and_allow_no_other_origin(
    site: Site, cast: Cast
) -> None:
    async with visiting(site) as visitor:
        for path in (
            "/sign-in/",
            "/auth/o/authorize-app/",
            f"/consent/?request={UNKNOWN}",
        ):
            page = await visitor.get(path, Origin="https://evil.example")
            assert page.headers["Referrer-Policy"] == "no-referrer"
            assert page.headers["Cache-Control"] == "no-store"
            assert "access-control-allow-origin" not in page.headers
            assert "://" not in page.text.replace("http://www.w3.org", "")


async def test_every_page_of_a_person_asks_a_stranger_to_sign_in(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        for path in pages(site, "GET"):
            page = await stranger.get(filled(path, cast))
            assert (page.status, page.location.split("?")[0]) == (303, "/sign-in/"), path
        for path in pages(site, "POST"):
            page = await stranger.post(filled(path, cast), {})
            assert (page.status, page.location) == (303, "/sign-in/"), path


async def test_a_part_that_refreshes_itself_learns_that_the_session_ended(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        path = f"/acme/settings/applications/{cast.courier['id']}/deliveries/"
        part = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:8000/acme/your-work/?page=2"}
        shown = await stranger.get(path, **part)
        assert shown.status == 401
        sign_in = unescape(shown.text.split('href="/sign-in/', 1)[1].split('"')[0])
        page = await stranger.get(f"/sign-in/{sign_in}")
        back = await stranger.submit(page, "/sign-in/", email="ana@example.com", password=PASSWORD)
        assert back.location == "/acme/your-work/?page=2"


@pytest.mark.parametrize(
    "source_url",
    [
        "https://evil.example//evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "http://[",
        "\\evil",
        "é",
    ],
)
async def test_az8_where_a_part_is_shown_leads_nowhere_but_here(
    site: Site, cast: Cast, source_url: str
) -> None:
    async with visiting(site) as stranger:
        for header in ({"HX-Request": "true", "HX-Current-URL": source_url}, {"Referer": source_url}):
            shown = await stranger.post("/profile/", {}, **header)
            href = shown.location or unescape(shown.text.split('href="/sign-in/', 1)[1].split('"')[0])
            page = await stranger.get(f"/sign-in/{href.removeprefix('/sign-in/')}")
            back = await stranger.submit(page, "/sign-in/", email="ana@example.com", password=PASSWORD)
            assert re.match(r"/(?![/\\])", back.location), back.location
            stranger.cookies.pop("airside_session")


async def test_tn1_another_workspace_is_as_if_it_were_not_there(site: Site, cast: Cast) -> None:
    async with signed_in(site, "zoe") as zoe:
        token = (await zoe.get("/profile/")).form("/profile/")["csrf_token"]
        for method in ("GET", "POST"):
            for path in pages(site, method, "/{slug}"):
                for place in (filled(path, cast), filled(path, cast, slug="nowhere")):
                    answer = await (
                        zoe.get(place) if method == "GET" else zoe.post(place, {"csrf_token": token})
                    )
                    assert answer.status == 404, (method, place)
                    assert "Courier" not in answer.text


async def test_keys_of_others_can_be_neither_seen_nor_revoked(site: Site, cast: Cast) -> None:
    key = await create_api_key(site, cast.ana["id"], label="Ana's own")
    async with signed_in(site, "ben") as ben:
        token = (await ben.get("/profile/")).form("/profile/")["csrf_token"]
        path = f"/profile/api-keys/{key.id}/revoke/"
        assert (await ben.get(path)).status == 404
        assert (await ben.post(path, {"csrf_token": token})).status == 404


@pytest.mark.parametrize("name", ["ben", "gil"])
async def test_pt4_only_admins_come_to_the_apps_that_a_workspace_builds(
    site: Site, cast: Cast, name: str
) -> None:
    async with signed_in(site, name) as member:
        token = (await member.get("/profile/")).form("/profile/")["csrf_token"]
        for path in pages(site, "GET", "/{slug}/settings/applications"):
            assert (await member.get(filled(path, cast))).status == 403, path
        for path in pages(site, "POST", "/{slug}/settings"):
            answer = await member.post(filled(path, cast), {"csrf_token": token, "name": "Mine"})
            assert answer.status == 403, path


async def test_members_see_installed_apps_and_guests_do_not(site: Site, cast: Cast) -> None:
    installed = f"/acme/settings/integrations/{cast.installation['id']}/"
    async with signed_in(site, "ben") as ben, signed_in(site, "gil") as gil:
        for path in ("/acme/settings/integrations/", installed, "/acme/settings/members/"):
            assert (await ben.get(path)).status == 200, path
            assert (await gil.get(path)).status == 403, path
        page = await ben.get(installed)
        assert "uninstall/" not in page.text
        assert (await ben.get(f"{installed}uninstall/")).status == 403


async def test_pt2_no_post_is_taken_without_a_token_of_the_session(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        theirs = (await zoe.get("/profile/")).form("/profile/")["csrf_token"]
        for path in pages(site, "POST"):
            for form in ({}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": theirs}):
                answer = await ana.post(filled(path, cast), form)
                assert answer.status == 403, (path, form)
    assert len(await list_client_secrets(site.db, cast.courier["id"])) == 1


def odd_bodies(token: str) -> list[tuple[bytes, dict[str, str]]]:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    good = f"csrf_token={token}".encode()
    return [
        (b"", {}),
        (b"", FORM),
        (b"\x00\xff\xfe", FORM),
        (b"csrf_token=%ff%fe", FORM),
        (good + b"&" + good, FORM),
        (good + b"&name=%00&label=%00&password=%00&confirm=%00&request=%00&workspace=%00&theme=%00", FORM),
        (good + b"&name=%ed%a0%80", FORM),
        (
            good
            + b"&name=a&name=b&label=a&label=b&password=a&password=b&confirm=a&confirm=b&theme=1&theme=2",
            FORM,
        ),
        (good + b"&expires_in_days=1e9&label=x&theme=zz", FORM),
        (good + b"&x=1" * 400, FORM),
        (b'{"csrf_token": 1}', {"Content-Type": "application/json"}),
        (b"", form),
        (b"--x", form),
        (b"--x\r\n\r\n", form),
        (b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nv\r\n--x--\r\n', form),
        (b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n\xff\xfe\r\n--x--\r\n', form),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n", form),
        (
            b"--x\r\nContent-Disposition: form-data; filename*=nope'x'%ff; name=logo\r\n\r\nv\r\n--x--\r\n",
            form,
        ),
        (b"--x--\r\n", {"Content-Type": "multipart/form-data"}),
        (
            multipart([("csrf_token", token)] * 2),
            {"Content-Type": "multipart/form-data; boundary=a-line-between-parts"},
        ),
    ]


async def test_bodies_that_make_no_sense_are_refused_and_nothing_breaks(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        token = (await ana.get("/profile/")).form("/profile/")["csrf_token"]
        for path in [
            *pages(site, "POST"),
            "/sign-in",
            "/consent",
            "/consent/workspace",
        ]:
            if path == "/sign-out":
                continue
            for body, headers in odd_bodies(token):
                answer = await ana.send("POST", filled(path, cast), body, headers)
                assert answer.status < 500, (path, body)


async def test_a_body_that_is_too_large_is_413(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        token = (await ana.get("/profile/")).form("/profile/")["csrf_token"]
        for path in pages(site, "POST"):
            answer = await ana.send(
                "POST",
                filled(path, cast),
                b"csrf_token=" + token.encode() + b"&name=" + b"x" * form_limit(path),
                FORM,
            )
            assert answer.status == 413, path
            assert "<h1>" in answer.text
        huge = multipart([("csrf_token", token)], b"\x89PNG\r\n\x1a\n" + b"x" * 3_000_000)
        headers = {"Content-Type": "multipart/form-data; boundary=a-line-between-parts"}
        assert (await ana.send("POST", "/acme/settings/applications/new/", huge, headers)).status == 413


@pytest.mark.parametrize(
    "odd", ["%00", "%ff%fe", "%ed%a0%80", "..%2f..", "'%20OR%201=1--", "<script>", "x" * 3000, "%F0%9F%92%A9"]
)
async def test_addresses_that_make_no_sense_are_404(site: Site, cast: Cast, odd: str) -> None:
    async with signed_in(site, "ana") as ana, visiting(site) as stranger:
        for path in pages(site, "GET", "/{slug}"):
            for place in (
                filled(path, cast, slug=odd),
                filled(
                    path,
                    cast,
                    **dict.fromkeys(("app_id", "installation_id", "delivery_id", "secret_id"), odd),
                ),
            ):
                answer = await ana.get(place)
                assert answer.status in (200, 303, 404), place
                assert "<script>" not in answer.text
                assert (await stranger.get(place)).status in (303, 404)
        assert (await ana.get(f"/uploads/logos/{odd}")).status == 404


async def test_cookies_that_make_no_sense_are_nobodys(site: Site, cast: Cast) -> None:
    async with visiting(site) as stranger:
        for value in ("x" * 5000, "\x7f", "a b", '"', "é", "%00"):
            stranger.cookies = {
                "airside_session": value,
                "airside_theme": value,
                "airside_notice": value,
                "airside_guest": value,
            }
            assert (await stranger.get("/")).status == 303
            assert (await stranger.get("/sign-in/")).status == 200


async def test_errors_are_pages_that_say_what_to_do(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        missing = await ana.get("/acme/nowhere/")
        assert missing.status == 404
        assert "Not found" in missing.text
        assert (await ana.post("/acme/projects/", {})).status == 405
        assert (await ana.send("DELETE", "/profile/")).status == 405


async def test_static_files_are_kept_for_good_under_their_digest(site: Site, cast: Cast) -> None:
    async with visiting(site) as visitor:
        page = await visitor.get("/sign-in/")
        href = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        css = await visitor.get(href)
        assert css.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert css.headers["Content-Type"] == "text/css; charset=utf-8"
        assert css.headers["X-Content-Type-Options"] == "nosniff"
        zipped = await visitor.get(href, **{"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert len(zipped.body) < len(css.body) / 2
        other = await visitor.get("/static/0000/airside.css")
        assert other.headers["Cache-Control"] == "no-cache"
        for path in ("/static/0000/..%2froutes.py", "/static/0000/nothing.css", "/static/airside.css"):
            assert (await visitor.get(path)).status in (303, 404), path


async def test_the_style_guide_is_there_in_debug_mode_only(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        assert (await ana.get("/styleguide/")).status == 404
    site.settings.debug = True
    async with signed_in(site, "ana") as ana:
        assert (await ana.get("/styleguide/")).status == 200


async def test_a_page_is_compressed_for_clients_that_accept_gzip(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        plain = await ana.get("/acme/settings/members/")
        zipped = await ana.get("/acme/settings/members/", **{"Accept-Encoding": "br, gzip"})
    assert plain.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Ben" in gzip.decompress(zipped.body).decode()
