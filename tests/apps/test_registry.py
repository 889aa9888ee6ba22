"""Registering apps: every field, invalid values, and the secrets."""

from typing import Any

import pytest

from airside.apps.addresses import check_redirect_uri
from airside.apps.registry import create_app, find_app, get_app, list_apps
from airside.apps.secrets import add_client_secret, end_client_secret, list_client_secrets
from airside.apps.tables import app_secrets, apps
from airside.db.base import Row
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.developer.webhook_secret import renew_webhook_secret
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_endpoints
from tests.cast import REDIRECT_URI, Cast, make_cast

WHOLE = {
    "name": "Parcel",
    "short_description": "Sends parcels",
    "logo_url": "https://parcel.example/logo.png",
    "redirect_uris": ["https://parcel.example/a", "com.example.parcel:/callback"],
    "contact_email": "Dev@Parcel.example",
    "setup_url": "https://parcel.example/setup",
    "webhook_url": "https://courier.example/hooks",
    "webhook_version": "v2",
    "organization_name": "Parcel Ltd",
    "organization_email": "hello@parcel.example",
    "privacy_policy_url": "https://parcel.example/privacy#top",
    "terms_of_service_url": "https://parcel.example/terms",
    "website": "http://parcel.example",
    "is_mentionable": True,
    "scopes": ["projects:read"],
}


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def register(site: Site, cast: Cast, **fields: Any) -> Row:
    given = {"name": "Parcel", "redirect_uris": "https://parcel.example/"} | fields
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=given)
    return made.app


async def refused(site: Site, cast: Cast, **fields: Any) -> dict[str, Any]:
    with pytest.raises(Invalid) as caught:
        await register(site, cast, **fields)
    return dict(caught.value.fields)


async def test_every_field_is_kept(site: Site, cast: Cast) -> None:
    app = await register(site, cast, **WHOLE)
    stored = await get_app(site.db, cast.acme["id"], app["id"])
    assert {name: stored[name] for name in WHOLE} == WHOLE | {"contact_email": "dev@parcel.example"}
    assert await find_app(site.db, app["client_id"]) == stored
    assert [one["name"] for one in await list_apps(site.db, cast.acme["id"])] == ["Courier", "Parcel"]


async def test_little_is_enough(site: Site, cast: Cast) -> None:
    app = await register(site, cast)
    assert (app["webhook_version"], app["scopes"], app["is_mentionable"]) == ("v1", [], False)


async def test_redirect_uris_come_as_a_list_or_with_spaces_between(site: Site, cast: Cast) -> None:
    both = ["https://a.example/", "https://b.example/"]
    assert (await register(site, cast, redirect_uris=both))["redirect_uris"] == both
    assert (await register(site, cast, redirect_uris=" \n".join(both)))["redirect_uris"] == both


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb#x", "https://a.example/#", "https://*.example/cb", "https://a.example/*",
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x",
        "http://a.example/cb", "http://10.0.0.1/cb", "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
        "http://0.0.0.0/cb", "http://2130706433/", "//a.example/cb", "/cb", "cb", "https://", "https:///cb",
        "https://a@b.example/", "https://a:b@b.example/", "https://a.example/../cb", "https://a.example\\b",
        "https://a.example:99999/", "https://[::1", "ftp://a.example/cb", "blob:https://a.example/1", "ABOUT:blank",
        "https://ä.example/", "https://a.example/\x00",
        "https://a.example/" + "x" * 2000, "ws://a.example.org/", "", "   ", "http://[::2]/cb",
    ],
)  # fmt: skip
async def test_ru3_an_unsafe_redirect_uri_is_refused(site: Site, cast: Cast, uri: str) -> None:
    assert list(await refused(site, cast, redirect_uris=[uri])) == ["redirect_uris"]


ACTED_ON = (
    "ms-msdt", "ms-officecmd", "ms-word", "ms-settings", "ms-appinstaller", "search-ms", "search", "shell",
    "microsoft-edge", "jar", "resource", "chrome", "chrome-extension", "moz-extension", "edge", "view-source",
    "feed", "intent", "android-app", "content", "market", "itms-services", "shortcuts",
    "x-apple.systempreferences", "mailto", "tel", "sms", "facetime", "sip", "xmpp", "ssh", "telnet", "ftp",
    "sftp", "smb", "ldap", "ldaps", "ws", "wss", "rtsp", "vnc", "git", "git+ssh", "svn+ssh", "news", "irc",
    "gopher", "nfs", "magnet", "webcal", "urn", "localhost", "x-safari-https", "googlechrome-x-callback",
    "firefox-focus", "opera-http", "touch-https", "web+airside", "ext+airside", "feed+http", "jar+file", "ssh+git",
    "microsoft.windows.camera", "android.resource", "onenote-cmd", "help", "disk", "package",
)  # fmt: skip
PRIVATE = (
    "cursor", "vscode", "vscode-insiders", "windsurf", "zed", "claude", "raycast", "jetbrains",
    "com.example.app", "org.example.feed", "myapp", "msteams-helper", "chromium-notes", "feeder",
    "searchlight", "intentional", "helper", "diskette", "operations", "my+app",
)  # fmt: skip


