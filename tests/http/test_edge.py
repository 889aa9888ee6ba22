"""The edge over real sockets: paths, methods, headers and bodies that few clients send, and what no page serves."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from airside.app import create_app, create_dispatch, request_source
from airside.http.answer import DEFAULT_HEADERS, Answer
from airside.http.dispatch import Dispatch
from airside.http.edge import Edge as EdgeApp
from airside.http.endpoint import Methods
from airside.http.request import Request
from airside.oauth.parameters import BODY_LIMIT
from airside.runtime.site import Site
from tests.http.test_rules import create_key
from tests.support.edge import Edge, RawAnswer, open_edge, read_all

ME = "/api/v1/users/me"
LABELS = "/api/v1/workspaces/acme/projects/019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e/labels"
NOT_FOUND = b'{"error":"Page not found."}'


class Pages:
    """Stands where the pages' application is, and notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(f"{scope['method']} {scope['path']}")
        await send({"type": "http.response.start", "status": 200, "headers": [(b"referrer-policy", b"own")]})
        await send({"type": "http.response.body", "body": b"a page"})


@pytest.fixture
async def edge(site: Site) -> AsyncIterator[Edge]:
    async with open_edge(create_app(site)) as opened:
        yield opened


async def ask(
    edge: Edge, path: str, method: str = "GET", headers: bytes = b"", body: bytes = b""
) -> RawAnswer:
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".encode()
    return await edge.ask(head + headers + b"\r\n" + body)


async def test_what_is_not_a_page_never_enters_the_pages_application(site: Site) -> None:
    pages = Pages()
    async with open_edge(EdgeApp(create_dispatch(site), request_source(site), pages)) as edge:
        for path in (
            ME,
            LABELS,
            "/api/v1/no/such",
            "/api/x",
            "/api/openapi.json",
            "/auth/o/token/",
            "/auth/o/x",
        ):
            for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND"):
                await ask(edge, path, method, b"Content-Length: 0\r\n")
        for path in ("/healthz", "/readyz", "/metrics", "/.well-known/oauth-authorization-server/x"):
            await ask(edge, path)
        assert pages.asked == []
        shown = await ask(edge, "/auth/o/authorize-app/?x=1")
        await ask(edge, "//sign-in/", "HEAD")
        assert pages.asked == ["GET /auth/o/authorize-app/", "GET /sign-in/"]
    assert (b"a page" in shown.body, shown.headers["referrer-policy"]) == (True, "own")
    assert shown.headers["x-frame-options"] == "DENY"
    assert shown.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", [ME, "/api/v1/nowhere", "/auth/o/nowhere", "/auth/o/token", "/healthz", "/nowhere"]
)
async def test_every_answer_has_the_headers_of_all(edge: Edge, path: str) -> None:
    answer = await ask(edge, path, headers=b"X-Request-ID: mine-1\r\n")
    assert answer.headers["x-request-id"] == "mine-1"
    assert {name.decode() for name in DEFAULT_HEADERS} <= answer.headers.keys()
    assert len(answer.raw.lower().split(b"x-frame-options:")) == 2
    long = await ask(edge, path, headers=b"X-Request-ID: " + b"a" * 65 + b"\r\n")
    assert len(long.headers["x-request-id"]) == 16


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/users/me//",
        "/api/v1//users/me",
        "/api/v1/users%2Fme%2Fx",
        "/api/v1/./users/me",
        "/api/v1/../v1/users/me",
        "/api/v1",
        "/api/v3/users/me",
        "/api/v1/users/me%00",
        "/api/v1/" + "a/" * 20_000,
        "/auth/o/y",
        "/auth/o/token/x",
    ],
)
async def test_a_path_that_is_not_there_is_the_apis_404(edge: Edge, path: str) -> None:
    answer = await ask(edge, path)
    assert (answer.status, answer.body) == (404, NOT_FOUND)


async def test_a_slash_is_the_same_encoded_or_not_and_at_the_end_or_not(edge: Edge) -> None:
    for path in (ME, ME + "/", "/api/v1/users%2Fme", "/api/v1/%75sers/me/", "/%2Fapi/v1/users/me"):
        assert (await ask(edge, path)).status == 401, path


