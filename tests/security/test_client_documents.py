"""MD3: a client id that is the URL of a document, fetched from an untrusted host."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from airside.apps.scopes import PRIVILEGED
from airside.apps.tables import apps
from airside.oauth import client_documents
from airside.oauth.authorize import DisplayedRefusal, RedirectedRefusal, open_consent_request
from airside.oauth.client_documents import (
    DEFAULT_AGE,
    MAX_AGE,
    MIN_AGE,
    TOTAL_SECONDS,
    DocumentRefused,
    fetch_document,
    find_client,
)
from airside.oauth.consent import ask
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import AppSide, authorize_query, parts_of, sign_in_as
from tests.portal.visitor import signed_in
from tests.security.clients import PKCE, redeem_publicly, refresh_publicly
from tests.support.clocks import FrozenClock
from tests.support.metadata_server import MetadataServer, open_metadata_server
from tests.support.receivers import FakeResolver


@pytest.fixture
async def metadata(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MetadataServer]:
    """A server that the operator lets Airside reach, where documents are taken."""
    async with open_metadata_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        site.settings.client_id_metadata_documents = True
        site.settings.webhook_allowed_hosts.append("127.0.0.1")
        yield server


def query_of(cast: Cast, server: MetadataServer, client_id: str, **asked: str) -> str:
    params = {"client_id": client_id, "redirect_uri": f"{server.origin}/callback"} | PKCE | asked
    return authorize_query(cast, **params)


async def refused(site: Site, query: str) -> str:
    with pytest.raises(DisplayedRefusal) as caught:
        await open_consent_request(site, query)
    return caught.value.sentence


async def test_md3_off_by_default_and_then_nothing_is_fetched(
    app_side: AppSide, site: Site, cast: Cast, metadata: MetadataServer
) -> None:
    site.settings.client_id_metadata_documents = False
    assert "not registered" in await refused(site, query_of(cast, metadata, metadata.describe()))
    assert metadata.asked == []
    found = (await app_side.http.simulate_get("/.well-known/oauth-authorization-server")).json
    assert "client_id_metadata_document_supported" not in found


async def test_md3_a_described_client_signs_a_person_in_with_its_host_shown(
    app_side: AppSide, site: Site, cast: Cast, metadata: MetadataServer
) -> None:
    client_id = metadata.describe()
    host = metadata.origin.removeprefix("https://")
    request_id = await open_consent_request(site, query_of(cast, metadata, client_id))
    question = await ask(site, request_id, await sign_in_as(site, cast.ana))
    assert (question.document_host, question.registered_by, question.as_bot) == (host, "", {})
    async with signed_in(site, "ana") as ana:
        other = await open_consent_request(site, query_of(cast, metadata, client_id))
        page = await ana.get(f"/consent/?request={other}")
        assert f'Described by <span class="strong break">{host}</span>' in page.text
        assert "Unverified" in page.text
    uri = f"{metadata.origin}/callback"
    code = await app_side.code(client_id=client_id, redirect_uri=uri, **PKCE)
    app = await site.db.find(apps, client_id=client_id)
    assert app is not None
    assert not PRIVILEGED.intersection(app["scopes"])
    tokens = (await redeem_publicly(app_side, app, code, redirect_uri=uri)).body
    assert await app_side.works(tokens["access_token"])
    assert (await refresh_publicly(app_side, app, tokens["refresh_token"])).status == 200


async def test_md3_pkce_is_required_of_it(site: Site, cast: Cast, metadata: MetadataServer) -> None:
    with pytest.raises(RedirectedRefusal) as caught:
        await open_consent_request(site, query_of(cast, metadata, metadata.describe(), code_challenge=""))
    assert parts_of(caught.value.location)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "https://other.example/client.json"},
        {"client_id": None},
        {"client_secret": "x"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"redirect_uris": []},
        {"redirect_uris": ["https://evil.example/callback"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"grant_types": ["client_credentials", "authorization_code"]},
        {"client_name": ["x"]},
        {"client_uri": "javascript:alert(1)"},
    ],
)
async def test_md3_a_document_that_claims_what_it_may_not_is_refused(
    site: Site, cast: Cast, metadata: MetadataServer, wrong: dict[str, Any]
) -> None:
    client_id = metadata.describe(**wrong)
    if "client_id" in wrong:
        client_id = f"{metadata.origin}/client.json"
    await refused(site, query_of(cast, metadata, client_id))
    assert await site.db.find(apps, client_id=client_id) is None


async def test_md3_the_exact_spelling_is_the_client(site: Site, cast: Cast, metadata: MetadataServer) -> None:
    client_id = metadata.describe()
    for other in (f"{client_id}/", f"{client_id}2", client_id.replace("client", "Client")):
        await refused(site, query_of(cast, metadata, other))


@pytest.mark.parametrize(
    "client_id",
    [
        "{origin}", "{origin}/", "{origin}/a/../client.json", "{origin}/./client.json",
        "{origin}/%2e%2e/client.json", "{origin}/client.json?a=b", "{origin}/client.json?",
        "{origin}/client.json#a",
        "https://a@127.0.0.1/client.json",
        "https:///client.json", "https://[/client.json", "https://127.0.0.1:99999/client.json",
        "https://127.1/client.json", "https://2130706433/client.json", "{origin}/ü",
        "{origin}/a b", "{origin}/{long}",
    ],
)  # fmt: skip
async def test_md3_a_url_that_could_mean_two_things_is_nobody(
    site: Site, cast: Cast, metadata: MetadataServer, client_id: str
) -> None:
    spelled = client_id.replace("{origin}", metadata.origin).replace("{long}", "x" * 600)
    metadata.describe()
    await refused(site, query_of(cast, metadata, spelled))
    assert metadata.asked == []


async def test_md3_http_is_never_fetched(site: Site, cast: Cast, metadata: MetadataServer) -> None:
    plain = metadata.describe().replace("https://", "http://")
    assert "not registered" in await refused(site, query_of(cast, metadata, plain))
    assert metadata.asked == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
async def test_md3_redirects_are_not_followed(
    site: Site, cast: Cast, metadata: MetadataServer, status: str
) -> None:
    metadata.status, metadata.headers = status, {"Location": f"{metadata.origin}/elsewhere"}
    await refused(site, query_of(cast, metadata, metadata.describe()))
    assert len(metadata.asked) == 1


@pytest.mark.parametrize(
    ("status", "headers", "raw"),
    [
        ("404 Not Found", {}, None),
        ("500 Broken", {}, None),
        ("200 OK", {"Content-Type": "text/html"}, None),
        ("200 OK", {}, b"{"),
        ("200 OK", {}, b"[]"),
        ("200 OK", {}, b"\xff"),
        ("200 OK", {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08\x00"),
        ("200 OK", {}, b'{"client_id": "' + b"x" * 6_000 + b'"}'),
    ],
)
async def test_md3_nothing_but_a_small_json_document_is_read(
    site: Site, cast: Cast, metadata: MetadataServer, status: str, headers: dict[str, str], raw: bytes | None
) -> None:
    client_id = metadata.describe()
    metadata.status, metadata.headers, metadata.raw = status, headers, raw
    assert "can't be read" in await refused(site, query_of(cast, metadata, client_id))


async def test_md3_an_endless_document_is_cut_off(site: Site, metadata: MetadataServer) -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(100_000):
            writer.write(b" " * 1024)
            await writer.drain()

    metadata.misbehave = flood
    started = time.monotonic()
    with pytest.raises(DocumentRefused):
        await fetch_document(site, metadata.describe())
    assert time.monotonic() - started < TOTAL_SECONDS


async def test_md3_a_slow_drip_ends_after_five_seconds(site: Site, metadata: MetadataServer) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.2)

    metadata.misbehave = drip
    started = time.monotonic()
    with pytest.raises(DocumentRefused):
        await fetch_document(site, metadata.describe())
    assert TOTAL_SECONDS - 0.5 < time.monotonic() - started < TOTAL_SECONDS + 2


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_md3_a_name_that_leads_inside_is_refused_alike(site: Site, address: str) -> None:
    """Also when it led elsewhere a moment ago: the socket itself is refused."""
    started = time.monotonic()
    with pytest.raises(DocumentRefused) as caught:
        resolver = FakeResolver(address)
        await fetch_document(site, "https://rebinding.example/client.json", resolver=resolver)
    assert caught.value.sentence == "The document that describes the app can't be read."
    assert time.monotonic() - started < 2


async def test_md3_a_private_address_is_refused_unless_the_operator_named_it(
    site: Site, cast: Cast, metadata: MetadataServer
) -> None:
    site.settings.webhook_allowed_hosts.remove("127.0.0.1")
    await refused(site, query_of(cast, metadata, metadata.describe()))
    assert metadata.asked == []


async def test_md3_its_certificate_is_checked(
    site: Site, cast: Cast, metadata: MetadataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    await refused(site, query_of(cast, metadata, metadata.describe()))
    assert metadata.asked == []


@pytest.mark.parametrize(
    ("cache_control", "kept"),
    [
        ("", DEFAULT_AGE), ("max-age=600", None), ("public, max-age=7200, x", None), ("max-age=1", MIN_AGE),
        ("max-age=999999999", MAX_AGE), ("no-store", MIN_AGE), ("no-cache, max-age=7200", MIN_AGE),
    ],
)  # fmt: skip
async def test_md3_a_document_is_kept_as_long_as_it_says_within_bounds(
    site: Site, metadata: MetadataServer, clock: FrozenClock, cache_control: str, kept: Any
) -> None:
    client_id, metadata.headers = metadata.describe(), {"Cache-Control": cache_control}
    seconds = (
        kept.total_seconds() if kept else float(cache_control.partition("max-age=")[2].partition(",")[0])
    )
    await find_client(site, client_id)
    clock.advance(seconds=seconds - 1)
    await find_client(site, client_id)
    assert len(metadata.asked) == 1
    clock.advance(seconds=1)
    metadata.describe(client_name="Renamed")
    app = await find_client(site, client_id)
    assert app is not None
    assert (app["name"], len(metadata.asked)) == ("Renamed", 2)


async def test_md3_a_refusal_is_not_kept_and_airside_is_nobodys_hammer(
    site: Site, metadata: MetadataServer
) -> None:
    client_id, metadata.status = metadata.describe(), "500 Broken"
    for _ in range(60):
        with pytest.raises(DocumentRefused):
            await find_client(site, client_id)
    assert len(metadata.asked) == 30


async def test_md3_hosts_are_the_operators_choice(site: Site, cast: Cast, metadata: MetadataServer) -> None:
    site.settings.client_id_metadata_hosts[:] = ["*.example.org"]
    await refused(site, query_of(cast, metadata, metadata.describe()))
    assert metadata.asked == []


async def test_md3_two_people_at_once_make_one_app(site: Site, metadata: MetadataServer) -> None:
    client_id = metadata.describe()
    found = await asyncio.gather(*(find_client(site, client_id) for _ in range(5)))
    assert len({app["id"] for app in found if app}) == 1


def test_md3_a_host_is_asked_again_after_a_minute() -> None:
    assert (client_documents._fetches._item.amount, client_documents._fetches._item.get_expiry()) == (30, 60)
