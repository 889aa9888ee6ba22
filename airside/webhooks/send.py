"""One POST to a receiver: through the outbound guard, limited in time and size, without following redirects."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
import structlog

from airside.errors import Refused
from airside.settings import Settings
from airside.webhooks.connection import MAX_BODY_BYTES, CutOff, NotHttp, Received
from airside.webhooks.connections import Connections, Place, Timings, Unreachable, place_of
from airside.webhooks.destinations import read_allowlist, read_destination
from airside.webhooks.names import Resolve, resolve_host

TOTAL_SECONDS = 10.0
MAX_ANSWER_BYTES = MAX_BODY_BYTES
MAX_ANSWER_HEADERS = 64
MAX_HEADER_LENGTH = 1_024

_log = structlog.get_logger("airside.webhooks")

# One message for "refused by the guard", unknown host, closed port and timeout, so that it maps no private network.
UNREACHABLE = "The address could not be reached."
NO_ANSWER = f"No response within {TOTAL_SECONDS:.0f} seconds."
CUT_OFF = "The connection was closed before an answer came."
NO_TLS = "The secure connection failed: the certificate or protocol was not accepted."
NOT_HTTP = "The answer was not understood as HTTP."


class ReceiverResponse(msgspec.Struct, kw_only=True):
    """The response. Without a `status` there was none, and `error` says why."""

    status: int | None = None
    headers: list[tuple[str, str]] = []
    retry_after: str = ""
    body: str = ""
    error: str | None = None
    address: str | None = None  # the peer's
    timings: Timings = {}
    detail: str = ""  # the reason for the operator's log, never for the app's author
    duration_ms: int = 0


class _Target(NamedTuple):
    place: Place
    head: str  # the first lines of a request to it


@lru_cache(maxsize=1024)
def _read_target(url: str) -> _Target:
    """Raises Refused."""
    target = read_destination(url)
    host = target.host_port_subcomponent
    return _Target(place_of(target), f"POST {target.raw_path_qs} HTTP/1.1\r\nHost: {host}\r\n")


class Sender:
    """Sends POST requests, over kept-alive connections."""

    def __init__(
        self, settings: Settings, *, resolve: Resolve = resolve_host, verify_tls: bool = True
    ) -> None:
        self._verify_tls = verify_tls
        self._allowlist = read_allowlist(settings)
        self._resolve = resolve

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._connections = Connections(self._allowlist, self._resolve, verify_tls=self._verify_tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.close()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, endpoint_id: str = ""
    ) -> ReceiverResponse:
        """Send once, over a connection used by no other endpoint. Never raises for what the receiver does."""
        started, timings = time.perf_counter(), Timings()
        deadline = self._loop.time() + TOTAL_SECONDS
        answer = await self._post(endpoint_id, url, headers, body, timings, deadline)
        answer.duration_ms = round((time.perf_counter() - started) * 1000)
        answer.timings = timings
        return answer

    async def _post(
        self,
        endpoint_id: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        timings: Timings,
        deadline: float,
    ) -> ReceiverResponse:
        try:
            target = _read_target(url)
            request = _write_request(target.head, headers, body)
            use = (endpoint_id, target.place)
            return _as_answer(await self._connections.post(use, request, timings, deadline))
        except (Unreachable, Refused) as error:
            timings.clear()  # they would reveal which of the causes of UNREACHABLE it was
            return _as_failed(error)
        except (NotHttp, CutOff, OSError, ValueError) as error:
            return _as_failed(error)
        except Exception as error:  # noqa: BLE001 - else it would be attempted again with every expired lease
            _log.exception("webhook_sender_broke")
            return _as_failed(error)


def _as_failed(error: Exception) -> ReceiverResponse:
    return ReceiverResponse(error=_sentence_for(error), detail=f"{type(error).__name__}: {error}"[:500])


def _write_request(head: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Raises ValueError when a header contains a line break."""
    lines = [head, *(f"{name}: {value}\r\n" for name, value in headers.items())]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    text = "".join(lines)
    if not text.count("\r") == text.count("\n") == len(headers) + 4 or "\0" in text:
        raise ValueError("a header of the request has a line break in it")
    return text.encode() + body


def _as_answer(received: Received) -> ReceiverResponse:
    retry_after = next((value for name, value in received.headers if name.lower() == b"retry-after"), b"")
    return ReceiverResponse(
        status=received.status,
        headers=[
            (_as_text(name)[:MAX_HEADER_LENGTH], _as_text(value)[:MAX_HEADER_LENGTH])
            for name, value in received.headers[:MAX_ANSWER_HEADERS]
        ],
        retry_after=_as_text(retry_after),
        body=_as_text(received.body),
        address=received.address,
    )


def _as_text(received: bytes) -> str:
    return received.decode("utf-8", "replace").replace("\0", "\ufffd")


def printable(text: str) -> str:
    """Text that both databases accept: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _sentence_for(error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return NO_TLS
        case Unreachable() | Refused():
            return UNREACHABLE
        case TimeoutError():
            return NO_ANSWER
        case NotHttp() | ValueError():
            return NOT_HTTP
        case _:
            return CUT_OFF
