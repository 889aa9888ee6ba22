"""MD2: clients that register themselves, only where and as far as the operator lets them (RFC 7591)."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from falcon import testing

from airside.apps.scopes import PRIVILEGED
from airside.apps.tables import app_secrets, apps
from airside.installations.purge_unused import purge_unused
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import ask
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import TOKEN, Answer, AppSide, authorize_query, sign_in_as
from tests.oauth.test_authorization_code import VERIFIER
from tests.security.clients import PKCE
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock

REGISTER, METADATA = "/auth/o/register/", "/.well-known/oauth-authorization-server"
URI = "http://127.0.0.1:9999/callback"
# Each is refused alone, wherever an app can be registered (test_mcp_clients.py has pages and command line).
NEVER = (
    "https://a.example/#x", "https://*.example/cb", "http://a.example/cb",
    "javascript:alert(1)", "JavaScript://a/%0aalert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x",
    "blob:https://a.example/1", "about:blank", "ms-msdt:/id", "jar:https://a.example/x!/", "ldap://a.example/cb",
)  # fmt: skip


@pytest.fixture
async def open_side(site: Site, cast: Cast) -> AsyncIterator[AppSide]:
    """Where the operator lets clients register."""
    site.settings.dynamic_client_registration = True
    site.settings.registration_rate_limit = "1000/hour"
    async with testing.ASGIConductor(app_of(site)) as http:
        yield AppSide(http, site, cast)


async def register(app_side: AppSide, **metadata: Any) -> Answer:
    sent = {
        "client_name": "Self made",
        "redirect_uris": [URI],
        "token_endpoint_auth_method": "none",
    } | metadata
    sent = {name: value for name, value in sent.items() if value is not None}
    return await app_side.send(REGISTER, json.dumps(sent), "application/json")


@pytest.mark.parametrize("name", ["Plane", "Air\u200bside", "\u0410irside", "Cour\u202eier"])
async def test_md2_no_client_registers_itself_under_the_platforms_or_a_disguised_name(
    open_side: AppSide, name: str
) -> None:
    answer = await register(open_side, client_name=name)
    assert (answer.status, answer.body["error"]) == (400, "invalid_client_metadata")


async def test_md2_registration_is_off_by_default(app_side: AppSide) -> None:
    result = await app_side.http.simulate_post(REGISTER, json={"redirect_uris": [URI]})
    assert result.status_code == 404
    assert "registration_endpoint" not in (await app_side.http.simulate_get(METADATA)).json


async def test_md2_a_public_client_registers_and_signs_a_person_in(open_side: AppSide) -> None:
    metadata = (await open_side.http.simulate_get(METADATA)).json
    assert metadata["registration_endpoint"].endswith(REGISTER)
    device_code = "urn:ietf:params:oauth:grant-type:device_code"  # some clients ask for it; it is left out
    made = await register(open_side, grant_types=["authorization_code", "refresh_token", device_code])
    assert (made.status, made.headers["cache-control"]) == (201, "no-store")
    assert made.body["token_endpoint_auth_method"] == "none"
    assert made.body["grant_types"] == ["authorization_code", "refresh_token"]
    assert "client_secret" not in made.body
    client_id = made.body["client_id"]
    code = await open_side.code(client_id=client_id, redirect_uri=URI, **PKCE)
    fields = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": URI, "code": code}
    tokens = await open_side.post(TOKEN, fields | {"code_verifier": VERIFIER})
    assert await open_side.works(tokens.body["access_token"])


async def test_md2_a_confidential_client_gets_its_secret_and_never_a_bot_token(open_side: AppSide) -> None:
    made = (await register(open_side, token_endpoint_auth_method=None)).body
    assert (made["token_endpoint_auth_method"], made["client_secret_expires_at"]) == (
        "client_secret_basic",
        0,
    )
    own = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    answer = await open_side.consent(client_id=made["client_id"], redirect_uri=URI)
    fields = {"grant_type": "authorization_code", "redirect_uri": URI, "code": answer["code"]}
    assert (await open_side.post(TOKEN, own | fields)).status == 200
    bot = {"grant_type": "client_credentials", "app_installation_id": answer["app_installation_id"]}
    refused = await open_side.post(TOKEN, own | bot)
    assert (refused.status, refused.body["error"]) == (400, "unauthorized_client")
    device = await open_side.post("/auth/o/device/", own)
    assert device.body["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": URI}, "invalid_redirect_uri"),
        ({"redirect_uris": [1]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://evil.example/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://127.0.0.1.evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://evil.example/#127.0.0.1"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1@evil.example/"]}, "invalid_redirect_uri"),
        *(({"redirect_uris": [uri]}, "invalid_redirect_uri") for uri in NEVER),
        ({"redirect_uris": [f"{URI}/{number}" for number in range(21)]}, "invalid_redirect_uri"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit", "authorization_code"]}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": ["none"]}, "invalid_client_metadata"),
        ({"client_name": ["x"]}, "invalid_client_metadata"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"scope": ["read"]}, "invalid_client_metadata"),
    ],
)
async def test_md2_what_policy_forbids_is_refused_at_registration(
    open_side: AppSide, site: Site, metadata: dict[str, Any], error: str
) -> None:
    before = len(await site.db.find_all(apps))
    answer = await register(open_side, **metadata)
    assert (answer.status, answer.body["error"]) == (400, error)
    assert len(await site.db.find_all(apps)) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 20_000, b"{" + b" " * 20_000])
async def test_md2_a_body_that_is_no_object_is_refused(open_side: AppSide, body: bytes) -> None:
    answer = await open_side.send(REGISTER, body, "application/json")
    assert answer.status in (400, 413)


async def test_md2_no_privileged_scope_comes_in_by_an_umbrella_or_by_silence(open_side: AppSide) -> None:
    for scope in (None, "read write", "write", "nonsense", f"projects:read {' '.join(PRIVILEGED)}"):
        granted = (await register(open_side, scope=scope)).body["scope"].split()
        assert granted
        assert not PRIVILEGED.intersection(granted)


async def test_md2_redirect_hosts_are_the_operators_choice(open_side: AppSide, site: Site) -> None:
    site.settings.registration_redirect_hosts[:] = ["*.example.org", "com.example.app:"]
    for uri in ("https://a.example.org/cb", "com.example.app:/callback"):
        assert (await register(open_side, redirect_uris=[uri])).status == 201
    for uri in (URI, "cursor://a/callback", "https://example.org/cb", "https://a.example.org.evil.example/"):
        assert (await register(open_side, redirect_uris=[uri])).body["error"] == "invalid_redirect_uri"


async def test_md2_registrations_are_limited_by_source_and_in_number(site: Site, cast: Cast) -> None:
    site.settings.dynamic_client_registration = True
    site.settings.registration_rate_limit, site.settings.registration_max_clients = "4/hour", 2
    async with testing.ASGIConductor(app_of(site)) as http:
        app_side = AppSide(http, site, cast)
        answers = [await register(app_side) for _ in range(5)]
    assert [answer.status for answer in answers] == [201, 201, 400, 400, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_md2_consent_says_that_nobody_answers_for_it_and_is_never_skipped(
    open_side: AppSide, site: Site, cast: Cast
) -> None:
    client_id = (await register(open_side)).body["client_id"]
    for _ in range(2):
        asked = authorize_query(cast, client_id=client_id, redirect_uri=URI, **PKCE)
        request_id = await open_consent_request(site, asked)
        question = await ask(site, request_id, await sign_in_as(site, cast.ana))
        assert (question.publisher, question.registered_by, question.as_bot) == ("", "", {})
        assert question.redirect_host == "127.0.0.1:9999"
        await open_side.code(client_id=client_id, redirect_uri=URI, **PKCE)


async def test_md2_unused_registrations_are_forgotten(
    open_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    used = (await register(open_side)).body["client_id"]
    await open_side.code(client_id=used, redirect_uri=URI, **PKCE)
    unused = (await register(open_side, token_endpoint_auth_method=None)).body["client_id"]
    clock.advance(days=6)
    assert await purge_unused(site) == 0
    young = (await register(open_side)).body["client_id"]
    clock.advance(days=2)
    assert await purge_unused(site) == 1
    left = {app["client_id"] for app in await site.db.find_all(apps)}
    assert {used, young, open_side.cast.client_id} == left
    assert unused not in left
    assert {secret["app_id"] for secret in await site.db.find_all(app_secrets)} == {
        open_side.cast.courier["id"]
    }
