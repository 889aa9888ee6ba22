"""Registering an app, changing it, its secrets, its end."""

from html import escape, unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from airside.apps.registry import get_app, list_apps
from airside.apps.secrets import add_client_secret, list_client_secrets, touch_secret
from airside.apps.tables import apps
from airside.developer.registration import update_app
from airside.installations.read import find_installation
from airside.portal.applications.pages import TABS as app_tabs
from airside.runtime.site import Site
from airside.system.credentials import hash_credential
from airside.webhooks.signing import SECRET
from tests.cast import PASSWORD, Cast
from tests.portal.visitor import Shown, Visitor, signed_in
from tests.support.clocks import FrozenClock

APPS = "/acme/settings/applications/"
NEW = f"{APPS}new/"
TABS = [tab.path for tab in app_tabs] + ["oauth/edit/", "webhooks/edit/", "deliveries/"]
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
EVERY_FIELD = {
    "name": "Tally",
    "description": "Counts hours.",
    "redirect_uris": "https://tally.example/back\r\nhttp://127.0.0.1:9/back",
    "contact_email": "hello@tally.example",
    "setup_url": "https://tally.example/setup",
    "webhook_url": "https://courier.example/tally",
    "webhook_version": "v2",
    "organization_name": "Tally Ltd",
    "organization_email": "office@tally.example",
    "website": "https://tally.example/",
    "privacy_policy_url": "https://tally.example/privacy",
    "terms_of_service_url": "https://tally.example/terms",
    "is_mentionable": "on",
    "scopes": "projects:read",
}
CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE apps; --",
    "{{ 7 * 7 }}",
    "</textarea><svg/onload=alert(1)>",
]


@pytest.fixture
def path(cast: Cast) -> str:
    return f"{APPS}{cast.courier['id']}/"


async def register(visitor: Visitor, **fields: str) -> Shown:
    least = {"name": "Tally", "redirect_uris": "https://tally.example/back"}
    return await visitor.submit(await visitor.get(NEW), NEW, **(least | fields))


