"""Answers nonces where no Airside runs yet, so that the proxy's rules can be checked before the first start."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from airside.errors import PageNotFound
from airside.gateway.check.reach import NONCE, check_paths, sign_nonce
from airside.settings import Settings
from airside.system.credentials import Sealer

MAX_HEAD_BYTES = 16_384
HEAD_SECONDS = 5.0


@asynccontextmanager
async def answering(settings: Settings, sealer: Sealer, host: str, port: int) -> AsyncGenerator[bool]:
    """Whether this process answers there; when somebody else does, it has to be an Airside of the same key."""
    paths = frozenset(check_paths(settings))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, paths, sealer))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(serve, host, port, limit=MAX_HEAD_BYTES)
    except OSError:
        yield False
        return
    async with server:
        yield True


def _answer(head: bytes, paths: frozenset[str], sealer: Sealer) -> bytes:
    target = urlsplit(head.split(b" ", 2)[1].decode("latin-1"))
    try:
        if target.path.rstrip("/") not in paths:
            raise PageNotFound
        status, body = "200 OK", sign_nonce(sealer, "".join(parse_qs(target.query).get(NONCE, [])))
    except PageNotFound:
        status, body = "404 Not Found", ""
    headers = f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}".encode()
