"""The endpoints of /api/v1: read the request, ask the guard, call the operation, send what it returns."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import falcon.asgi
import msgspec

from airside.db.large_values import is_large_answer
from airside.errors import Invalid, MethodNotAllowed, NotAcceptable, PageNotFound, TooLarge
from airside.rest.body import check_body, read_json
from airside.rest.call import Caller
from airside.rest.guard import Guard, check_ids
from airside.rest.resource import Route
from airside.rest.routes import PREFIX, Table, list_routes

MAX_BODY_BYTES = 5 * 1024 * 1024  # Plane's own limit
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_encode = msgspec.json.Encoder().encode


def mount(app: falcon.asgi.App[Any, Any], guard: Guard, table: Table) -> None:
    """Serve the table below /api/v1."""
    by_path: dict[str, dict[str, Route]] = {}
    for route in list_routes(table):
        for path in (route.path, *route.aliases):
            by_path.setdefault(path, {})[route.method] = route
    for path, routes in by_path.items():
        app.add_route(f"{PREFIX}/{path}", Endpoint(guard, routes))


class Endpoint:
    """One path: picks the operation by method, asks the guard, calls the handler, sends its result."""

    def __init__(self, guard: Guard, routes: dict[str, Route]) -> None:
        self._guard = guard
        self._routes = routes
        for method in METHODS:
            setattr(self, f"on_{method.lower()}", self._serve)

    async def _serve(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **path: str) -> None:
        route = self._routes.get(req.method)
        if route is None:
            check_ids(path)  # pages/templates/ is 404, not a page with 405
            if all(one.is_placeholder for one in self._routes.values()):
                raise PageNotFound
            raise MethodNotAllowed(req.method, list(self._routes))
        check_accept(req)
        caller = await self._guard.identify(read_credentials(req))
        try:
            await self._answer(route, caller, req, resp, path)
        except Exception:
            self._guard.tally(caller, is_error=True)
            raise
        self._guard.tally(caller, is_error=False)

    async def _answer(
        self,
        route: Route,
        caller: Caller,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        path: dict[str, str],
    ) -> None:
        call, left = await self._guard.admit(route, caller, path, read_query(req))
        resp.set_headers(left.headers)
        call.check_again = lambda: self._guard.check_again(route, read_credentials(req), path)
        if req.method in ("POST", "PATCH", "PUT", "DELETE"):
            value = await read_json(await read_body(req)) if route.body or req.method != "DELETE" else {}
            call.body = value if route.body is None else check_body(route.body, value, partial=route.partial)
        answer = await route.handler(call)
        if isinstance(answer, Redirect):
            resp.status = 302
            resp.set_header("Location", answer.location)
            return
        resp.status = route.status
        if isinstance(answer, Streamed):
            resp.content_type = answer.content_type
            resp.set_headers(answer.headers)
            resp.stream = answer.chunks
        elif route.status != 204:
            resp.content_type = "application/json"
            resp.data = await encode_answer(answer)


async def encode_answer(answer: Any) -> bytes:
    """Encode it as JSON; a large one is encoded in a thread."""
    return await asyncio.to_thread(_encode, answer) if is_large_answer(answer) else _encode(answer)


def read_credentials(req: falcon.asgi.Request) -> dict[str, str | None]:
    return {"authorization": req.get_header("authorization"), "x-api-key": req.get_header("x-api-key")}


class Redirect(msgspec.Struct, frozen=True):
    """A response that redirects the client."""

    location: str


class Streamed(NamedTuple):
    """A response that is streamed."""

    content_type: str
    chunks: AsyncIterator[bytes]
    headers: Mapping[str, str] = {}


def read_query(req: falcon.asgi.Request) -> dict[str, str]:
    """Query parameters by name, the last one when repeated. Raises Invalid for values that can't be stored."""
    found: dict[str, str] = {}
    for name, value in req.params.items():
        text = value[-1] if isinstance(value, list) else value
        if "\x00" in text or not _is_encodable(text):
            raise Invalid({name[:100]: ["Null characters and broken encodings are not allowed."]})
        found[name] = text
    return found


async def read_body(req: falcon.asgi.Request) -> bytes:
    """The whole body. Raises TooLarge past 5 MiB, whatever Content-Length claims."""
    length = req.content_length
    if length is not None and length > MAX_BODY_BYTES:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in req.stream:
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def check_accept(req: falcon.asgi.Request) -> None:
    """Raises NotAcceptable for a client that doesn't accept JSON."""
    accept = req.get_header("accept")
    if accept and "*/*" not in accept and "json" not in accept and "application/*" not in accept:
        raise NotAcceptable


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