async def test_an_app_is_registered_with_every_field_of_the_form(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await register(ana, **EVERY_FIELD)
        assert page.status == 200
    [app] = [each for each in await list_apps(site.db, cast.acme["id"]) if each["name"] == "Tally"]
    uris = {"redirect_uris": ["https://tally.example/back", "http://127.0.0.1:9/back"]}
    given = {"short_description": "Counts hours.", "is_mentionable": True, "scopes": ["projects:read"]} | uris
    for name, value in (EVERY_FIELD | given).items():
        if name != "description":
            assert app[name] == value, name


async def test_pt3_secrets_are_written_out_once_and_never_again(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await register(ana)
        [app] = [each for each in await list_apps(site.db, cast.acme["id"]) if each["name"] == "Tally"]
        [stored] = await site.db.find_all(apps, id=app["id"])
        shown = {part.split('"')[0] for part in page.text.split('value="')}
        [client_secret] = [value for value in shown if value.startswith("pln_secret_")]
        [webhook_secret] = [value for value in shown if value.startswith("plane_wh_")]
        assert site.sealer.unseal(stored["webhook_secret_sealed"], SECRET) == webhook_secret
        here = f"{APPS}{app['id']}/"
        for where in (APPS, *(here + page for page in TABS), "/acme/settings/integrations/"):
            text = (await ana.get(where)).text
            assert client_secret not in text
            assert webhook_secret not in text
            assert hash_credential(client_secret) not in text


async def test_what_was_refused_is_said_beside_the_field_and_what_was_typed_is_kept(
    site: Site, cast: Cast
) -> None:
    async with signed_in(site, "ana") as ana:
        wrong = {
            "redirect_uris": "ftp://tally.example",
            "website": "nonsense",
            "organization_email": "nobody",
        }
        page = await register(ana, **wrong, description="Counts hours.", scopes="projects:read")
        assert page.status == 422
        for field in wrong:
            assert f'id="{field}-error"' in page.text
        fields = page.form(NEW)
        assert (fields["name"], fields["description"], fields["website"]) == (
            "Tally",
            "Counts hours.",
            "nonsense",
        )
        assert fields["scopes"] == "projects:read"
        assert "ftp://tally.example</textarea>" in page.text
    assert [app["name"] for app in await list_apps(site.db, cast.acme["id"])] == ["Courier"]


@pytest.mark.parametrize("nasty", CORPUS)
async def test_pt1_what_is_typed_is_shown_as_text_everywhere(site: Site, cast: Cast, nasty: str) -> None:
    async with signed_in(site, "ana") as ana:
        typed = {"name": nasty[:80], "description": nasty, "organization_name": nasty[:80]}
        assert (await register(ana, **typed)).status == 200
        [app] = [
            each for each in await list_apps(site.db, cast.acme["id"]) if each["id"] != cast.courier["id"]
        ]
        here = f"{APPS}{app['id']}/"
        consent = f"/auth/o/authorize-app/?client_id={app['client_id']}&response_type=code"
        refused = await register(ana, **typed, redirect_uris=nasty)
        pages = [refused, await ana.get((await ana.get(consent)).location)]
        for where in (
            APPS,
            *(here + page for page in TABS),
            f"{here}delete/",
            "/acme/settings/integrations/",
        ):
            pages.append(await ana.get(where))
        for page in pages:
            assert page.status in (200, 422)
            assert nasty not in page.text or nasty == escape(nasty)
            assert "49" not in page.text.split("<h1")[1].split("</h1>")[0]


@pytest.mark.parametrize(
    "field", ["setup_url", "website", "privacy_policy_url", "terms_of_service_url", "webhook_url"]
)
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b", "file:///etc"]
)
async def test_pt1_a_link_is_http_or_nothing(site: Site, cast: Cast, field: str, url: str) -> None:
    async with signed_in(site, "ana") as ana:
        page = await register(ana, **{field: url})
        assert page.status == 422
        assert f'id="{field}-error"' in page.text


async def test_editing_changes_what_was_sent_and_says_so(site: Site, cast: Cast, path: str) -> None:
    async with signed_in(site, "ana") as ana:
        for where, changes in (
            ("edit/", {"name": "Carrier"}),
            ("oauth/edit/", {"redirect_uris": "https://carrier.example/", "scopes": "read"}),
            ("webhooks/edit/", {"webhook_version": "v2", "receives_own_events": "on"}),
            ("agent/", {"is_mentionable": "on"}),
        ):
            page = await ana.get(path + where)
            answer = await ana.submit(page, path + where, **changes)
            back = path + where if where in ("edit/", "agent/") else path + where.removesuffix("edit/")
            assert (answer.status, answer.location) == (303, back)
            assert "The app is saved." in (await ana.get(back)).text
            assert "The app is saved." not in (await ana.get(back)).text
    app = await get_app(site.db, cast.acme["id"], cast.courier["id"])
    changed = {
        "name": "Carrier",
        "redirect_uris": ["https://carrier.example/"],
        "scopes": ["*:read"],
        "webhook_version": "v2",
        "receives_own_events": True,
        "is_mentionable": True,
        "updated_at": app["updated_at"],
    }
    assert app == cast.courier | changed, "each form changes its own fields and nothing else"


async def test_a_logo_is_kept_shown_from_here_and_replaced(site: Site, cast: Cast, path: str) -> None:
    async with signed_in(site, "ana") as ana:
        for picture, kind in (
            (PNG, "image/png"),
            (b"\xff\xd8\xffpicture", "image/jpeg"),
            (b"RIFF0000WEBPpicture", "image/webp"),
        ):
            page = await ana.get(f"{path}edit/")
            assert (await ana.upload(page, f"{path}edit/", picture)).status == 303
            app = await get_app(site.db, cast.acme["id"], cast.courier["id"])
            src = app["logo_url"].removeprefix(site.settings.origin)
            assert f'src="{src}"' in (await ana.get(path)).text
            served = await ana.get(src)
            assert served.body == picture
            assert served.headers["Content-Type"] == kind
            assert served.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in served.headers["Content-Security-Policy"]
            assert len(list((site.settings.data / "logos").iterdir())) == 1
        page = await ana.get(f"{path}edit/")
        assert (await ana.submit(page, f"{path}edit/", remove_logo="on")).status == 303
        assert list((site.settings.data / "logos").iterdir()) == []


@pytest.mark.parametrize(
    "picture",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a",
        b"<!doctype html>",
        PNG + b"x" * 512 * 1024,
    ],
)
async def test_pt1_a_logo_is_a_small_picture_by_what_it_begins_with(
    site: Site, cast: Cast, picture: bytes
) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.upload(
            await ana.get(NEW), NEW, picture, name="Tally", redirect_uris="https://tally.example/"
        )
        assert page.status == 422
        assert 'id="logo-error"' in page.text
    assert not (site.settings.data / "logos").exists()


