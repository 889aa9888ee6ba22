"""One POST to somebody else's server: guarded, bounded in time and size, following nothing."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from airside.errors import Refused
from airside.settings import Settings
from airside.webhooks.destinations import AddrInfo, guard_sockets, read_allowlist, read_destination

SocketFactory = Callable[[AddrInfo], socket.socket]

TOTAL_SECONDS = 10.0
CONNECT_SECONDS = 5.0  # shorter than the whole, so that a silent network is told as unreachable
MAX_ANSWER_BYTES = 65_536
MAX_ANSWER_HEADERS = 64
MAX_HEADER_LENGTH = 1_024
KEEP_ALIVE_SECONDS = 2.0  # below what servers commonly keep, so that they don't close as we reuse

# One sentence for refused by the guard, unknown host, closed port and silence: no map of a private network.
UNREACHABLE = "The address could not be reached."
NO_ANSWER = f"No answer came within {TOTAL_SECONDS:.0f} seconds."
CUT_OFF = "The connection was closed before an answer came."
NO_TLS = "The secure connection failed: the certificate or protocol was not accepted."
NOT_HTTP = "The answer was not understood as HTTP."


class Answer(msgspec.Struct, kw_only=True):
    """What came back. Without a `status` nothing did, and `error` says why."""

    status: int | None = None
    headers: list[tuple[str, str]] = []
    retry_after: str = ""
    body: str = ""
    error: str | None = None
    address: str | None = None  # that was connected to
    timings: dict[str, int] = {}  # milliseconds: dns, connect, first_byte; on a kept connection only the last
    detail: str = ""  # the reason for the operator's log, never for the app's author
    duration_ms: int = 0


class Trip:
    """How long the parts of one request took."""

    def __init__(self) -> None:
        self.timings: dict[str, int] = {}
        self._begun: dict[str, float] = {}

    def begin(self, part: str) -> None:
        self._begun.setdefault(part, time.perf_counter())

    def end(self, part: str) -> None:
        if part in self._begun:
            self.note(part, self._begun[part])

    def note(self, part: str, since: float) -> None:
        self.timings[part] = round((time.perf_counter() - since) * 1000)


# The trip of the request that this task is about; aiohttp's own tracing makes each a sixth dearer.
_trip: ContextVar[Trip | None] = ContextVar("trip", default=None)


class _Response(aiohttp.ClientResponse):
    """Made when there is a connection; keeps its address, for it may be given back before anybody can ask."""

    address: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (trip := _trip.get()) is not None:
            trip.end("connect")

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        self.address = str(peer[0]) if isinstance(peer, tuple) else None
        return await super().start(connection)


class _TimedResolver(AbstractResolver):
    """Notes how long a name took."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        begun = time.perf_counter()
        found = await self._resolver.resolve(host, port, family)
        if (trip := _trip.get()) is not None:
            trip.note("dns", begun)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _time_sockets(make_socket: SocketFactory) -> SocketFactory:
    """Notes when connecting began; a second address that is tried goes on with the first one's time."""

    def make(info: AddrInfo) -> socket.socket:
        if (trip := _trip.get()) is not None:
            trip.begin("connect")
        return make_socket(info)

    return make


class Sender:
    """Open connections to receivers. One for hosts that the operator named, one for all others."""

    def __init__(
        self, settings: Settings, *, resolver: AbstractResolver | None = None, verify_tls: bool = True
    ) -> None:
        self._verify_tls = verify_tls
        self._allowlist = read_allowlist(settings)
        self._resolver = resolver

    async def __aenter__(self) -> Self:
        self._guarded = self._open(is_named=False)
        self._named = self._open(is_named=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._guarded.close()
        await self._named.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send once. Never raises for what the other side does."""
        started, trip = time.perf_counter(), Trip()
        _trip.set(trip)
        answer = await self._post(url, headers, body, trip, asyncio.get_running_loop().time() + TOTAL_SECONDS)
        answer.duration_ms = round((time.perf_counter() - started) * 1000)
        answer.timings = trip.timings
        return answer

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, trip: Trip, deadline: float
    ) -> Answer:
        sent = time.perf_counter()
        try:
            target = read_destination(url)
            async with asyncio.timeout_at(deadline):
                response = await self._session_for(target).post(
                    target, data=body, headers=headers, allow_redirects=False
                )
        except (aiohttp.ClientError, OSError, Refused, ValueError) as error:
            return Answer(error=_sentence_for(error), detail=f"{type(error).__name__}: {error}"[:500])
        trip.note("first_byte", sent)
        try:
            answer = await _read_answer(response, deadline)
            answer.address = response.address if isinstance(response, _Response) else None
            return answer
        finally:
            response.close() if not response.content.at_eof() else response.release()

    def _session_for(self, target: URL) -> aiohttp.ClientSession:
        return self._named if self._allowlist.names(target.raw_host or "") else self._guarded

    def _open(self, *, is_named: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # the queue bounds how much is under way
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            resolver=_TimedResolver(self._resolver or aiohttp.DefaultResolver()),
            socket_factory=_time_sockets(guard_sockets(self._allowlist, is_named=is_named)),
            ssl=self._verify_tls,
        )
        return aiohttp.ClientSession(
            connector=connector,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )


async def _read_answer(response: aiohttp.ClientResponse, deadline: float) -> Answer:
    kept = list(response.headers.items())[:MAX_ANSWER_HEADERS]
    return Answer(
        status=response.status,
        headers=[(printable(name), printable(value[:MAX_HEADER_LENGTH])) for name, value in kept],
        retry_after=response.headers.get("Retry-After", ""),
        body=printable((await _read_capped(response, deadline)).decode("utf-8", "replace")),
    )


async def _read_capped(response: aiohttp.ClientResponse, deadline: float) -> bytes:
    """What came of the body until the cap, the deadline or a broken connection: the status is the answer."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            while chunk := await response.content.read(MAX_ANSWER_BYTES - len(body)):
                body += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return bytes(body)


def printable(text: str) -> str:
    """Text that both databases take: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _sentence_for(error: Exception) -> str:
    match error:
        case aiohttp.ClientSSLError():
            return NO_TLS
        case (
            aiohttp.ClientConnectorError()
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.InvalidURL()
            | Refused()
        ):
            return UNREACHABLE
        case TimeoutError():
            return NO_ANSWER
        case aiohttp.ClientResponseError() | ValueError():
            return NOT_HTTP
        case _:
            return CUT_OFF
