"""What a receiver may do to its caller: each takes the connection when the request's head has been read.

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
BOMB_BYTES = 100_000_000  # of what the gzip bomb becomes
DRIP_SECONDS = 0.05


async def never_answer(_: Reader, writer: Writer) -> None:
    """Keep the connection, and say nothing."""
    await asyncio.sleep(30)


async def drip_head(_: Reader, writer: Writer) -> None:
    """Always one more header, so that no pause between two bytes is long."""
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
    """Ten gigabytes, as fast as they are taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def send_bomb(_: Reader, writer: Writer) -> None:
    """A hundred kilobytes of gzip that become a hundred megabytes."""
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
    """Bytes that are no text, in a header and the body."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Length: 4\r\n\r\na\0\xffb")
    await writer.drain()


async def inject_headers(_: Reader, writer: Writer) -> None:
    """A second answer inside a header, as for somebody who puts the first one's headers into another answer."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nX-Split: one\r\r\nSet-Cookie: a=b\x0b\x1b[31m\r\nContent-Length: 0\r\n\r\n"
    )
    await writer.drain()


async def reset(_: Reader, writer: Writer) -> None:
    """A TCP reset in the middle."""
    writer.transport.abort()


async def reset_in_body(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(DRIP_SECONDS)
    writer.transport.abort()


def say(said: bytes) -> Misbehave:
    """Exactly this, and close."""

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
    """A DNS server whose answers live for no second: each question gets the next address, the last one for good."""

    def __init__(self, *addresses: str) -> None:
        super().__init__(*addresses)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        place, self.asked = min(self.asked, len(found) - 1), self.asked + 1
        return found[place : place + 1]


@cache
def make_bomb() -> bytes:
    """Made once: compressing takes longer than a receiver may take to answer."""
    return gzip.compress(b"\0" * BOMB_BYTES, 1)