async def test_a_logo_elsewhere_is_not_loaded(site: Site, cast: Cast, path: str) -> None:
    async with site.db.transaction() as tx:
        await tx.update(apps, {"logo_url": "https://tracker.example/logo.png"}, id=cast.courier["id"])
    async with signed_in(site, "ana") as ana:
        assert "tracker.example" not in (await ana.get(path)).text


async def test_pt3_a_new_secret_asks_for_the_password_first(site: Site, cast: Cast, path: str) -> None:
    where = f"{path}secrets/"
    async with signed_in(site, "ana") as ana:
        ask = await ana.get(where)
        for wrong in ("", "wrong password"):
            refused = await ana.submit(ask, where, password=wrong)
            assert refused.status == 422
            assert "That is not your password." in refused.text
        assert len(await list_client_secrets(site.db, cast.courier["id"])) == 1
        made = await ana.submit(ask, where, password=PASSWORD)
        assert "pln_secret_" in made.text
        assert "plane_wh_" not in made.text
        assert len(await list_client_secrets(site.db, cast.courier["id"])) == 2
        assert (await ana.get(where)).status == 400  # two are the most
        assert (await ana.submit(ask, where, password=PASSWORD, name="Third")).status == 400


async def test_a_secret_is_ended_with_the_password_and_the_last_one_stays(
    site: Site, cast: Cast, path: str
) -> None:
    await add_client_secret(site, cast.courier, cast.ana["id"])
    old, new = await list_client_secrets(site.db, cast.courier["id"])
    async with signed_in(site, "ana") as ana:
        where = f"{path}secrets/{old['id']}/end/"
        ask = await ana.get(where)
        assert (await ana.submit(ask, where, password="wrong password")).status == 422
        answer = await ana.submit(ask, where, password=PASSWORD)
        assert (answer.status, answer.location) == (303, f"{path}credentials/")
        last = f"{path}secrets/{new['id']}/end/"
        assert (await ana.submit(await ana.get(last), last, password=PASSWORD)).status == 400
        assert (await ana.get(where)).status == 404
    assert [secret["id"] for secret in await list_client_secrets(site.db, cast.courier["id"])] == [new["id"]]


async def test_the_webhook_secret_is_replaced_with_the_password(site: Site, cast: Cast, path: str) -> None:
    where = f"{path}webhook-secret/"
    async with signed_in(site, "ana") as ana:
        ask = await ana.get(where)
        assert (await ana.submit(ask, where, password="wrong password")).status == 422
        made = await ana.submit(ask, where, password=PASSWORD)
    app = await get_app(site.db, cast.acme["id"], cast.courier["id"])
    secret = site.sealer.unseal(app["webhook_secret_sealed"], SECRET)
    assert secret != cast.webhook_secret
    assert secret in made.text
    assert made.headers["Cache-Control"] == "no-store"


async def test_the_webhook_secret_is_shown_again_with_the_password_and_put_on_record(
    site: Site, cast: Cast, path: str
) -> None:
    where = f"{path}webhook-secret/show/"
    async with signed_in(site, "ana") as ana:
        ask = await ana.get(where)
        refused = await ana.submit(ask, where, password="wrong password")
        assert (refused.status, cast.webhook_secret in refused.text) == (422, False)
        shown = await ana.submit(ask, where, password=PASSWORD)
        assert cast.webhook_secret in shown.text
        assert "Revealed a webhook secret" in (await ana.get(f"{path}audit/")).text


async def test_a_replaced_webhook_secret_is_said_to_sign_on_for_a_day(
    site: Site, cast: Cast, path: str
) -> None:
    where = f"{path}webhook-secret/"
    async with signed_in(site, "ana") as ana:
        assert "earlier secret" not in (await ana.get(f"{path}credentials/")).text
        await ana.submit(await ana.get(where), where, password=PASSWORD)
        assert "earlier secret" in (await ana.get(f"{path}credentials/")).text


