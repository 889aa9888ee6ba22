"""Forwards a request to the Community Edition by stream, in both directions, and its answer unchanged.

No more than a few chunks of a body are in memory: each side is read as fast as the other takes it."""

from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import aiohttp
import structlog
from yarl import URL

from airside.audit.sources import client_address
from airside.gateway.client import Unreachable, UpstreamSlow
from airside.gateway.headers import for_client, for_upstream
from airside.gateway.targets import METHODS, has_own_key, is_normal, key_values, raw_path
from airside.http.answer import Answer, encode_json, send_answer
from airside.http.request import CutOff, Receive, Request, Scope, Send
from airside.settings import Settings

CONNECT_SECONDS = 10
SILENT_SECONDS = 120  # without a byte of the answer, while the request is complete
CHUNK_BYTES = 65_536
OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # that aiohttp must not add

_log = structlog.get_logger()


class Forwarder:
    """To the one instance that the operator named."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._upstream = settings.upstream_api_origin
        public = urlsplit(settings.origin)
        self._scheme, self._host = public.scheme, public.netloc
        self._client: aiohttp.ClientSession | None = None

    def takes(self, scope: Scope) -> bool:
        return has_own_key(scope)

    async def __call__(self, request: Request, receive: Receive, send: Send) -> None:
        refusal = _find_refusal(request)
        if refusal is not None:
            await send_answer(request, refusal, send)
            return
        try:
            response = await self._ask(request, receive)
        except Unreachable as failure:
            _log.warning("upstream_unreachable", request_id=request.id, reason=failure.sentence)
            body = encode_json({"error": failure.sentence})
            await send_answer(request, Answer(failure.status, body, headers=failure.headers), send)
            return
        await _send_response(response, send)

    async def _ask(self, request: Request, receive: Receive) -> aiohttp.ClientResponse:
        """The answer's head. Raises Unreachable."""
        scope = request.scope
        path, query = raw_path(scope).decode("ascii"), scope["query_string"].decode("ascii")
        url = URL(f"{self._upstream}{path}{'?' * bool(query)}{query}", encoded=True)
        address = client_address(request, self._settings)
        headers = for_upstream(scope["headers"], self._host, self._scheme, address)
        body = _read_chunks(receive) if _has_body(request) else None
        try:
            return await self._open_client().request(
                scope["method"], url, headers=headers, data=body, allow_redirects=False
            )
        except TimeoutError:
            raise UpstreamSlow from None
        except aiohttp.ClientError as failure:
            if isinstance(failure.__cause__, CutOff):
                raise failure.__cause__ from None
            raise Unreachable from None

    def _open_client(self) -> aiohttp.ClientSession:
        """Made in the event loop that serves."""
        if self._client is None:
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS
            )
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=OWN_HEADERS,
                timeout=timeout,
                read_bufsize=CHUNK_BYTES,
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _find_refusal(request: Request) -> Answer | None:
    """In the words of the instance, which never sees these requests."""
    scope = request.scope
    if scope["method"] not in METHODS:
        sentence = f'Method "{scope["method"]}" not allowed.'
        return Answer(405, encode_json({"detail": sentence}), headers={"Allow": ", ".join(METHODS)})
    if len(key_values(scope)) > 1:
        return Answer(400, encode_json({"error": "Send one X-API-Key."}))
    return None if is_normal(scope) else Answer(404, encode_json({"error": "Page not found."}))


def _has_body(request: Request) -> bool:
    length = request.get_header("content-length")
    return request.get_header("transfer-encoding") is not None or length not in (None, "0")


async def _read_chunks(receive: Receive) -> AsyncGenerator[bytes]:
    """The client's body as it comes. Raises CutOff: a body that ends early is never sent as a whole one."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CutOff
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


async def _send_response(response: aiohttp.ClientResponse, send: Send) -> None:
    """A failure in the middle ends the client's connection, since the answer isn't whole."""
    async with response:
        headers = for_client(response.raw_headers)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
