"""Receives webhooks as cheaply as it can and remembers when each one's first byte came. Runs in any Python.

python receiver.py PORT

The path says how it answers: `/well` at once, `/slow` after seconds, `/dead` never, `/flapping` well and badly by
turns. `GET /seen` tells what came to `/well` since the last asking, by `webhook-id`: seconds of the monotonic
clock, which all processes of a machine share. `GET /count` tells how many came there, and when the
first and the last one did.
"""

import asyncio
import json
import re
import sys
import time

SLOW_SECONDS = 5.0
FLAP_SECONDS = 2.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class Seen:
    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self.count = 0
        self.first = self.last = 0.0

    def note(self, message_id: str, at: float) -> None:
        self.times.setdefault(message_id, at)
        self.first = self.first if self.count else at
        self.count += 1
        self.last = at

    def tell(self, path: str) -> bytes:
        told = {"count": self.count, "first": self.first, "last": self.last}
        if path == "/seen":
            told |= {"times": self.times}
            self.times, self.count = {}, 0
        body = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Connection(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._received = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._received:
            self._since = time.monotonic()
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(self._received, 0, head_end + 2)
        if len(self._received) >= head_end + 4 + (int(length[1]) if length else 0):
            head, self._received = self._received[:head_end], b""
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        if path.startswith("/well"):
            self._seen.note(_ID.search(head)[1].decode(), self._since)  # type: ignore[index]
            self._transport.write(_GOOD)
        elif path.startswith("/slow"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._write, _GOOD)
        elif path.startswith("/flapping"):
            is_well = time.monotonic() % (2 * FLAP_SECONDS) < FLAP_SECONDS
            asyncio.get_running_loop().call_later(0.02, self._write, _GOOD if is_well else _BAD)
        elif not path.startswith("/dead"):
            self._transport.write(self._seen.tell(path))

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int) -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(seen), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
