"""AV1 at the sockets: a large piece of input is processed in small steps."""

import asyncio
from typing import Any

import pytest

from tests.support.edge import open_edge
from tests.support.steps import limit, measured_steps

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
MANY = {
    "requests": (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "requests with a body": (b"", HEAD + b"Content-Length: 1\r\n\r\nx"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "headers": (HEAD, b"a:b\r\n"),
    "bytes": (HEAD + b"Content-Length: 5000000\r\n\r\n", b"x"),
}


async def answer_late(scope: Any, receive: Any, send: Any) -> None:
    """Late, so that input received meanwhile must be buffered."""
    await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("what", MANY)
async def test_av1_the_shortest_pieces_sent_all_at_once_hold_up_no_event_loop(what: str) -> None:
    first, piece = MANY[what]
    longest = []
    async with open_edge(answer_late, connections=10, request_timeout_seconds=30) as edge:
        for _ in range(3):
            with measured_steps() as steps:
                _, writer = await edge.connect(first + piece * (400_000 // len(piece)))
                await asyncio.sleep(0.2)
                writer.transport.abort()
                longest.append(steps.take_worst().seconds)
    assert min(longest) < limit(), longest
