"""Webhook receivers on 127.0.0.1: a well-behaved one, and one that writes raw bytes. Also a fake DNS resolver."""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw)

    def is_signed_with(self, secret: str) -> bool:
        expected = hmac.new(secret.encode(), self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers["X-Plane-Signature"], expected)


class Receiver:
    """Records requests. Responds with `answers` in turn, then always 200; `pause` delays it."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: list[web.Response | int] = []
        self.pause = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self._arrived = asyncio.Condition()

    async def wait_for(self, count: int, seconds: float = 10) -> list[Received]:
        """Wait for this many requests; returns all received ones."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.received.append(Received(request.path_qs, dict(request.headers), raw))
        async with self._arrived:
            self._arrived.notify_all()
        await asyncio.sleep(self.pause)
        self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else 200
        return web.Response(status=answer, text="thank you") if isinstance(answer, int) else answer


@asynccontextmanager
async def open_receiver(receiver: Receiver | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver at `receiver.url`, listening on this port or a free one; the given one, or one as described."""
    receiver = receiver or Receiver()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class FakeResolver(AbstractResolver):
    """A DNS resolver that returns these addresses for every query."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        rest = {"port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [ResolveResult(hostname=host, host=address, **rest) for address in self.addresses]

    async def __call__(self, host: str) -> list[str]:
        """In the form that `webhooks/destinations.py` needs."""
        return [answer["host"] for answer in await self.resolve(host)]

    async def close(self) -> None:
        return


Misbehave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def open_raw_receiver(misbehave: Misbehave) -> AsyncIterator[str]:
    """The URL of a server that reads a request's head and then calls `misbehave` on the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await misbehave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