def test_ru3_no_scheme_that_a_browser_or_a_system_acts_on_is_a_redirect_uri() -> None:
    """However it is spelled."""
    for scheme in ACTED_ON:
        for uri in (
            f"{scheme}:/cb",
            f"{scheme}://a.example/cb",
            f"{scheme.upper()}:cb",
            f"{scheme.title()}://cb",
        ):
            assert "can't use" in (check_redirect_uri(uri) or ""), uri


def test_ru3_schemes_of_an_apps_own_stay_taken() -> None:
    for scheme in PRIVATE:
        for uri in (f"{scheme}:/cb", f"{scheme}://a.example/cb"):
            assert check_redirect_uri(uri) is None, uri


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb", "https://a.example/cb?x=1&y=2", "https://a.example:8443/cb", "http://localhost/cb",
        "http://localhost:3000/cb", "http://127.0.0.1:8000/cb", "http://127.9.9.9/cb", "http://[::1]:1/cb",
        "com.example.app:/oauth", "com.example.app://callback", "myapp:/cb", "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://xn--bcher-kva.example/%C3%A4", "https://10.0.0.1/",
    ],
)  # fmt: skip
async def test_a_safe_redirect_uri_is_kept_as_it_is(site: Site, cast: Cast, uri: str) -> None:
    assert (await register(site, cast, redirect_uris=[uri]))["redirect_uris"] == [uri]


@pytest.mark.parametrize(
    "field", ["logo_url", "setup_url", "webhook_url", "privacy_policy_url", "terms_of_service_url", "website"]
)
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:x", "ftp://a.example/", "a.example", "https://", 5, ["x"]]
)
async def test_an_address_is_http_or_nothing(site: Site, cast: Cast, field: str, url: Any) -> None:
    assert list(await refused(site, cast, **{field: url})) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "a\nb"),
        ("name", "Pay\u202elap"),
        ("organization_name", "\u2066Acme\u2069"),
        ("name", None),
        ("name", 5),
        ("name", "\x00"),
        ("name", "\ud800"),
        ("short_description", "x" * 256),
        ("contact_email", "nobody"),
        ("organization_email", "a@"),
        ("contact_email", 5),
        ("organization_name", "x" * 81),
        ("webhook_version", "v3"),
        ("webhook_version", None),
        ("is_mentionable", "yes"),
        ("is_mentionable", 1),
        ("scopes", ["nonsense"]),
        ("scopes", "projects:read nonsense"),
        ("scopes", [5]),
        ("redirect_uris", []),
        ("redirect_uris", None),
        ("redirect_uris", {"a": 1}),
        ("redirect_uris", [None]),
        ("redirect_uris", [f"https://a.example/{n}" for n in range(21)]),
        ("client_id", "mine"),
        ("workspace_id", "x"),
    ],
)
async def test_a_wrong_field_is_named(site: Site, cast: Cast, field: str, value: Any) -> None:
    assert list(await refused(site, cast, **{field: value})) == [field]
    assert len(await list_apps(site.db, cast.acme["id"])) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Airside", "airside", " AIRSIDE ", "Air side", "Air-Side", "\u0410irside", "\uff21irside", "A\u00edrside",
        "Airs1de", "Airside!", "Airside CLI",
        "Plane", "plane", "P l a n e", "PIane", "P1ane", "\u0420lane", "Plan\u0435",
    ],
)  # fmt: skip
async def test_no_app_has_the_platforms_name_however_it_is_spelled(site: Site, cast: Cast, name: str) -> None:
    assert await refused(site, cast, name=name) == {
        "name": ["This name is the platform's own. Choose another."]
    }
    with pytest.raises(Invalid):
        await update_app(site, cast.courier["id"], cast.ana["id"], {"name": name})


