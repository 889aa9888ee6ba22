"""HTTP conformance: versions, Host, HEAD, chunks and slashes, with exact bytes over real sockets."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from airside.api.v1 import TABLE
from airside.app import create_app
from airside.http.request import Receive, Scope, Send
from airside.identity.api_keys import create_api_key
from airside.portal.routes import authorization_routes, portal_routes
from airside.rest.routes import list_routes
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.portal.test_consent_pages import CONSENT, follow, link
from tests.portal.visitor import FORM, signed_in
from tests.support.apps import list_endpoints
from tests.support.edge import Edge, RawAnswer, open_edge, read_all, until

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
CLOSED = b"Connection: close\r\n\r\n"
PATHS = ["/healthz", "/sign-in/", "/api/v1/users/me/", "/auth/o/app-installation/", "/no/such/page"]


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def edge(site: Site) -> AsyncIterator[Edge]:
    async with open_edge(create_app(site)) as opened:
        yield opened


async def get(edge: Edge, path: str, headers: bytes = b"", method: str = "GET") -> RawAnswer:
    return await edge.ask(f"{method} {path} HTTP/1.1\r\nHost: a\r\n".encode() + headers + CLOSED)


@pytest.mark.parametrize("path", PATHS)
async def test_av4_http_1_0_is_answered_as_http_1_1(edge: Edge, path: str) -> None:
    expected = await get(edge, path)
    for head in (b"", b"Host: airside.example\r\n", b"Connection: keep-alive\r\nHost: a\r\n"):
        answer = await edge.ask(f"GET {path} HTTP/1.0\r\n".encode() + head + b"\r\n")
        assert answer.status == expected.status < 500
        assert len(answer.body) == len(expected.body) == int(answer.headers["content-length"])


async def test_av4_http_1_0_may_post(edge: Edge) -> None:
    answer = await edge.ask(
        b"POST /auth/o/token/ HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert (answer.status, answer.body[:24]) == (400, b'{"error":"invalid_reques')


async def test_av4_what_has_no_length_ends_with_the_connection_for_http_1_0_and_comes_in_chunks_otherwise() -> (
    None
):
    async with open_edge(stream) as edge:
        old = await edge.ask(b"GET / HTTP/1.0\r\n\r\n")
        new = await get(edge, "/")
    assert (old.body, old.headers["connection"]) == (b"onetwo", "close")
    assert "transfer-encoding" not in old.headers
    assert (new.body, new.headers["transfer-encoding"]) == (b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", "chunked")


async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"one", b"two"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("hosts", [b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a/b c\r\n"])
async def test_av4_a_doubled_or_broken_host_is_400(edge: Edge, version: str, hosts: bytes) -> None:
    for path in PATHS:
        assert (await edge.ask(f"GET {path} HTTP/{version}\r\n".encode() + hosts + CLOSED)).status == 400


async def test_av4_http_1_1_without_a_host_is_400(edge: Edge) -> None:
    for path in PATHS:
        answer = await edge.ask(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        assert (answer.status, answer.headers["connection"]) == (400, "close")


@pytest.mark.parametrize(
    "host", ["airside.example", "a.b:8000", "[::1]:8000", "xn--bcher-kva.example", "a_b"]
)
async def test_av4_every_usual_host_is_taken(edge: Edge, host: str) -> None:
    assert (await edge.ask(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n".encode() + CLOSED)).status == 200


@pytest.mark.parametrize("path", ["/api/v1/users/me/", "/auth/o/token/", "/sign-in/", "/auth/o/register/"])
@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}X\r\n",
        b"-1\r\n",
        b"2\r\n{}\r\nzz\r\n",
        b"fffffffffffffffff\r\n",
        b"2\n{}\n0\n\n",
    ],
)
async def test_av4_a_malformed_chunk_is_400(edge: Edge, path: str, body: bytes) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    assert (await edge.ask(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body)).status == 400


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /auth/o/token/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /auth/o/token/ HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)  # fmt: skip
async def test_av4_what_is_no_request_is_400_and_closes(edge: Edge, request_: bytes) -> None:
    answer = await edge.ask(request_)
    assert (answer.status, answer.headers["connection"]) == (400, "close")


async def test_av4_half_a_body_is_never_taken_for_the_whole(site: Site, cast: Cast, edge: Edge) -> None:
    key, body = await create_key(site, cast), b'{"name":"Half","identifier":"HALF"}'
    head = b"POST /api/v1/workspaces/acme/projects/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    _, writer = await edge.connect(head + key + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body)
    await until(lambda: any(one.cycle is not None for one in edge.limits.waiting))
    writer.close()
    await until(lambda: not edge.limits.waiting)
    made = await get(edge, "/api/v1/workspaces/acme/projects/", key)
    assert (made.status, b"HALF" in made.body) == (200, False)


async def create_key(site: Site, cast: Cast) -> bytes:
    """The header line with an API key of Ana's."""
    made = await create_api_key(site, cast.ana["id"], label="Edge")
    return f"X-API-Key: {made.token}\r\n".encode()


