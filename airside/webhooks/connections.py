"""Connections to receivers: opened through the outbound guard, kept alive briefly, reused per endpoint and host."""

import asyncio
import socket
import ssl
import time
from collections import deque
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

import aiohappyeyeballs
from yarl import URL

from airside.webhooks.connection import Connection, CutOff, Received
from airside.webhooks.destinations import AddrInfo, Allowlist, guard_sockets
from airside.webhooks.names import Names, Resolve

CONNECT_SECONDS = (
    5.0  # shorter than an attempt's timeout, so that a silent network is reported as unreachable
)
NEXT_ADDRESS_SECONDS = 0.25  # before a name's second address is tried concurrently (RFC 8305 §5)
KEEP_ALIVE_SECONDS = 2.0  # below what servers commonly keep, so that they don't close while we reuse
MAX_IDLE = 512  # idle connections of one sender; each holds a file descriptor


class Unreachable(Exception):
    """No connection could be made."""


Timings = dict[str, int]  # milliseconds: dns, connect, first_byte; on a kept connection only the last


class Place(NamedTuple):
    """The origin that a connection goes to."""

    scheme: str
    host: str
    port: int


def place_of(url: URL) -> Place:
    return Place(url.scheme, url.raw_host or "", url.port or 0)


Use = tuple[str, Place]  # the endpoint's id, and the origin


class Connections:
    """The idle connections of one sender, and how new ones are made.

    A connection is reused only for the endpoint it was made for. A late second response then can't be taken for
    the response of another endpoint on the same host."""

    def __init__(self, allowlist: Allowlist, resolve: Resolve, *, verify_tls: bool) -> None:
        self._allowlist = allowlist
        self._verify_tls = verify_tls
        self._loop = asyncio.get_running_loop()  # kept: looking it up at every step adds up
        self._idle: dict[Use, deque[Connection]] = {}
        self._names = Names(resolve)
        self._idle_count = 0
        self._is_closed = False
        self._sweeping: asyncio.TimerHandle | None = None

    async def post(self, use: Use, request: bytes, timings: Timings, deadline: float) -> Received:
        """Send once; again on a new connection when the receiver had closed the idle one.

        Raises Unreachable, ssl.SSLError, TimeoutError, NotHttp and CutOff. `deadline` is in the loop's time."""
        kept = self._take(use)
        if kept is not None:
            try:
                return await self._ask(kept, use, request, timings, deadline)
            except CutOff as error:
                if not error.is_stale:
                    raise
        _, place = use
        made = await self._connect(place, timings, deadline)
        return await self._ask(made, use, request, timings, deadline)

    async def close(self) -> None:
        self._is_closed = True
        self._names.close()
        for waiting in self._idle.values():
            for connection in waiting:
                connection.abort()
        self._idle.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _ask(
        self, connection: Connection, use: Use, request: bytes, timings: Timings, deadline: float
    ) -> Received:
        received = await connection.ask(request, deadline)
        timings["first_byte"] = received.first_byte_ms
        if connection.is_reusable:
            self._keep(use, connection)
        return received

    def _take(self, use: Use) -> Connection | None:
        """The most recently used idle connection, or None."""
        waiting = self._idle.get(use)
        while waiting:
            connection = waiting.pop()
            self._idle_count -= 1
            if connection.is_idle() and not self._is_old(connection):
                return connection
            connection.abort()
        return None

    def _keep(self, use: Use, connection: Connection) -> None:
        if self._is_closed or self._idle_count >= MAX_IDLE:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        self._idle_count += 1
        self._idle.setdefault(use, deque()).append(connection)
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(KEEP_ALIVE_SECONDS, self._sweep)

    def _is_old(self, connection: Connection) -> bool:
        return self._loop.time() - connection.idle_since >= KEEP_ALIVE_SECONDS

    def _sweep(self) -> None:
        """Close idle connections that have expired; reschedules itself while any are left."""
        for use, waiting in list(self._idle.items()):
            while waiting and self._is_old(waiting[0]):
                waiting.popleft().abort()
                self._idle_count -= 1
            if not waiting:
                del self._idle[use]
        self._sweeping = self._loop.call_later(KEEP_ALIVE_SECONDS, self._sweep) if self._idle else None

    async def _connect(self, place: Place, timings: Timings, deadline: float) -> Connection:
        """Raises Unreachable and ssl.SSLError."""
        try:
            async with asyncio.timeout_at(min(deadline, self._loop.time() + CONNECT_SECONDS)):
                infos = await self._locate(place, timings)
                begun = time.perf_counter()
                sock = await aiohappyeyeballs.start_connection(  # pyright: ignore[reportUnknownMemberType]
                    infos,
                    happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
                    interleave=1,
                    socket_factory=guard_sockets(self._allowlist, is_named=self._allowlist.names(place.host)),
                )
                connection = await self._open(place, sock)
        except ssl.SSLError:
            raise
        except (OSError, RuntimeError) as error:  # which uvloop raises where asyncio raises OSError
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        timings["connect"] = _ms_since(begun)
        return connection

    async def _open(self, place: Place, sock: socket.socket) -> Connection:
        is_secure = place.scheme == "https"
        try:
            _, connection = await self._loop.create_connection(
                Connection,
                sock=sock,
                ssl=_tls_context(self._verify_tls) if is_secure else None,
                server_hostname=place.host if is_secure else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection

    async def _locate(self, place: Place, timings: Timings) -> list[AddrInfo]:
        if _is_address(place.host):
            return [_as_info(place.host, place.port)]
        begun = time.perf_counter()
        found = await self._names.locate(place.host)
        timings["dns"] = _ms_since(begun)
        return [_as_info(address, place.port) for address in found]


def _ms_since(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _as_info(address: str, port: int) -> AddrInfo:
    """In the format of `getaddrinfo`. Without a zone (RFC 4007), since the guard refuses every zone."""
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


@cache
def _tls_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
