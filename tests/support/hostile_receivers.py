"""Attacks of a receiver on its caller: each takes over the connection after the request's head was read.

async with open_raw_receiver(drip_body) as url:
    answer = await sender.post(url, {}, b"{}")
"""

import asyncio
import gzip
import socket
from functools import cache
from typing import Any

from aiohttp.abc import ResolveResult

from tests.support.receivers import FakeResolver, Misbehave

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
METADATA = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
BOMB_BYTES = 100_000_000  # decompressed size of the gzip bomb
DRIP_SECONDS = 0.05


async def never_answer(_: Reader, writer: Writer) -> None:
    """Keep the connection open, and send nothing."""
    await asyncio.sleep(30)


async def drip_head(_: Reader, writer: Writer) -> None:
    """Endless headers, so that no pause between two bytes is long."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-A: 1\r\n")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def drip_body(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def flood(_: Reader, writer: Writer) -> None:
    """Ten gigabytes, as fast as they are read."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def send_bomb(_: Reader, writer: Writer) -> None:
    """A gzip bomb: a hundred kilobytes that decompress to a hundred megabytes."""
    bomb = make_bomb()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    )
    await writer.drain()


async def send_many_headers(_: Reader, writer: Writer) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 1200) for number in range(100))
    writer.write(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")
    await writer.drain()


async def send_odd_text(_: Reader, writer: Writer) -> None:
    """Bytes that aren't text, in a header and the body."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Length: 4\r\n\r\na\0\xffb")
    await writer.drain()


async def inject_headers(_: Reader, writer: Writer) -> None:
    """Response splitting: a second response inside a header, for a client that copies headers."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nX-Split: one\r\r\nSet-Cookie: a=b\x0b\x1b[31m\r\nContent-Length: 0\r\n\r\n"
    )
    await writer.drain()


async def reset(_: Reader, writer: Writer) -> None:
    """A TCP reset during the response."""
    writer.transport.abort()


async def reset_in_body(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(DRIP_SECONDS)
    writer.transport.abort()


def say(said: bytes) -> Misbehave:
    """Send exactly this, and close."""

    async def answer(_: Reader, writer: Writer) -> None:
        writer.write(said)
        await writer.drain()

    return answer


def redirect(status: int, target: str = METADATA) -> Misbehave:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    return say(head.encode())


HOSTILE: dict[str, Misbehave] = {
    "never_answer": never_answer,
    "drip_head": drip_head,
    "drip_body": drip_body,
    "flood": flood,
    "send_bomb": send_bomb,
    "send_many_headers": send_many_headers,
    "send_odd_text": send_odd_text,
    "inject_headers": inject_headers,
    "reset": reset,
    "reset_in_body": reset_in_body,
    "redirect": redirect(302),
    "say_no_http": say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "say_nothing": say(b""),
}


class FlippingResolver(FakeResolver):
    """A DNS server with a TTL of 0 (DNS rebinding): each query gets the next address, the last one forever."""

    def __init__(self, *addresses: str) -> None:
        super().__init__(*addresses)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        place, self.asked = min(self.asked, len(found) - 1), self.asked + 1
        return found[place : place + 1]


@cache
def make_bomb() -> bytes:
    """Created once: compressing takes longer than a receiver's timeout."""
    return gzip.compress(b"\0" * BOMB_BYTES, 1)