async def test_reasons_for_scopes_are_written_by_the_author_and_shown_at_consent(
    site: Site, cast: Cast, path: str
) -> None:
    where, nasty = f"{path}oauth/edit/", '"><script>alert(1)</script>'
    wanted = {"scopes": "projects:read", "reason:projects:read": nasty, "reason:stickies:read": "Not asked"}
    async with signed_in(site, "ana") as ana, signed_in(site, "zoe") as zoe:
        page = await ana.get(where)
        assert (await ana.submit(page, where, **wanted)).status == 303
        app = await get_app(site.db, cast.acme["id"], cast.courier["id"])
        assert app["scope_reasons"] == {"projects:read": nasty}
        assert (await ana.get(where)).form(where)["reason:projects:read"] == nasty.replace('"', '"')
        consent = f"/auth/o/authorize-app/?client_id={cast.client_id}&response_type=code"
        for shown in (await ana.get(f"{path}oauth/"), await zoe.get((await zoe.get(consent)).location)):
            assert escape(nasty).replace("&quot;", "&#34;") in shown.text
            assert nasty not in shown.text
        long = await ana.submit(page, where, **{**wanted, "reason:projects:read": "x" * 201})
        assert long.status == 422
        assert "Use at most 200 characters" in long.text


async def test_the_consent_url_asks_for_what_is_ticked(site: Site, cast: Cast, path: str) -> None:
    uris = ["https://courier.example/a", "https://courier.example/b?x=1"]
    changes = {"redirect_uris": uris, "scopes": ["projects:read", "projects:write", "stickies:read"]}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    async with signed_in(site, "ana") as ana:
        for query, asked in (
            ("", {"redirect_uri": [uris[0]]}),
            ("?redirect_uri=nonsense&scope=nonsense&scope=%00", {"redirect_uri": [uris[0]]}),
            (
                f"?{urlencode({'redirect_uri': uris[1], 'scope': ['projects:read', 'stickies:read']}, doseq=True)}",
                {"redirect_uri": [uris[1]], "scope": ["projects:read stickies:read"]},
            ),
        ):
            page = await ana.get(f"{path}oauth/{query}")
            url = unescape(page.text.split('class="secret-box"><code>')[1].split("</code>")[0])
            given = {"client_id": [cast.client_id], "response_type": ["code"]}
            assert parse_qs(urlsplit(url).query) == given | asked


async def test_the_overview_counts_steps_and_follows_what_changes_them(
    site: Site, cast: Cast, path: str
) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get(path)
        assert "3 of 5" in page.text
        followed = page.text.split('data-live="')[1].split('"')[0].split()
        endpoint = cast.installation["webhook_id"]
        assert set(followed) == {
            f"workspace:{cast.acme['id']}",
            f"app:{cast.courier['id']}",
            f"deliveries:{endpoint}",
        }
        visit = await ana.get(f"{APPS}")
        assert "Healthy" in visit.text
        await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": None})
        assert "2 of 5" in (await ana.get(path)).text
        assert "No URL" in (await ana.get(APPS)).text


