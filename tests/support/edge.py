"""The HTTP server inside the test's own process and event loop, called over real sockets with exact bytes.

async with open_edge(create_app(site)) as edge:
    answer = await edge.ask(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from airside.http.connection import Limits
from airside.http.server import Server, bind, new_server

WAIT_SECONDS = 30.0  # generous, for a busy machine


@dataclass
class RawAnswer:
    """A response as on the wire; empty if the connection was just closed."""

    raw: bytes
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        head, _, self.body = self.raw.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(line.split(" ")[1]) if line else 0
        self.headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}


@dataclass
class Edge:
    """A listening server and its limits."""

    port: int
    limits: Limits

    async def connect(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        return reader, writer

    async def ask(self, request: bytes) -> RawAnswer:
        """The response on a new connection, read until the server closes it."""
        reader, writer = await self.connect(request)
        try:
            return await read_all(reader)
        finally:
            writer.close()

    def pass_time(self, seconds: float) -> None:
        """Apply timeouts as if clients had sent nothing for so long."""
        self.limits.end_late(asyncio.get_running_loop().time() + seconds)


async def read_all(reader: asyncio.StreamReader) -> RawAnswer:
    return RawAnswer(await asyncio.wait_for(reader.read(), WAIT_SECONDS))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def open_edge(
    app: Any, *, connections: int = 1000, request_timeout_seconds: float = 600
) -> AsyncIterator[Edge]:
    limits = Limits(connections, request_timeout_seconds)
    sock = bind("127.0.0.1", 0)
    server: Server = new_server(app, limits, drain_seconds=1)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    await until(lambda: server.started or task.done())
    try:
        yield Edge(sock.getsockname()[1], limits)
    finally:
        server.should_exit = True
        await task
