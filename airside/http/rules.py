"""HTTP conformance of every request, checked before the application (RFC 9110, RFC 9112)."""

import re
from typing import Any

import msgspec
import structlog

from airside.errors import BadRequest

Scope = Any
Receive = Any
Send = Any

VERSIONS = ("1.0", "1.1")
HEAD = "airside.head"  # in the scope of a HEAD that is handled as GET, for handlers of one-time links

_HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*", re.ASCII)

_log = structlog.get_logger()


class CutOff(BadRequest):
    """The client disconnected. The response is lost, but the incomplete body must not be taken for a whole one."""

    sentence = "The connection was closed before the whole body came."


class HttpRules:
    """ASGI middleware: requires one Host, collapses leading slashes, HEAD as GET, no partial bodies."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = find_version_problem(scope) or find_host_problem(scope)
        if problem:
            await answer_bad_request(send, problem)
            return
        if scope["path"].startswith("//"):
            scope = scope | _without_double_slash(scope)
        if scope["method"] == "HEAD":
            scope, receive, send = as_get(scope, receive, send)
        try:
            await self._app(scope, whole_body(receive), send)
        except Exception:
            _log.exception("unexpected_error", method=scope["method"], path=scope["path"])
            raise


def find_version_problem(scope: Scope) -> str:
    """The parser also accepts HTTP/0.9 and HTTP/2.0."""
    return "" if scope["http_version"] in VERSIONS else "Use HTTP/1.1 or HTTP/1.0."


def find_host_problem(scope: Scope) -> str:
    """What is wrong with the request's Host (RFC 9112 §3.2); "" when it is valid."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1:
        return "The request has more than one Host header."
    if not hosts:
        return "" if scope["http_version"] == "1.0" else "The request has no Host header."
    return "" if _HOST.fullmatch(hosts[0]) else "The request's Host header is not valid."


def _without_double_slash(scope: Scope) -> dict[str, Any]:
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

    return scope | {"method": "GET", HEAD: True}, receive_end, send_head


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
    body = msgspec.json.encode({"error": sentence})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
