"""Slow clients, and too many of them: every wait has a timeout, and health checks are served."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airside.app import create_app
from airside.http.descriptors import MAX_CONNECTIONS, connection_bound
from airside.runtime.site import Site
from tests.support.edge import WAIT_SECONDS, Edge, open_edge, read_all, until
from tests.support.servers import Server, running_server

SECONDS = 30  # what the bounds of these tests allow
HALF = b"POST /auth/o/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def edge(site: Site) -> AsyncIterator[Edge]:
    async with open_edge(create_app(site), connections=4, request_timeout_seconds=SECONDS) as opened:
        yield opened


class Held:
    """An application that responds when it is released, and to health checks at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/healthz":
            self.asked += 1
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 0),
        (b"GE", 408),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: aaa", 408),
        (HALF, 408),
        (HALF.replace(b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{"), 408),
    ],
)
async def test_av2_what_was_sent_by_half_ends_at_the_deadline(edge: Edge, sent: bytes, status: int) -> None:
    reader, writer = await edge.connect(sent)
    await until(lambda: len(edge.limits.waiting) == 1)
    if sent:
        await until(lambda: next(iter(edge.limits.waiting)).has_begun)
    edge.pass_time(SECONDS - 1)
    assert edge.limits.waiting
    edge.pass_time(SECONDS + 1)
    assert (await read_all(reader)).status == status
    await until(lambda: not edge.limits.waiting)
    writer.close()


async def test_av2_a_large_body_that_keeps_coming_has_more_time() -> None:
    async def read(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async with open_edge(read, request_timeout_seconds=SECONDS) as edge:
        size = 1_600_000
        reader, writer = await edge.connect(
            HALF.replace(b": 100\r\n", b": %d\r\n" % (2 * size)) + b"x" * size
        )
        await writer.drain()
        await until(lambda: any(one.body_bytes > size for one in edge.limits.waiting))
        edge.pass_time(SECONDS + 60)
        assert edge.limits.waiting
        edge.pass_time(SECONDS + 120)
        assert (await read_all(reader)).status == 408
        writer.close()


async def test_av2_an_idle_connection_is_kept_for_its_next_request(edge: Edge) -> None:
    reader, writer = await edge.connect(HEALTH.replace(b"Connection: close\r\n", b""))
    await reader.readuntil(b'"ok"}')
    edge.pass_time(SECONDS + 5)
    writer.write(HEALTH)
    assert (await read_all(reader)).status == 200


async def test_av2_an_answer_that_nobody_reads_is_given_up() -> None:
    async def flood(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})

    async with open_edge(flood, request_timeout_seconds=SECONDS) as edge:
        _, writer = await edge.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: bool(edge.limits.unread))
        edge.pass_time(SECONDS + 1)
        await until(lambda: not edge.limits.unread)
        writer.close()


async def test_av2_headers_without_an_end_are_431(edge: Edge) -> None:
    reader, writer = await edge.connect(b"GET / HTTP/1.1\r\nHost: a\r\n")
    for _ in range(50):
        writer.write(b"X-Long: " + b"a" * 20_000 + b"\r\n")
        await writer.drain()
    assert (await read_all(reader)).status == 431
    writer.close()


async def test_av2_one_too_many_takes_the_place_of_the_one_that_waited_longest(edge: Edge) -> None:
    opened = [await edge.connect() for _ in range(4)]
    await until(lambda: len(edge.limits.waiting) == 4)
    assert (await edge.ask(HEALTH)).status == 200
    assert (await read_all(opened[0][0])).raw == b""
    for reader, writer in opened[1:]:
        writer.write(HEALTH)
        assert (await read_all(reader)).status == 200


async def test_av2_when_all_are_worked_on_one_more_is_503_and_health_answers() -> None:
    app = Held()
    async with open_edge(app, connections=2) as edge:
        busy = [await edge.connect(HEALTH.replace(b"/healthz", b"/slow")) for _ in range(2)]
        await until(lambda: app.asked == 2)
        refused = await edge.ask(HEALTH.replace(b"/healthz", b"/slow"))
        assert (refused.status, refused.headers["retry-after"], refused.headers["connection"]) == (
            503,
            "1",
            "close",
        )
        assert (await edge.ask(HEALTH)).status == 200
        app.go.set()
        assert [(await read_all(reader)).status for reader, _ in busy] == [200, 200]
    assert app.asked == 2


async def test_av2_a_client_that_leaves_ends_its_answer(edge: Edge) -> None:
    for _ in range(20):
        _, writer = await edge.connect(HALF)
        writer.close()
    await until(lambda: not edge.limits.waiting)
    assert (await edge.ask(HEALTH)).status == 200


def test_connections_are_bounded_by_descriptors_and_by_the_operators_figure() -> None:
    assert connection_bound(1024) == 512
    assert connection_bound(1_000_000) == MAX_CONNECTIONS
    assert connection_bound(1_000_000, wanted=20_000) == 20_000
    assert connection_bound(1024, wanted=20_000) == 512
    assert connection_bound(1024, wanted=100) == 100


def test_av2_nine_hundred_half_bodies_end_and_leave_nothing_open(tmp_path: Path) -> None:
    with running_server(tmp_path, {"AIRSIDE_REQUEST_TIMEOUT_SECONDS": "2"}) as server:
        before = count_descriptors(server)
        clients = [connect(server, HALF) for _ in range(900)]
        assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200
        for client in clients:
            with client:
                assert client.makefile("rb").readline().startswith(b"HTTP/1.1 408 ")
        wait_for(lambda: count_descriptors(server) <= before + 10)


@pytest.mark.parametrize("sent", [b"", HALF], ids=["silent", "half a body"])
def test_av2_health_answers_when_clients_would_use_up_the_descriptors(tmp_path: Path, sent: bytes) -> None:
    with running_server(tmp_path, descriptors=200) as server:
        clients = [connect(server, sent) for _ in range(500)]
        for path in ("/healthz", "/readyz", "/sign-in/"):
            assert requests.get(f"{server.url}{path}", timeout=30).status_code == 200
        assert count_descriptors(server) < 200
        for client in clients:
            client.close()


def test_the_limit_of_descriptors_is_raised_at_start(server: Server) -> None:
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    soft, hard = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3:5]
    assert soft == (hard if hard != "unlimited" and int(hard) <= 65_536 else "65536") or int(soft) > 65_536


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def connect(server: Server, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=30)
    client.sendall(sent)
    return client


def count_descriptors(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
