"""One HTTP/1.1 connection to a receiver: send a POST, read one bounded response with llhttp's strict parser.

A response which that parser rejects is judged by its status line (`malformed.py`); its connection is then closed.

Sending dominates the cost of a delivery, and a general-purpose HTTP client spends most of it on features that
webhooks never use (docs/decisions/0017).
"""

import asyncio
import select
from typing import cast

import httptools
import msgspec

from airside.webhooks.malformed import MAX_HEADER_BYTES, MAX_HEADERS, read_malformed

MAX_HEAD_BYTES = 131_072  # of a response; a longer head fails as not HTTP
MAX_BODY_BYTES = 65_536  # of a response; the rest of a longer body is not read
MAX_ANSWER_BYTES = (
    262_144  # of everything read: one-byte chunks and trailers can't get around the other limits
)
MAX_REQUEST_KEPT = 65_536  # bytes; after a longer request the connection is not reused


class NotHttp(Exception):
    """The received bytes are not an HTTP response."""


class CutOff(Exception):
    """The connection closed before or within the head of a response. `is_stale`: a reused one, before any byte."""

    def __init__(self, reason: str, *, is_stale: bool) -> None:
        super().__init__(reason)
        self.is_stale = is_stale


class Received(msgspec.Struct):
    """The final response as received: its body is cut at the cap and not decompressed."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    address: str | None  # the peer's
    first_byte_ms: int  # from writing the request to receiving the first byte of the response


class Connection(asyncio.Protocol):
    """One connection. `ask` again only when `is_reusable`."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.is_reusable = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._address: str | None = None
        self._waiting: asyncio.Future[Received] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._was_used = False
        self._clear()

    def _clear(self) -> None:
        self._status = 0  # set once the head is complete
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._raw: list[bytes] = []  # everything received, until the head is complete
        self._is_malformed = False
        self._received = 0  # bytes of all kinds
        self._may_be_kept = False
        self._asked_at = self._answered_at = 0.0

    async def ask(self, request: bytes, deadline: float) -> Received:
        """Send the request and read its response. Raises TimeoutError, NotHttp and CutOff, unless the status has
        arrived: then the part of the body received so far is the body."""
        if self._transport is None:
            raise CutOff("closed", is_stale=self._was_used)
        self._clear()
        # A receiver that responds before it has read everything may take the rest for another request.
        self._may_be_kept = len(request) <= MAX_REQUEST_KEPT
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = self._loop.create_future()
        self.is_reusable = False
        alarm = self._loop.call_at(deadline, self._end, TimeoutError())
        self._transport.write(request)
        self._asked_at = self._loop.time()
        try:
            return await self._waiting
        except BaseException:
            self.is_reusable = False
            raise
        finally:
            alarm.cancel()
            self._waiting = self._parser = None
            self._was_used = True
            if not self.is_reusable:
                self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def is_idle(self) -> bool:
        """Whether it is open and has received no bytes, including bytes that the event loop hasn't read yet."""
        if self._transport is None or self._transport.is_closing():
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def _end(self, error: Exception | None = None) -> None:
        """The response is complete. An error is raised only when no status has arrived."""
        if self._waiting is None or self._waiting.done():
            return
        if error is not None and not self._status:
            self._waiting.set_exception(error)
        else:
            first_byte_ms = round((self._answered_at - self._asked_at) * 1000)
            answer = Received(self._status, self._headers, bytes(self._body), self._address, first_byte_ms)
            self._waiting.set_result(answer)

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's class isn't a subclass
        peer: tuple[str, int] | str | None = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else None

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._waiting is None or self._waiting.done():
            self.is_reusable = False
            self.abort()  # no request is pending
            return
        self._answered_at = self._answered_at or self._loop.time()
        self._received += len(data)
        if not self._status or self._is_malformed:
            self._raw.append(data)
        if self._is_malformed:
            self._read_malformed(NotHttp())
        else:
            self._feed(self._parser, data)
        is_head_over = self._status and not self._is_malformed
        if self._received > (MAX_ANSWER_BYTES if is_head_over else MAX_HEAD_BYTES):
            if not self._status:
                self._read_malformed(NotHttp("a head without an end"))
            self._end_for_good(NotHttp("an answer without an end"))

    def _feed(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end_for_good()
        except httptools.HttpParserError as error:
            if self._status:
                self._end_for_good(NotHttp(str(error)))
            else:
                self._read_malformed(NotHttp(str(error)))

    def _read_malformed(self, error: NotHttp) -> None:
        """Accept the status line; wait for the rest of the head, which may hold a Retry-After."""
        found = read_malformed(b"".join(self._raw))
        if found is None:
            self._end_for_good(error)
            return
        self.is_reusable, self._is_malformed = False, True
        self._status, self._headers = found.status, found.headers
        self._body[:] = found.body[:MAX_BODY_BYTES]
        if found.is_whole:
            self._end_for_good()

    def _end_for_good(self, error: Exception | None = None) -> None:
        self.is_reusable = False
        self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        is_stale = self._was_used and not self._received
        self._end_for_good(CutOff(str(exc or "closed"), is_stale=is_stale))

    # Called by the parser

    def on_message_begin(self) -> None:
        self.is_reusable = (
            False  # a receiver that sends more than the response is not sent another request here
        )

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:  # a trailer (RFC 9110 §6.5), which must not be merged into the header
            return
        if len(name) + len(value) > MAX_HEADER_BYTES or len(self._headers) >= MAX_HEADERS:
            raise NotHttp("a header too long, or too many of them")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if not 100 <= status <= 599:
            raise NotHttp(f"no status: {status}")
        if status >= 200 or status == 101:
            self._status, self._raw = status, []

    def on_body(self, body: bytes) -> None:
        if not self._status:
            raise NotHttp("an interim answer with a body")
        self._body += body[: MAX_BODY_BYTES - len(self._body)]
        if len(self._body) == MAX_BODY_BYTES:
            self._end()

    def on_message_complete(self) -> None:
        if not self._status:  # an interim response (RFC 9110 §15.2)
            self._headers = []
            return
        if self._waiting is not None and not self._waiting.done():
            self.is_reusable = self._can_be_kept()
            self._end()

    def _can_be_kept(self) -> bool:
        assert self._parser is not None
        is_sent = self._transport is not None and self._transport.get_write_buffer_size() == 0
        return is_sent and self._may_be_kept and self._status != 101 and self._parser.should_keep_alive()