@pytest.mark.parametrize(
    "unseen",
    [
        "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u061c", "\u00ad", "\u2060", "\u2063", "\ufeff",
        "\u180e", "\u202a", "\u202e", "\u2066", "\u2069", "\u115f", "\u3164", "\u2800", "\u034f", "\ufe0f",
        "\U000e0041", "\U000e0100", "\ue000", "\u2028", "\x85",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["name", "organization_name"])
async def test_no_name_has_characters_that_nobody_sees_or_that_turn_it_around(
    site: Site, cast: Cast, field: str, unseen: str
) -> None:
    for text in (f"Cour{unseen}ier", f"Courier{unseen}", f"{unseen}Courier"):
        if unseen not in text.strip():
            continue  # white space around a name is no part of it
        assert list(await refused(site, cast, **{field: text})) == [field]


@pytest.mark.parametrize(
    "name", ["Plane Sync", "Airsidekick", "\u2764\ufe0f Hearts", "Caf\u00e9", "\u65e5\u672c", "Biplane"]
)
async def test_a_name_that_is_its_own_is_taken(site: Site, cast: Cast, name: str) -> None:
    fields = {"name": name, "redirect_uris": [REDIRECT_URI]}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    assert made.app["name"] == name


async def test_all_wrong_fields_are_named_at_once(site: Site, cast: Cast) -> None:
    wrong = await refused(site, cast, name="", website="x", scopes="x")
    assert set(wrong) == {"name", "website", "scopes"}
    assert all(isinstance(message, str) for messages in wrong.values() for message in messages)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://0x7f.1/"]
)
async def test_a_webhook_into_a_private_network_is_refused_at_once(site: Site, cast: Cast, url: str) -> None:
    assert list(await refused(site, cast, webhook_url=url)) == ["webhook_url"]
    with pytest.raises(Invalid):
        await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": url})


async def test_the_slug_comes_from_the_name_and_is_unique(site: Site, cast: Cast) -> None:
    assert cast.courier["slug"] == "courier"
    other = await register(site, cast, name="Cöurier!")
    assert other["slug"].startswith("courier-")
    assert (await register(site, cast, name="✈"))["slug"] == "app"


async def test_an_edit_changes_only_what_it_names(site: Site, cast: Cast) -> None:
    after = await update_app(site, cast.courier["id"], cast.ana["id"], {"website": "https://courier.example"})
    assert after["website"] == "https://courier.example"
    assert after["redirect_uris"] == cast.courier["redirect_uris"]
    with pytest.raises(Invalid):
        await update_app(site, cast.courier["id"], cast.ana["id"], {"redirect_uris": []})


@pytest.mark.parametrize("who", ["ben", "gil", "zoe"])
async def test_only_admins_of_its_workspace_manage_an_app(site: Site, cast: Cast, who: str) -> None:
    by: str = getattr(cast, who)["id"]
    fields = {"name": "Mine", "redirect_uris": "https://mine.example/"}
    acts = [
        create_app(site, workspace_id=cast.acme["id"], by_user_id=by, fields=fields),
        update_app(site, cast.courier["id"], by, {"name": "Mine"}),
        delete_app(site, cast.acme["id"], cast.courier["id"], by),
        add_client_secret(site, cast.courier, by),
        renew_webhook_secret(site, cast.courier["id"], by),
    ]
    for act in acts:
        with pytest.raises((Forbidden, NotFound)):
            await act


async def test_an_app_is_found_only_in_its_workspace(site: Site, cast: Cast) -> None:
    for workspace_id, app_id in ((cast.other["id"], cast.courier["id"]), (cast.acme["id"], "x")):
        with pytest.raises(NotFound):
            await get_app(site.db, workspace_id, app_id)


async def test_secrets_are_not_in_the_database(site: Site, cast: Cast) -> None:
    stored = str(await site.db.find_all(apps)) + str(await site.db.find_all(app_secrets))
    assert cast.client_secret not in stored
    assert cast.webhook_secret not in stored
    assert cast.webhook_secret.startswith("plane_wh_")


async def test_there_are_two_secrets_at_most_and_one_at_least(site: Site, cast: Cast) -> None:
    with pytest.raises(Refused):
        only = (await list_client_secrets(site.db, cast.courier["id"]))[0]
        await end_client_secret(site, cast.courier, cast.ana["id"], only["id"])
    secret = await add_client_secret(site, cast.courier, cast.ana["id"], "Second")
    listed = await list_client_secrets(site.db, cast.courier["id"])
    assert [one["last_four"] for one in listed] == [cast.client_secret[-4:], secret[-4:]]
    with pytest.raises(Refused):
        await add_client_secret(site, cast.courier, cast.ana["id"])
    for wrong in ("x", cast.courier["id"]):
        with pytest.raises(NotFound):
            await end_client_secret(site, cast.courier, cast.ana["id"], wrong)
    await end_client_secret(site, cast.courier, cast.ana["id"], listed[0]["id"])
    assert len(await list_client_secrets(site.db, cast.courier["id"])) == 1


async def test_a_renewed_webhook_secret_reaches_the_installations(site: Site, cast: Cast) -> None:
    secret = await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    [endpoint] = await site.db.find_all(webhook_endpoints, id=cast.installation["webhook_id"])
    assert site.sealer.unseal(endpoint["secret_sealed"], "webhook_secret") == secret != cast.webhook_secret


async def test_a_deleted_app_is_nowhere(site: Site, cast: Cast) -> None:
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    assert await find_app(site.db, cast.client_id) is None
    assert await list_apps(site.db, cast.acme["id"]) == []
    with pytest.raises(NotFound):
        await update_app(site, cast.courier["id"], cast.ana["id"], {"name": "Again"})