async def test_using_a_secret_and_changing_an_app_are_announced(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    received: list[str] = []
    site.wakeups.subscribe(received.append)
    await update_app(site, cast.courier["id"], cast.ana["id"], {"name": "Carrier"})
    assert received == [f"app:{cast.courier['id']}"]
    [secret] = await list_client_secrets(site.db, cast.courier["id"])
    async with site.db.transaction() as tx:
        await touch_secret(tx, site, secret["id"])
    assert received == [f"app:{cast.courier['id']}"] * 2


async def test_guessing_the_password_again_is_stopped(site: Site, cast: Cast, path: str) -> None:
    where = f"{path}webhook-secret/"
    async with signed_in(site, "ana") as ana:
        ask = await ana.get(where)
        answers = [(await ana.submit(ask, where, password="wrong password")).status for _ in range(11)]
        assert answers == [422] * 10 + [429]
        assert (await ana.submit(ask, where, password=PASSWORD)).status == 429


async def test_an_app_is_deleted_when_its_name_is_typed(site: Site, cast: Cast, path: str) -> None:
    async with signed_in(site, "ana") as ana:
        ask = await ana.get(f"{path}delete/")
        assert "1 workspace" in ask.text
        assert (await ana.submit(ask, f"{path}delete/", confirm="courier")).status == 422
        assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is not None
        answer = await ana.submit(ask, f"{path}delete/", confirm="Courier")
        assert (answer.status, answer.location) == (303, APPS)
        assert "Build your first app" in (await ana.get(APPS)).text
        assert (await ana.get(path)).status == 404
    assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is None


async def test_install_app_leads_to_the_setup_url_when_there_is_one(
    site: Site, cast: Cast, path: str
) -> None:
    async with signed_in(site, "ana") as ana:
        consent = f"/auth/o/authorize-app/?client_id={cast.client_id}"
        assert f'href="{site.settings.origin}{consent}' in (await ana.get(path)).text
        async with site.db.transaction() as tx:
            await tx.update(apps, {"setup_url": "https://courier.example/setup"}, id=cast.courier["id"])
        assert 'href="https://courier.example/setup"' in (await ana.get(path)).text


async def test_an_app_whose_secret_was_sealed_with_another_key_is_still_shown(
    site: Site, cast: Cast, path: str
) -> None:
    async with site.db.transaction() as tx:
        sealed: dict[str, Any] = {"webhook_secret_sealed": "1." + "A" * 60}
        await tx.update(apps, sealed, id=cast.courier["id"])
    async with signed_in(site, "ana") as ana:
        for tab in ("", "credentials/", "webhooks/"):
            assert "AIRSIDE_SECRET_KEY" in (await ana.get(path + tab)).text


async def test_a_manifest_is_taken_away_compared_and_applied(
    site: Site, cast: Cast, path: str, clock: FrozenClock
) -> None:
    where, apply = f"{path}manifest/", f"{path}manifest/apply/"
    async with signed_in(site, "ana") as ana:
        file = await ana.get(f"{where}download/")
        assert 'filename="courier.airside.yaml"' in file.headers["Content-Disposition"]
        assert (
            "Nothing would change" in (await ana.submit(await ana.get(where), where, manifest=file.text)).text
        )
        nasty = file.text.replace("name: Courier", "name: '<b>Carrier'")
        plan = await ana.submit(await ana.get(where), where, manifest=nasty)
        assert "+name: &lt;b&gt;Carrier" in plan.text
        assert (await get_app(site.db, cast.acme["id"], cast.courier["id"]))["name"] == "Courier"
        for wrong in (file.text.replace("https:", "ftp:"), "a: &x 1", "\x00", "name: {{ 7 * 7 }}"):
            refused = await ana.submit(await ana.get(where), where, manifest=wrong)
            assert refused.status == 422, wrong
        clock.advance(seconds=1)
        await update_app(site, cast.courier["id"], cast.ana["id"], {"short_description": "Changed meanwhile"})
        assert (await ana.submit(plan, apply)).status == 400
        again = await ana.submit(await ana.get(where), where, manifest=nasty)
        answer = await ana.submit(again, apply)
        assert (answer.status, answer.location) == (303, where)
    app = await get_app(site.db, cast.acme["id"], cast.courier["id"])
    assert (app["name"], app["short_description"]) == ("<b>Carrier", "")


async def test_an_app_is_registered_from_a_manifest_after_a_look(site: Site, cast: Cast, path: str) -> None:
    new = f"{APPS}new/manifest/"
    async with signed_in(site, "ana") as ana:
        text = (await ana.get(f"{path}manifest/download/")).text.replace("Courier", "Tally")
        refused = await ana.submit(await ana.get(new), new, manifest="name: Tally")
        assert (refused.status, "oauth.redirect_uris" in refused.text) == (422, True)
        look = await ana.submit(await ana.get(new), new, manifest=text)
        assert "Register Tally?" in look.text
        assert len(await list_apps(site.db, cast.acme["id"])) == 1
        made = await ana.submit(look, new, create="on")
        assert "pln_secret_" in made.text
    assert [app["name"] for app in await list_apps(site.db, cast.acme["id"])] == ["Courier", "Tally"]


async def test_the_agent_tab_says_what_an_agent_needs(site: Site, cast: Cast, path: str) -> None:
    async with signed_in(site, "ana") as ana:
        assert "What it needs" not in (await ana.get(f"{path}agent/")).text
        changes = {"is_mentionable": True, "scopes": ["projects:read"]}
        await update_app(site, cast.courier["id"], cast.ana["id"], changes)
        page = await ana.get(f"{path}agent/")
        assert "Add the scopes" in page.text
        assert "Add the URL" not in page.text
        changes = {"scopes": ["agents.runs:read", "agents.run_activities:write"]}
        await update_app(site, cast.courier["id"], cast.ana["id"], changes)
        assert "Add the scopes" not in (await ana.get(f"{path}agent/")).text
