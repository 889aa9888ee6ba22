"""One HTTP request, whatever the server and the endpoint: what was sent, decoded where it is asked for."""

import os
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from airside.errors import BadRequest, Invalid, TooLarge

Scope = dict[str, Any]  # of ASGI
Receive = Any
Send = Any

REQUEST = "airside.request"  # where a scope holds its Request, for pages
ORIGIN_FORM = "airside.origin_form"  # where it says that the target was a path, not an absolute URL
REQUEST_ID_LENGTH = 64  # characters of an X-Request-ID from a proxy


class CutOff(BadRequest):
    """The client disconnected. The response is lost, but the incomplete body must not be taken for a whole one."""

    sentence = "The connection was closed before the whole body came."


class Request:
    """`method` is GET for HEAD too. `path` is decoded, without one trailing slash. `parameters` are the variable
    parts of the path. `answer_headers` are sent with the answer, also if it is an error."""

    __slots__ = (
        "_headers",
        "_query",
        "_receive",
        "answer_headers",
        "id",
        "is_head",
        "method",
        "parameters",
        "path",
        "scope",
    )

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        method, path = scope["method"], scope["path"]
        self.is_head = method == "HEAD"
        self.method: str = "GET" if self.is_head else method
        self.path: str = path[:-1] if len(path) > 1 and path[-1] == "/" else path
        self.parameters: dict[str, str] = {}
        self.answer_headers: dict[str, str] = {}
        self._query: dict[str, list[str]] | None = None
        self._headers = _index_headers(scope["headers"])
        self.id = self._choose_id()

    def _choose_id(self) -> str:
        given = self.get_header("x-request-id")
        if given is None:
            return os.urandom(8).hex()
        is_usable = len(given) <= REQUEST_ID_LENGTH and given.replace("-", "").isalnum() and given.isascii()
        return given if is_usable else os.urandom(8).hex()

    def get_header(self, name: str, /) -> str | None:
        """Its value; a repeated one is joined by commas (RFC 9110 §5.3)."""
        value = self._headers.get(encode_name(name))
        return None if value is None else value.decode("latin-1")

    @property
    def content_type(self) -> str | None:
        return self.get_header("content-type")

    @property
    def remote_addr(self) -> str:
        """The peer's address; that of this machine for a Unix socket."""
        client = self.scope.get("client")
        return client[0] if client else "127.0.0.1"

    @property
    def query_string(self) -> str:
        """As it was sent, undecoded."""
        return self.scope["query_string"].decode("latin-1")

    @property
    def query(self) -> dict[str, list[str]]:
        """Every value of each parameter, in order. An invalid encoding is replaced by U+FFFD."""
        if self._query is None:
            self._query = _parse_query(self.query_string)
        return self._query

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in parts. Raises CutOff."""
        is_more = True
        while is_more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise CutOff
            is_more = message.get("more_body", False)
            if body := message.get("body"):
                yield body

    async def read_body(self, limit: int) -> bytes:
        """The whole body. Raises TooLarge past the limit in bytes, whatever Content-Length says, and CutOff."""
        length = self.get_header("content-length")
        if length is not None and length.isdecimal() and int(length[:20]) > limit:
            raise TooLarge
        parts: list[bytes] = []
        size = 0
        async for part in self.chunks():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def read_parameters(request: Request) -> dict[str, str]:
    """Query parameters by name, the last one when repeated. Raises Invalid for values that can't be stored."""
    found: dict[str, str] = {}
    for name, values in request.query.items():
        if "\x00" in values[-1]:
            raise Invalid({name[:100]: ["Null characters and broken encodings are not allowed."]})
        found[name] = values[-1]
    return found


def _index_headers(sent: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    headers = dict(sent)
    if len(headers) < len(sent):
        joined: dict[bytes, list[bytes]] = {}
        for name, value in sent:
            joined.setdefault(name, []).append(value)
        for name, values in joined.items():
            if name not in _SINGLE:  # of these, the last one counts
                headers[name] = b",".join(values)
    return headers


_SINGLE = frozenset({b"content-length", b"content-type", b"host", b"user-agent"})


@lru_cache(256)
def encode_name(name: str) -> bytes:
    """A header's name as ASGI has it."""
    return name.lower().encode("latin-1")


def _parse_query(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not text:
        return found
    is_encoded = "%" in text or "+" in text
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if not name and not value:
            continue
        if is_encoded:
            name, value = unquote_plus(name), unquote_plus(value)
        found.setdefault(name, []).append(value)
    return found
