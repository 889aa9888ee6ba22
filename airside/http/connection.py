"""One client's connection: uvicorn's protocol with timeouts and size limits.

A connection *waits* while the client has to act: before its first request, within a request, or after a response.
A waiting connection is closed at its deadline, or earlier when there are too many connections.
"""

import asyncio
from itertools import takewhile
from typing import Any, cast

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from airside.http.parser import Parser
from airside.http.request import ORIGIN_FORM

MAX_HEAD_BYTES = 65_536  # of a request line with its headers, and of everything else that isn't the body
MAX_UNREAD_BYTES = (
    16 * 1024 * 1024
)  # of a body discarded after its response, so that the client reads the response
MIN_BYTES_PER_SECOND = 16_384  # a body this fast may take longer than the deadline
READ_BYTES = 32 * 1024  # per read: so many bytes of the shortest requests or chunks take the event loop 10 ms
END_BATCH = 100  # connections closed in one go; more would block the event loop
HEALTH_PATHS = ("/healthz", "/readyz")  # served even when there are too many connections

Send = Any  # of ASGI
Scope = dict[str, Any]


class Limits(msgspec.Struct):
    """The limits of one server, and the connections that wait, longest first, since when by the loop's clock."""

    connections: int
    request_timeout_seconds: float
    waiting: "dict[Connection, float]" = {}  # for the client to send
    unread: "dict[Connection, float]" = {}  # for the client to read the response

    def end_late(self, now: float) -> bool:
        """Close a batch of the connections that have waited too long. Whether there may be more."""
        ended = 0
        for connection, since in self._list_late(self.waiting, now):
            ended += connection.end_late(now - since)
            if ended == END_BATCH:
                return True
        for connection, _ in self._list_late(self.unread, now):
            connection.drop()
        return False

    def _list_late(self, waiting: "dict[Connection, float]", now: float) -> "list[tuple[Connection, float]]":
        return list(takewhile(lambda one: now - one[1] > self.request_timeout_seconds, waiting.items()))

    def make_room(self) -> bool:
        """Close the connection that has waited longest; False when none waits."""
        for connection in self.waiting:
            connection.drop()
            return True
        return False


class Connection(HttpToolsProtocol, asyncio.BufferedProtocol):
    """uvicorn's protocol within the limits."""

    _received = bytearray(READ_BYTES)  # one buffer for all connections: each read is copied out at once

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser: Any = Parser(self)
        self._limits = limits
        self._is_excess = False  # over the connection limit: gets one response, and is closed
        self.has_begun = False  # a request has been received in part
        self._is_refused = False  # further input is discarded, so that the client reads the refusal
        self._in_head = True
        self._head_bytes = 0
        self.body_bytes = 0
        self._unread_bytes = 0

    def drop(self) -> None:
        """Close at once, without sending the rest."""
        self._forget()
        self.transport.abort()

    def end_late(self, waited: float) -> bool:
        """Close the connection if it is late, with 408 within a request; whether it was. A fast body has more time,
        and time in which the server itself paused reading doesn't count."""
        is_idle = self._latest is not None and not self.has_begun  # for which uvicorn has a timer
        if self.transport.is_closing() or self._is_refused:
            self.drop()  # the client doesn't read the rest of the response
        elif is_idle or self.flow.read_paused or waited <= self._allowed_seconds():
            return False
        elif not self.has_begun:
            self.drop()
        else:
            self._refuse(408, "The request didn't come in time.")
        return True

    def _allowed_seconds(self) -> float:
        return self._limits.request_timeout_seconds + self.body_bytes / MIN_BYTES_PER_SECOND

    def _wait(self) -> None:
        """Start waiting for the client."""
        self._limits.waiting.pop(self, None)  # to the end: the dictionary is ordered by the start of waiting
        if self.parser is not None:  # None: the connection is lost
            self._limits.waiting[self] = self.loop.time()

    def _forget(self) -> None:
        self._limits.waiting.pop(self, None)
        self._limits.unread.pop(self, None)

    @property
    def _latest(self) -> RequestResponseCycle | None:
        """The last request with its response; None before the first."""
        return self.cycle

    def _is_working(self) -> bool:
        """Whether a complete request has no complete response yet."""
        latest = self._latest
        return latest is not None and not latest.response_complete and not latest.more_body

    def _refuse(self, status: int, sentence: str) -> None:
        """Send an error response and close; only close when another response is being sent."""
        latest = self._latest
        if latest is not None and latest.response_started and not latest.response_complete:
            self.drop()
            return
        body = msgspec.json.encode({"error": sentence})
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            CLOSE_HEADER,
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"%s%s\r\n%s" % (STATUS_LINE[status], lines, body))
        self._is_refused = True
        if status == 408 or not self.transport.can_write_eof():
            self.transport.close()
        else:  # closing with unread input would reset the connection, and the client would lose the response
            self.transport.write_eof()
        self._wait()

    def _discard(self, data: bytes) -> None:
        self._unread_bytes += len(data)
        if self._unread_bytes > MAX_UNREAD_BYTES:
            self.drop()

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if len(self.connections) >= self._limits.connections:
            self._is_excess = not self._limits.make_room()
        super().connection_made(cast(asyncio.Transport, transport))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(memoryview(self._received)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(data)
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self._is_refused:
            self._refuse(431, "The request's headers are too long.")

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls it when the parser rejects a request."""
        self._refuse(400, "This is not a valid HTTP request.")

    def pause_writing(self) -> None:
        self._limits.unread[self] = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._limits.unread.pop(self, None)
        super().resume_writing()

    def shutdown(self) -> None:
        """Close unless a complete request waits for its response."""
        if self._is_working():
            super().shutdown()
        else:
            self.transport.close()

    # Called by the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.has_begun = True
        self.body_bytes = self._unread_bytes = 0
        if not self._is_working():
            self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Ignores trailers: merged into the headers they would bypass the checks of proxies (RFC 9110 §6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self.scope[ORIGIN_FORM] = self.url.startswith(b"/")  # pyright: ignore[reportGeneralTypeIssues]
        super().on_headers_complete()
        if self._is_excess:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        self.body_bytes += len(body)
        if self.cycle.response_complete:
            self._discard(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.hides_body:
            return
        self._in_head, self.has_begun, self._head_bytes = True, False, 0
        super().on_message_complete()
        if self._is_working():
            self._limits.waiting.pop(self, None)
        else:
            self._wait()

    # Called for the response

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._is_excess and cycle.scope["path"] not in HEALTH_PATHS:
            app = refuse_excess
        elif cycle.scope["http_version"] == "1.0":
            app = close_delimited(cycle, app)
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_working():
            self._wait()


async def refuse_excess(scope: Any, receive: Any, send: Send) -> None:
    """The application for connections over the limit: responds 503."""
    body = b'{"error":"Too many connections are open. Try again in a moment."}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"retry-after", b"1"), CLOSE_HEADER]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def close_delimited(cycle: RequestResponseCycle, app: Any) -> Any:
    """For HTTP/1.0, which has no chunked encoding: closing ends a response of unknown length (RFC 9112 §6.1)."""

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            if all(name.lower() != b"content-length" for name, _ in message["headers"]):
                cycle.chunked_encoding = False
                message = message | {"headers": [*message["headers"], CLOSE_HEADER]}
        elif cycle.chunked_encoding is False and not cycle.expected_content_length:
            cycle.expected_content_length = len(message.get("body", b""))
        await cycle.send(message)

    async def answer(scope: Any, receive: Any, _: Send) -> None:
        await app(scope, receive, send)

    return answer
