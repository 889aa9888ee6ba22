"""Requests with the caller's own key go to the Community Edition and come back unchanged, by stream."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.servers import Server, free_port, running_server
from tests.support.upstream.people import Person, people_of
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings

PUBLIC = "https://plane.example.com"
MEGABYTE = 1_048_576


@contextmanager
def front(folder: Path, upstream: str) -> Iterator[Server]:
    env = {"AIRSIDE_UPSTREAM_URL": upstream, "AIRSIDE_BASE_URL": PUBLIC, "AIRSIDE_WORKER": "false"}
    with running_server(folder, env) as server:
        yield server


class Echo:
    """An instance that keeps the requests as they came, and answers each with as many bytes as it has."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, bytes]] = []  # heads and bodies
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.seen.append((head, await self._body(head.lower(), reader)))
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _body(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if b"content-length: " in head:
            return await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        if b"transfer-encoding: chunked" in head:
            return await reader.readuntil(b"0\r\n\r\n")
        return b""


@asynccontextmanager
async def echoing(folder: Path) -> AsyncIterator[tuple[Server, Echo]]:
    echo, port = Echo(), free_port()
    async with await asyncio.start_server(echo.handle, "127.0.0.1", port):
        with front(folder, f"http://127.0.0.1:{port}") as server:
            yield server, echo


async def raw(server: Server, request: bytes) -> bytes:
    """What is answered until the connection is closed."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


def request(target: bytes, *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    head = [
        method + b" " + target + b" HTTP/1.1",
        b"Host: client.test",
        b"X-API-Key: k",
        b"Connection: close",
    ]
    return b"\r\n".join([*head, *lines, b"", b""]) + body


GOOD = [b"/api/v1/users/me/", b"/api/v1/a", b"//api/v1/users/me/", b"/api/v1/work-items/A-1/?a=%2F..&b=%00"]
BAD = [
    *(
        b"/api/v1/" + one
        for one in (b"../users/", b"./a/", b"a/../b/", b"a/..", b"a//b/", b"/", b"a/.", b"%2e%2e/a/")
    ),
    *(
        b"/api/v1/" + one
        for one in (b"%2E/a/", b"a%2Fb/", b"a%5cb/", b"a%00/", b"a;/..;/b/", b"%61/", b"a\\b/", b"a%/")
    ),
    *(
        b"/api/v1/" + one
        for one in (b"..%2fb/", b"%252e%252e/", b"a/%2e./b/", b"\xc3\xa9/", b"a/..?x", b"..")
    ),
]
ELSEWHERE = [
    b"/api/v1",
    b"/api/v2/a/",
    b"/API/v1/a/",
    b"/api/%76%31/a/",
    b"/api/./v1/a/",
    b"/x/../api/v1/a/",
    b"/api//v1/a/",
]


async def test_gw3_only_normal_spellings_of_paths_below_the_api_are_forwarded(tmp_path: Path) -> None:
    async with echoing(tmp_path) as (server, echo):
        for target in GOOD:
            assert (await raw(server, request(target))).endswith(b"ok"), target
        assert [head.split(b" ")[1] for head, _ in echo.seen] == [b"/" + t.lstrip(b"/") for t in GOOD]
        echo.seen.clear()
        for target in [*BAD, *ELSEWHERE, b"http://evil.test/api/v1/a/", b"http://127.0.0.1/api/v1/a/"]:
            answer = await raw(server, request(target))
            assert answer[9:12] in (b"400", b"401", b"404"), (target, answer[:60])
        for method in (b"TRACE", b"PROPFIND", b"get"):
            assert (await raw(server, request(b"/api/v1/a/", method=method)))[9:12] in (b"400", b"405"), (
                method
            )
        assert echo.seen == []


async def test_gw4_no_authority_of_a_client_reaches_the_instance(tmp_path: Path) -> None:
    lines = [
        b"Authorization: Bearer pln_x",
        b"Cookie: session-id=x",
        b"X-Forwarded-Host: evil.test",
        b"X-Forwarded-For: 1.2.3.4",
        b"X-Forwarded-Proto: http",
        b"X_Forwarded_For: 1.2.3.4",
        b"Forwarded: for=1.2.3.4",
        b"X-Real-IP: 1.2.3.4",
        b"Connection: X-API-Key, X-Secret",
        b"X-Secret: s",
        b"Keep-Alive: 5",
        b"TE: trailers",
        b"X-Kept: yes",
        b"Accept: a/b",
    ]
    async with echoing(tmp_path) as (server, echo):
        await raw(server, request(b"/api/v1/a/", *lines))
        ((head, _),) = echo.seen
        sent = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        assert sent == {
            b"x-api-key": b"k",
            b"x-kept": b"yes",
            b"accept": b"a/b",
            b"host": b"plane.example.com",
            b"x-forwarded-proto": b"https",
            b"x-forwarded-for": b"127.0.0.1",
        }


SMUGGLED = b"0\r\n\r\nGET /api/v1/smuggled/ HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"Content-Length: 5", b"Transfer-Encoding: chunked"], id="both lengths"),
        pytest.param([b"Content-Length: 5", b"Content-Length: 6"], id="two lengths"),
        pytest.param([b"Transfer-Encoding: xchunked"], id="unknown coding"),
        pytest.param([b"Transfer-Encoding : chunked"], id="space before the colon"),
        pytest.param([b"X: a", b" Transfer-Encoding: chunked"], id="folded"),
        pytest.param([b"Content-Length: +5"], id="signed length"),
        pytest.param([b"X-API-Key: another"], id="two keys"),
    ],
)
async def test_gw4_ambiguous_requests_are_not_forwarded_as_two(tmp_path: Path, lines: list[bytes]) -> None:
    async with echoing(tmp_path) as (server, echo):
        await raw(server, request(b"/api/v1/a/", *lines, method=b"POST", body=SMUGGLED))
        assert not [head for head, _ in echo.seen if b"smuggled" in head]
        assert not [body for _, body in echo.seen if b"smuggled" in body]


async def test_bodies_and_answers_pass_unchanged(tmp_path: Path) -> None:
    async with echoing(tmp_path) as (server, echo):
        body = bytes(range(256)) * 40
        length = b"Content-Length: %d" % len(body)
        echo.answer = (
            b"HTTP/1.1 418 Odd\r\nX-A: 1\r\nX-A: 2\r\nLocation: http://x.test/\r\nContent-Encoding: gzip\r\n"
        )
        echo.answer += b"Connection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00"
        answer = await raw(server, request(b"/api/v1/a/?q=%41", length, method=b"PATCH", body=body))
        ((head, sent),) = echo.seen
        assert head.startswith(b"PATCH /api/v1/a/?q=%41 HTTP/1.1\r\n")
        assert sent == body
        received, _, content = answer.partition(b"\r\n\r\n")
        names = received.lower().split(b"\r\n")
        assert names[0].startswith(b"http/1.1 418")
        assert names.count(b"x-a: 1") == names.count(b"x-a: 2") == 1
        assert b"location: http://x.test/" in names
        assert not [name for name in names if name.startswith(b"x-hop")]
        assert content == b"\x1f\x8b\x00"


async def test_a_body_that_ends_early_is_never_sent_as_a_whole_one(tmp_path: Path) -> None:
    async with echoing(tmp_path) as (server, echo):
        host, port = server.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request(b"/api/v1/a/", b"Content-Length: 100", method=b"POST", body=b"half"))
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()
        await asyncio.sleep(0.3)
        assert echo.seen == []


async def test_gw12_without_the_instance_the_answer_says_so(tmp_path: Path) -> None:
    with front(tmp_path, f"http://127.0.0.1:{free_port()}") as server:
        answer = await raw(server, request(b"/api/v1/users/me/"))
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"retry-after: 5" in answer.lower()
        assert answer.endswith(b'{"error":"The upstream instance can\'t be reached."}')
        async with aiohttp.ClientSession() as client, client.get(f"{server.url}/healthz") as healthy:
            assert healthy.status == 200


@asynccontextmanager
async def workspace(upstream: Upstream) -> AsyncIterator[Person]:
    async with people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
        ana.project = await ana.post(
            "/api/workspaces/acme/projects/", {"name": "Mobile", "identifier": "MOB"}
        )
        yield ana


async def test_a_client_of_the_community_edition_works_through_the_front(tmp_path: Path) -> None:
    settings = Settings(seeds_project=False)
    async with open_upstream(settings) as upstream, workspace(upstream) as ana:
        settings.storage_url = None  # uploads go to the public host
        with front(tmp_path, upstream.url) as server:
            ana.url = server.url
            items = f"/api/v1/workspaces/acme/projects/{ana.project['id']}/work-items/"
            item = await ana.post(items, {"name": "through"})
            assert (await ana.patch(f"{items}{item['id']}/", {"name": "changed"}))["name"] == "changed"
            body = {"name": "a.txt", "type": "text/plain", "size": 5}
            made = await ana.post(f"{items}{item['id']}/attachments/", body)
            assert made["upload_data"]["url"] == f"{PUBLIC}/uploads"
            assert (await ana.get(f"{items}?per_page=1&fields=id,name"))["results"][0]["name"] == "changed"
            await ana.send("DELETE", f"{items}{item['id']}/", expect=204)
            ana.key = "plane_api_wrong"
            refused: Any = await ana.send("GET", "/api/v1/users/me/", expect=403)
            assert refused == {"detail": "Given API token is not valid"}


async def test_large_bodies_and_a_slow_reader_take_little_memory(tmp_path: Path) -> None:
    size, count, at_once = 4 * MEGABYTE, 200, 50
    async with echoing(tmp_path) as (server, echo):
        echo.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
        limit = asyncio.Semaphore(at_once)
        headers = {"X-API-Key": "k"}

        async def exchange(client: aiohttp.ClientSession) -> int:
            async with (
                limit,
                client.post(f"{server.url}/api/v1/a/", data=bytes(size), headers=headers) as answer,
            ):
                received = 0
                async for chunk in answer.content.iter_any():
                    received += len(chunk)
                echo.seen.clear()
                return received

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            await exchange(client)
            before = memory_of(server)
            host, port = server.url.removeprefix("http://").split(":")
            _, slow = await asyncio.open_connection(host, int(port), limit=1024)
            slow.write(request(b"/api/v1/slow/"))
            received = await asyncio.gather(*(exchange(client) for _ in range(count)))
            assert received == [size] * count
            assert memory_of(server) - before < 30 * MEGABYTE
            slow.close()


def memory_of(server: Server) -> int:
    """The most that the process had, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.parametrize(
    "url", ["plane", "ftp://plane.test", "https://plane.test/path", "https://a:b@plane.test"]
)
def test_the_instance_is_named_by_its_origin(tmp_path: Path, url: str) -> None:
    from airside.settings import Settings as AirsideSettings

    with pytest.raises(ValueError, match="must be an origin"):
        AirsideSettings(data=tmp_path, upstream_url=url)