async def test_a_leading_double_slash_is_served(site: Site, cast: Cast, edge: Edge) -> None:
    key = await create_key(site, cast)
    for path in ("/api/v1/users/me/", "/healthz", "/api/v1/workspaces/acme/projects/?per_page=1"):
        usual = await get(edge, path, key)
        for slashes in ("/", "//"):
            answer = await get(edge, slashes + path, key)
            assert (answer.status, answer.body) == (usual.status, usual.body) == (200, usual.body)


async def test_a_leading_double_slash_leads_to_no_other_host(edge: Edge) -> None:
    for path in ("//evil.example/", "//evil.example/..", "///evil.example", "//evil.example/settings/"):
        answer = await get(edge, path)
        assert "//evil" not in answer.headers.get("location", "").replace("%2F", "/")


async def test_av4_head_answers_as_get_on_every_route_and_page(site: Site, cast: Cast, edge: Edge) -> None:
    key = await create_key(site, cast)
    cookie = await create_cookie(site)
    for path in readable_paths(site, cast):
        credential = key if path.startswith("/api/") else cookie
        shown = [await get(edge, path, credential, method) for method in ("GET", "HEAD")]
        assert shown[0].status == shown[1].status != 405, path
        assert shown[1].body == b"", path
        assert stable(shown[0]) == stable(shown[1]), path


async def test_av4_a_refused_method_names_head_where_get_is_allowed(edge: Edge) -> None:
    for path in ("/healthz", "/api/v1/users/me/"):
        answer = await get(edge, path, method="PUT")
        assert answer.status == 405
        assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


async def create_cookie(site: Site) -> bytes:
    """The header line with Ana's session."""
    async with signed_in(site, "ana") as ana:
        return f"Cookie: {'; '.join(f'{name}={value}' for name, value in ana.cookies.items())}\r\n".encode()


def readable_paths(site: Site, cast: Cast) -> list[str]:
    """Every path of the instance that supports GET."""
    pages = [*authorization_routes(site), *portal_routes(site)]
    templates = [path for path, resource in pages if hasattr(resource, "on_get")]
    templates += [path for path, endpoint in list_endpoints(site).items() if "GET" in endpoint.methods]
    templates += [f"/api/v1/{route.path}/" for route in list_routes(TABLE) if route.method == "GET"]
    known = {"slug": "acme", "workspace_slug": "acme", "app_id": cast.courier["id"]}
    filled = [re.sub(r"{(\w+)}", lambda found: known.get(found[1], UNKNOWN), one) for one in templates]
    return [
        *PATHS,
        *(one for one in filled if not one.endswith("/live")),
    ]


def stable(answer: RawAnswer) -> dict[str, str]:
    """The headers that are the same for every request."""
    varying = ("date", "x-request-id", "x-ratelimit", "set-cookie", "content-length", "transfer-encoding")
    return {name: value for name, value in answer.headers.items() if not name.startswith(varying)}