async def test_a_method_that_is_not_there_is_405_with_those_that_are(edge: Edge) -> None:
    for method in ("POST", "PUT", "OPTIONS", "PROPFIND", "TRACE"):
        answer = await ask(edge, ME, method, b"Content-Length: 0\r\n")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD"), method
    token = await ask(edge, "/auth/o/token/")
    assert (token.status, token.headers["allow"]) == (405, "POST, OPTIONS")
    options = await ask(edge, "/healthz", "OPTIONS")
    assert (options.status, options.headers["allow"], options.body) == (200, "GET, OPTIONS, HEAD", b"")


async def test_a_repeated_credential_is_none_that_is_known(site: Site, cast: Any, edge: Edge) -> None:
    key = await create_key(site, cast)
    assert (await ask(edge, ME, headers=key)).status == 200
    for headers in (key + key, key + b"X-API-Key: other\r\n", key + b"Authorization: Bearer x\r\n"):
        assert (await ask(edge, ME, headers=headers)).status in (400, 401)


@pytest.fixture
async def cast(site: Site) -> Any:
    from tests.cast import make_cast

    return await make_cast(site)


@pytest.mark.parametrize("line", [b"a:b\r\n", b"X-Forwarded-For: 1\r\n", b"Accept: text/html\r\n"])
async def test_av1_thousands_of_headers_are_answered(edge: Edge, line: bytes) -> None:
    answer = await ask(edge, ME, headers=line * (50_000 // len(line)))
    assert answer.status in (401, 406)


@pytest.mark.parametrize(
    "query", ["&&&", "=", "a", "a=%", "a=%zz&b=%ff", "fields=%00", "a=1&" * 8_000, "x" * 32_768]
)
async def test_a_malformed_query_is_no_fault_of_the_server(
    site: Site, cast: Any, edge: Edge, query: str
) -> None:
    answer = await ask(edge, f"{ME}?{query}", headers=await create_key(site, cast))
    assert answer.status == (400 if "%00" in query else 200)


async def test_a_query_that_is_too_long_is_414_in_the_format_of_its_path(edge: Edge) -> None:
    for path in (ME, "/auth/o/token", "/healthz"):
        answer = await ask(edge, f"{path}?{'x' * 32_769}")
        assert (answer.status, answer.headers["content-type"]) == (414, "application/json")
    assert (await ask(edge, f"/sign-in/?{'x' * 32_769}")).headers["content-type"].startswith("text/html")


async def test_a_body_longer_than_its_length_is_another_request(edge: Edge) -> None:
    body = b'{"a":1}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    head = b"POST /auth/o/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
    reader, writer = await edge.connect(head + body)
    answer = await read_all(reader)
    writer.close()
    assert answer.raw.count(b"HTTP/1.1 400") == answer.raw.count(b"HTTP/1.1 200") == 1


async def test_a_stream_is_not_begun_for_head_and_closed_when_it_fails(site: Site) -> None:
    begun: list[str] = []

    async def chunks() -> Any:
        begun.append("begun")
        try:
            yield b"one"
            raise RuntimeError("broken")
        finally:
            begun.append("closed")

    async def answer(request: Request) -> Answer:
        return Answer(content_type="text/event-stream", chunks=chunks())

    app = EdgeApp(Dispatch({"/stream": Methods({"GET": answer})}), request_source(site), Pages())
    async with open_edge(app) as edge:
        head = await ask(edge, "/stream", "HEAD")
        assert (head.status, head.body, begun) == (200, b"", [])
        cut = await ask(edge, "/stream")
    assert begun == ["begun", "closed"]
    assert cut.body == b"3\r\none\r\n", "without the last chunk: what came isn't taken for the whole"


async def test_what_breaks_is_a_500_without_detail(site: Site) -> None:
    async def fail(request: Request) -> Answer:
        raise RuntimeError("secret detail")

    app = EdgeApp(Dispatch({"/fails": Methods({"GET": fail})}), request_source(site), Pages())
    async with open_edge(app) as edge:
        answer = await ask(edge, "/fails")
    assert (answer.status, b"secret" in answer.raw) == (500, False)


async def test_av2_a_body_beyond_its_bound_is_413_whatever_its_length_says(edge: Edge) -> None:
    body = b'{"a": "' + b"x" * BODY_LIMIT + b'"}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    for path in ("/auth/o/token", "/auth/o/revoke-token"):
        for framing, sent in (
            (b"Content-Length: %d" % len(body), body),
            (b"Transfer-Encoding: chunked", chunked),
        ):
            answer = await ask(edge, path, "POST", framing + b"\r\n", sent)
            assert (answer.status, b"larger than" in answer.body) == (413, True)
