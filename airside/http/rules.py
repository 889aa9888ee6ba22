"""HTTP conformance of every request (RFC 9110, RFC 9112)."""

import re
from typing import Any

from airside.db.text_rules import is_storable
from airside.errors import PageNotFound, QueryTooLong
from airside.http.answer import encode_json
from airside.http.request import CutOff, Receive, Request, Scope, Send

VERSIONS = ("1.0", "1.1", "2")  # as ASGI names them: 2 is from a server that speaks it
QUERY_LENGTH = 32_768  # characters; bounds the time in which the event loop parses a query

_HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*", re.ASCII)

_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def find_problem(scope: Scope) -> str:
    """Why this is no valid request; "" when it is one. The parser also accepts HTTP/0.9 and HTTP/2.0."""
    if scope["http_version"] not in VERSIONS:
        return "Use HTTP/1.1 or HTTP/1.0."
    return _find_host_problem(scope)


def readable(scope: Scope) -> Scope:
    """The scope with headers and client that can be read more than once, which ASGI doesn't promise, and a query in
    ASCII: some clients send UTF-8 without encoding it (RFC 3986 §2.1)."""
    if not isinstance(scope["headers"], list):
        scope = scope | {"headers": [(name, value) for name, value in scope["headers"]]}
    if not isinstance(scope.get("client"), tuple | list | None):
        scope = scope | {"client": tuple(scope["client"])}
    if not scope["query_string"].isascii():
        scope = scope | {"query_string": _NOT_ASCII.sub(_percent_encode, scope["query_string"])}
    return scope


def _percent_encode(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def _find_host_problem(scope: Scope) -> str:
    """What is wrong with the request's Host (RFC 9112 §3.2); "" when it is valid."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1:
        return "The request has more than one Host header."
    if not hosts:
        return "" if scope["http_version"] == "1.0" else "The request has no Host header."
    return "" if _HOST.fullmatch(hosts[0]) else "The request's Host header is not valid."


def check_target(request: Request) -> None:
    """Refuses paths that can't be a resource's, before a handler uses a part of one as a record's key. Raises
    PageNotFound and QueryTooLong."""
    if not is_storable(request.path):
        raise PageNotFound
    if len(request.scope["query_string"]) > QUERY_LENGTH:
        raise QueryTooLong


def without_double_slash(scope: Scope) -> dict[str, Any]:
    """Clients that join a base URL ending in a slash with a path send two slashes; no path of Airside has two."""
    return {
        "path": "/" + scope["path"].lstrip("/"),
        "raw_path": b"/" + (scope.get("raw_path") or b"").lstrip(b"/"),
    }


def as_get(scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Receive, Send]:
    """HEAD is GET without the content (RFC 9110 §9.3.2). A streamed response ends after its headers."""
    is_over = False

    async def send_head(message: Any) -> None:
        nonlocal is_over
        if message["type"] == "http.response.start":
            is_over = True
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    async def receive_end() -> Any:
        return {"type": "http.disconnect"} if is_over else await receive()

    return scope | {"method": "GET"}, receive_end, send_head


def whole_body(receive: Receive) -> Receive:
    """Raises CutOff when the client disconnects within a body."""
    is_half = False  # False before the first event, too: the application handles a disconnect then

    async def receive_whole() -> Any:
        nonlocal is_half
        message = await receive()
        if message["type"] == "http.request":
            is_half = message.get("more_body", False)
        elif is_half:
            raise CutOff
        return message

    return receive_whole


async def answer_bad_request(send: Send, sentence: str) -> None:
    body = encode_json({"error": sentence})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