async def test_av4_head_of_a_live_stream_ends_after_its_headers(site: Site, cast: Cast, edge: Edge) -> None:
    path = f"/acme/live/?topics=workspace:{cast.acme['id']}"
    answer = await get(edge, path, await create_cookie(site), "HEAD")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/event-stream", b"")


async def test_a_connection_serves_one_request_after_the_other(edge: Edge) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    reader, writer = await edge.connect(one + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    await reader.readuntil(b'"ok"}')
    writer.write((one + b"\r\n") * 20 + one + CLOSED)
    assert (await read_all(reader)).raw.count(b"HTTP/1.1 200") == 21


@pytest.mark.parametrize("version", ["0.9", "2.0"])
async def test_av4_another_version_of_http_is_400(edge: Edge, version: str) -> None:
    for path in PATHS:
        answer = await edge.ask(f"GET {path} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        assert (answer.status, answer.headers["connection"]) == (400, "close")


CHUNKED = b"Host: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_av4_what_follows_a_body_is_no_header(site: Site, cast: Cast, edge: Edge) -> None:
    """A proxy that checks or drops credentials and addresses only sees the headers."""
    head, key = b"GET /api/v1/users/me/ HTTP/1.1\r\n" + CHUNKED, await create_key(site, cast)
    assert (await edge.ask(head + b"0\r\n" + key + b"\r\n")).status == 401
    answer = await edge.ask(b"GET /healthz HTTP/1.1\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\nHost: b\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize("begun", [b"0\r\nX-Long: ", b"2\r\n{}\r\n0\r\n", b"2;long=", b"2\r\n{}\r\n0;long="])
async def test_av4_what_stands_around_a_body_is_bounded_as_its_headers(edge: Edge, begun: bytes) -> None:
    line = b"a" * 1000 if begun.endswith((b" ", b"=")) else b"X-Many: " + b"a" * 1000 + b"\r\n"
    head = b"POST /auth/o/token/ HTTP/1.1\r\n" + CHUNKED
    reader, writer = await edge.connect(head + begun)
    for _ in range(1000):  # what is read in one go with the headers isn't counted
        writer.write(line)
    assert (await read_all(reader)).status == 431
    writer.close()


@pytest.mark.parametrize(
    "framing", [b"Content-Length: %d\r\n\r\n%s", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("is_split", [False, True])
async def test_av4_a_request_that_offers_an_upgrade_is_one_like_any_other(
    site: Site, cast: Cast, edge: Edge, framing: bytes, is_split: bool
) -> None:
    """Its body is not parsed as another request, whatever it looks like."""
    key = await create_key(site, cast)
    body = b'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n{"name":"Up"}'
    upgrade = b"Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    sent = (
        b"POST /api/v1/workspaces/acme/projects/ HTTP/1.1\r\nContent-Type: application/json\r\n"
        + key
        + upgrade
    )
    sent += framing % (len(body), body) + b"GET /no/such/page HTTP/1.1\r\nHost: a\r\n" + CLOSED
    reader, writer = await edge.connect()
    for part in [sent] if not is_split else [sent[i : i + 7] for i in range(0, len(sent), 7)]:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await read_all(reader)
    writer.close()
    assert re.findall(rb"HTTP/1.1 (\d+)", answer.raw) == [b"400", b"404"]


async def test_av4_head_uses_up_nothing(site: Site, cast: Cast, edge: Edge) -> None:
    """The redirect to an app works once, and a HEAD doesn't use it up."""
    async with signed_in(site, "zoe") as zoe:
        page = await follow(zoe, link(cast))
        form = urlencode(page.form(CONSENT) | {"decision": "allow"}).encode()
        on = (await zoe.send("POST", CONSENT, form, FORM)).location
        cookies = "; ".join(f"{name}={value}" for name, value in zoe.cookies.items())
    session = f"Cookie: {cookies}\r\n".encode()
    asked = [
        (await get(edge, on, session, method)).status for method in ("HEAD", "HEAD", "GET", "HEAD", "GET")
    ]
    assert asked == [200, 200, 200, 404, 404]
