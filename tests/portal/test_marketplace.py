"""The marketplace's pages: browsing, an author's listing, the operator's review; who sees what."""

import pytest

from airside.apps.registry import create_app
from airside.developer.registration import update_app
from airside.identity.users import set_operator
from airside.installations.read import find_installation
from airside.marketplace.publishers import set_verified
from airside.marketplace.review import approve_listing
from airside.marketplace.submit import submit_listing
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import (
    TEXTS,
    get_courier,
    list_another,
    make_listed,
    make_operator,
    make_ready,
    make_submitted,
    prepare_app,
)
from tests.portal.visitor import BOUNDARY, Shown, Visitor, find_refresh, multipart, signed_in, visiting
from tests.support.pictures import make_png

XSS = "\"><img src=x onerror=alert(1)>'{{7*9131}}<script>alert(1)</script>"


def listing_path(cast: Cast) -> str:
    return f"/acme/settings/applications/{cast.courier['id']}/listing/"


async def send_screenshot(visitor: Visitor, page: Shown, path: str, file: bytes, caption: str = "") -> Shown:
    fields = list((page.form(path) | {"caption": caption}).items())
    body = multipart(fields, file).replace(
        b'name="logo"; filename="logo.png"', b'name="screenshot"; filename="x.png"'
    )
    return await visitor.send(
        "POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )


async def test_from_the_draft_to_the_shelf_with_forms_alone(site: Site, cast: Cast) -> None:
    await prepare_app(site, cast.courier, cast.ana["id"])
    await make_operator(site, cast)
    here = listing_path(cast)
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        page = await ana.get(here)
        assert "3 things are missing" in page.text
        saved = await ana.submit(page, here, **TEXTS)
        assert (saved.status, saved.location) == (303, here)
        page = await ana.get(here)
        shot = await send_screenshot(ana, page, f"{here}screenshots/", make_png(), "The room")
        assert shot.location == f"{here}#screenshots"
        assert "The room" in (await ana.get(f"{here}preview/")).text
        sent = await ana.submit(await ana.get(here), f"{here}submit/")
        assert sent.location == here
        assert "Take it back" in (await ana.get(here)).text

        assert "Nothing is listed yet" in (await zoe.get("/marketplace/")).text
        assert "/admin/review/courier/" in (await zoe.get("/admin/review/")).text
        review = await zoe.get("/admin/review/courier/")
        assert "It links to a privacy policy" in review.text
        done = await zoe.submit(review, "/admin/review/courier/", decision="approve")
        assert (done.status, done.location) == (303, "/admin/review/")

        assert "Posts every change to the chat room" in (await zoe.get("/marketplace/")).text
        listed = await zoe.get("/other/marketplace/courier/")
        for words in ("<strong>signed webhook</strong>", "See work items", "The room", "Unverified"):
            assert words in listed.text
        assert 'href="https://courier.example/privacy"' in listed.text
        assert "Install App: Courier" in listed.text


async def test_install_leads_to_consent_in_the_workspace_where_one_stands(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    async with signed_in(site, "zoe") as zoe:
        answer = await zoe.get("/other/marketplace/courier/install/")
        assert answer.location.startswith("/consent/?request=")
        question = await zoe.get(answer.location)
        assert "Courier will be able to" in question.text
        done = await zoe.submit(question, "/consent/", decision="allow")
        assert done.location.startswith("https://courier.example/callback?code=")
        assert await find_installation(site.db, cast.other["id"], cast.courier["id"])
        page = await zoe.get("/other/marketplace/courier/")
        assert "Install App" not in page.text
        assert "2 installs" in page.text


async def test_install_leads_to_the_approved_setup_url(site: Site, cast: Cast) -> None:
    app = await make_ready(site, cast)
    app = await update_app(site, app["id"], cast.ana["id"], {"setup_url": "https://courier.example/setup"})
    await submit_listing(site, app, cast.ana["id"])
    await approve_listing(site, "courier", None)
    await update_app(site, app["id"], cast.ana["id"], {"setup_url": "https://evil.example/setup"})
    async with signed_in(site, "ben") as ben:
        answer = await ben.get("/marketplace/courier/install/")
        assert (answer.status, find_refresh(answer.text)) == (200, "https://courier.example/setup")


async def test_members_and_guests_browse_and_only_admins_install(site: Site, cast: Cast) -> None:
    await list_another(site, cast, "Abacus")
    async with signed_in(site, "ben") as ben, signed_in(site, "gil") as gil:
        page = await ben.get("/acme/marketplace/abacus/")
        assert "Only admins of Acme install apps" in page.text
        assert "Install App" not in page.text
        assert (await ben.get("/acme/marketplace/abacus/install/")).status == 403
        assert (await gil.get("/acme/marketplace/")).status == 403
        assert "Abacus" in (await gil.get("/marketplace/")).text


async def test_unlisted_apps_are_seen_in_their_own_workspace_only(site: Site, cast: Cast) -> None:
    fields = {"name": "Abacus", "redirect_uris": ["https://abacus.example/"]}
    await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        assert "Install App: Abacus" in (await ana.get("/acme/marketplace/")).text
        for path in ("/marketplace/", "/other/marketplace/"):
            assert "Abacus" not in (await zoe.get(path)).text
        for visitor in (ana, zoe):
            assert (await visitor.get("/marketplace/abacus/")).status == 404
            assert (await visitor.get("/marketplace/abacus/install/")).status == 404


async def test_strangers_look_around_only_where_the_operator_opened_the_doors(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    await list_another(site, cast, "Abacus", audience="instance")
    async with visiting(site) as stranger:
        for path in ("/marketplace/", "/marketplace/courier/"):
            assert (await stranger.get(path)).location.startswith("/sign-in/")
        site.settings.marketplace_public = True
        page = await stranger.get("/marketplace/")
        assert page.status == 200
        assert "Courier" in page.text
        assert "Abacus" not in page.text
        assert "Sign out" not in page.text
        assert (await stranger.get("/marketplace/courier/")).status == 200
        assert (await stranger.get("/marketplace/abacus/")).status == 404
        for path in ("/marketplace/courier/install/", "/acme/marketplace/", "/admin/review/"):
            assert (await stranger.get(path)).location.startswith("/sign-in/"), path
    async with signed_in(site, "gil") as gil:
        assert "Abacus" in (await gil.get("/marketplace/")).text


async def test_search_categories_and_pages(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    await list_another(site, cast, "Abacus", category="planning")
    async with signed_in(site, "ben") as ben:
        found = (await ben.get("/marketplace/?q=abacus")).text
        assert "/marketplace/abacus/" in found
        assert "/marketplace/courier/" not in found
        shelf = (await ben.get("/marketplace/?category=planning")).text
        assert "/marketplace/courier/" not in shelf
        assert "No app matches" in (await ben.get("/marketplace/?q=nothing+of+it")).text
        assert "Back to the first page" in (await ben.get("/marketplace/?page=7")).text
        for odd in ("q=%00", "q=%ff", "category=%00", "page=-1", "page=%F0", "q=a&q=b", f"q={'x' * 3000}"):
            assert (await ben.get(f"/marketplace/?{odd}")).status == 200, odd


@pytest.mark.parametrize("name", ["ana", "ben", "gil"])
async def test_the_queue_is_there_for_operators_only(site: Site, cast: Cast, name: str) -> None:
    await make_submitted(site, cast)
    async with signed_in(site, name) as visitor:
        token = (await visitor.get("/profile/")).form("/profile/")["csrf_token"]
        for path in ("/admin/review/", "/admin/review/courier/"):
            page = await visitor.get(path)
            assert page.status == 404
            assert "Courier" not in page.text
        for path in ("/admin/review/courier/", "/admin/review/courier/publisher/"):
            answer = await visitor.post(path, {"csrf_token": token, "decision": "approve", "do": "verify"})
            assert answer.status == 404
        assert "Review queue" not in (await visitor.get("/profile/")).text


async def test_an_operator_sends_back_delists_and_verifies(site: Site, cast: Cast) -> None:
    await make_submitted(site, cast)
    await make_operator(site, cast)
    path = "/admin/review/courier/"
    async with signed_in(site, "zoe") as zoe, signed_in(site, "ana") as ana:
        refused = await zoe.submit(await zoe.get(path), path, decision="changes", words="")
        assert refused.status == 422
        assert "Say what should change" in refused.text
        await zoe.submit(refused, path, decision="changes", words=f"Say what it costs. {XSS}")
        mine = (await ana.get(listing_path(cast))).text
        assert "The operator asks for changes" in mine
        assert "<img src=x" not in mine
        await ana.submit(await ana.get(listing_path(cast)), f"{listing_path(cast)}submit/")
        await zoe.submit(await zoe.get(path), path, decision="approve")
        verified = await zoe.submit(await zoe.get(path), f"{path}publisher/")
        assert verified.location == path
        assert "Verified publisher" in (await ana.get("/marketplace/")).text
        assert "The publisher is not verified" not in (await ana.get("/marketplace/courier/")).text
        out = await zoe.submit(await zoe.get(path), path, decision="delist", reason="")
        assert out.status == 422
        await zoe.submit(await zoe.get(path), path, decision="delist", reason="Out of order.")
        assert (await ana.get("/marketplace/courier/")).status == 404
        assert "Out of order." in (await ana.get(listing_path(cast))).text


async def test_consent_says_whether_the_publisher_is_verified(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    async with signed_in(site, "zoe") as zoe:
        before = await zoe.get((await zoe.get("/other/marketplace/courier/install/")).location)
        assert "The publisher is not verified" in before.text
        await set_verified(site, cast.acme["id"], "Courier & Sons", None, is_verified=True)
        after = await zoe.get((await zoe.get("/other/marketplace/courier/install/")).location)
        assert "The publisher is not verified" not in after.text


async def test_names_and_words_of_an_app_are_only_words(site: Site, cast: Cast) -> None:
    await set_operator(site, cast.zoe["id"], True)
    await update_app(site, cast.courier["id"], cast.ana["id"], {"name": XSS[:80]})
    app = await prepare_app(site, await get_courier(site, cast), cast.ana["id"], organization_name=XSS[:80])
    here = listing_path(cast)
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        texts = TEXTS | {"tagline": XSS[:100], "description": XSS * 3}
        await ana.submit(await ana.get(here), here, **texts)
        await send_screenshot(ana, await ana.get(here), f"{here}screenshots/", make_png(), XSS[:120])
        seen = [await ana.get(here), await ana.get(f"{here}preview/")]
        await submit_listing(site, app, cast.ana["id"])
        seen += [await zoe.get("/admin/review/"), await zoe.get("/admin/review/courier/")]
        await approve_listing(site, "courier", None)
        seen += [await zoe.get("/marketplace/"), await zoe.get("/other/marketplace/courier/")]
        seen.append(await zoe.get("/marketplace/?q=%3Cscript%3Ealert(1)%3C/script%3E"))
    for page in seen:
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "63917" not in page.text.split("</head>")[0]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x.example"]
)
async def test_a_support_link_is_a_web_page(site: Site, cast: Cast, url: str) -> None:
    here = listing_path(cast)
    async with signed_in(site, "ana") as ana:
        answer = await ana.submit(await ana.get(here), here, support_url=url, category="chat")
        assert answer.status == 422
        assert (
            await ana.post(here, {"csrf_token": answer.form(here)["csrf_token"], "category": "x"})
        ).status == 422


async def test_an_invalid_picture_is_refused_on_the_page(site: Site, cast: Cast) -> None:
    here = listing_path(cast)
    async with signed_in(site, "ana") as ana:
        page = await ana.get(here)
        answer = await send_screenshot(ana, page, f"{here}screenshots/", b"<svg onload=alert(1)>")
        assert answer.status == 422
        assert "Use a PNG, JPEG or WebP picture." in answer.text
        assert (await send_screenshot(ana, page, f"{here}screenshots/", b"")).status == 422
        assert (await send_screenshot(ana, page, f"{here}screenshots/", b"x" * 3_000_000)).status == 413


async def test_a_listing_is_taken_along_and_taken_in_with_forms_alone(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    await make_operator(site, cast)
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        mine = await ana.get(f"{listing_path(cast)}export/")
        assert mine.headers["content-disposition"].endswith('filename="courier.airside-listing.json"')
        assert mine.headers["Content-Type"] == "application/json"
        theirs = await zoe.get("/admin/review/courier/export/")
        assert theirs.body == mine.body
        page = await zoe.get("/admin/import/")
        refused = await send_file(zoe, page, b"{}")
        assert refused.status == 422
        assert "This is no listing that Airside exported." in refused.text
        assert (await send_file(zoe, page, b"")).status == 422
        assert (await send_file(zoe, page, mine.body, workspace="acme")).status == 422
        done = await zoe.get((await send_file(zoe, page, mine.body)).location)
        assert done.status == 200
        assert "Client Secret" in done.text
        assert (await ana.get("/admin/import/")).status == 404
        assert (await ana.get("/admin/review/courier/export/")).status == 404


async def send_file(visitor: Visitor, page: Shown, file: bytes, **filled: str) -> Shown:
    body = multipart(list((page.form("/admin/import/") | filled).items()), file)
    body = body.replace(b'name="logo"; filename="logo.png"', b'name="file"; filename="courier.json"')
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await visitor.send("POST", "/admin/import/", body, headers)
