"""The endpoints of an API: read the request, ask the guard, call the operation, answer with what it returns."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Any, NamedTuple, NoReturn, cast

from airside.db.large_values import is_large_answer
from airside.errors import (
    AirsideError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PageNotFound,
    UnsupportedMediaType,
)
from airside.http.answer import JSON, Answer, encode_json
from airside.http.endpoint import Endpoint, Nowhere, ShowError
from airside.http.request import Request, read_parameters
from airside.rest.body import check_body, read_json
from airside.rest.call import Call, Caller
from airside.rest.etag import tag_answer
from airside.rest.guard import Guard, check_ids, enter
from airside.rest.idempotency import Sent, answer_once, find_deletion, read_key
from airside.rest.route import Route
from airside.rest.routes import Table, list_routes
from airside.rest.wire import Wire

MAX_BODY_BYTES = 5 * 1024 * 1024  # Plane's own limit
WITH_BODY = ("POST", "PATCH", "PUT", "DELETE")


def api_endpoints(guard: Guard, wire: Wire, table: Table, show_error: ShowError) -> dict[str, Endpoint]:
    """Path → endpoint of everything in the table."""
    by_path: dict[str, dict[str, Route]] = {}
    for route in list_routes(table):
        for path in (route.path, *route.aliases):
            by_path.setdefault(path, {})[route.method] = route
    return {
        f"{wire.prefix}/{path}": ApiEndpoint(guard, wire, routes, show_error)
        for path, routes in by_path.items()
    }


class ApiEndpoint:
    """One path: picks the operation by method, asks the guard, calls the handler."""

    def __init__(self, guard: Guard, wire: Wire, routes: dict[str, Route], show_error: ShowError) -> None:
        self._guard = guard
        self._wire = wire
        self._routes = routes
        self._show_error = show_error

    async def serve(self, request: Request) -> Answer:
        """Raises what the guard and the operation raise."""
        route = self._routes.get(request.method)
        if route is None:
            self._refuse_method(request)
        check_accept(request)
        caller = await self._guard.identify(request)
        try:
            answer = await self._answer(route, caller, request)
        except Exception:
            self._guard.tally(caller, is_error=True)
            raise
        self._guard.tally(caller, is_error=False)
        self._guard.count_answer(answer.status)
        return answer

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        answer = self._show_error(request, error)
        self._guard.count_answer(answer.status)
        return answer

    def _refuse_method(self, request: Request) -> NoReturn:
        identifiers = {name for route in self._routes.values() for name in route.identifiers}
        check_ids(request.parameters, identifiers)  # pages/templates/ is 404, not a page with 405
        if all(one.is_placeholder for one in self._routes.values()):
            raise PageNotFound
        raise MethodNotAllowed(request.method, list(self._routes))

    async def _answer(self, route: Route, caller: Caller, request: Request) -> Answer:
        sent_path = dict(request.parameters)
        call, left = await self._guard.begin(route, caller, request.parameters, read_parameters(request))
        try:
            await enter(call, route)
        except NotFound:
            found = await _repeat_deletion(route, call, request, sent_path)
            if found is None:
                raise
            return found
        request.answer_headers.update(left.headers)
        self._wire.check_query(route, call.query)
        call.check_again = lambda: self._guard.check_again(route, request)
        if self._wire.only_json and request.method in WITH_BODY:
            check_content_type(request)
        key = read_key(request, route)
        value, size = await _read_value(route, request)
        work = partial(_perform, route, call, request, value)
        if key is None:
            return await work()
        return await answer_once(route, call, Sent(key, sent_path, call.query, value, size), work)


async def _read_value(route: Route, request: Request) -> tuple[Any, int]:
    """The body's JSON, and its size in bytes; nothing for an operation without one."""
    if route.method not in WITH_BODY or (route.body is None and route.method == "DELETE"):
        return dict[str, Any](), 0
    raw = await request.read_body(MAX_BODY_BYTES)
    return await read_json(raw), len(raw)


async def _repeat_deletion(route: Route, call: Call, request: Request, path: dict[str, str]) -> Answer | None:
    """The stored answer to a request that deleted what a repeat of it doesn't find."""
    key = read_key(request, route)
    if key is None:
        return None
    value, size = await _read_value(route, request)
    return await find_deletion(route, call, Sent(key, path, call.query, value, size))


async def _perform(route: Route, call: Call, request: Request, value: Any) -> Answer:
    if route.method in WITH_BODY:
        if route.bare and isinstance(value, list):
            value = {route.bare: cast(Any, value)}
        call.body = value if route.body is None else check_body(route.body, value, partial=route.partial)
    answer = await route.handler(call)
    if isinstance(answer, Streamed):
        return Answer(route.status, b"", answer.content_type, answer.headers, answer.chunks)
    if isinstance(answer, Redirect):
        return Answer(
            route.status, headers={"Location": answer.location, "Cache-Control": "private, no-store"}
        )
    sent = Answer(route.status, b"" if route.status == 204 else await encode_answer(answer))
    return await tag_answer(request, sent) if request.method == "GET" else sent


class ApiNowhere(Nowhere):
    """For paths below an API's prefix at which there is nothing; its answers are counted as the API's."""

    def __init__(self, guard: Guard, show_error: ShowError) -> None:
        super().__init__(show_error)
        self._guard = guard

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        answer = super().show_error(request, error)
        self._guard.count_answer(answer.status)
        return answer


def wire_errors(wire: Wire) -> ShowError:
    """Errors as the wire shows them."""

    def show_error(request: Request, error: AirsideError) -> Answer:
        body = encode_json(wire.error_body(error))
        return Answer(wire.error_status(error), body, wire.error_type, error.headers)

    return show_error


def api_errors(wire: Wire, resource_metadata: str) -> ShowError:
    """Errors as the wire shows them. `resource_metadata` is the URL to which a challenge refers a client (RFC 9728
    §5.1)."""
    show_bare = wire_errors(wire)
    hint = f', resource_metadata="{resource_metadata}"'

    def show_error(request: Request, error: AirsideError) -> Answer:
        answer = show_bare(request, error)
        challenge = answer.headers.get("WWW-Authenticate")
        if challenge is not None:
            answer.headers = {**answer.headers, "WWW-Authenticate": challenge + hint}
        return answer

    return show_error


async def encode_answer(answer: Any) -> bytes:
    """Encode it as JSON; a large one is encoded in a thread."""
    return await asyncio.to_thread(encode_json, answer) if is_large_answer(answer) else encode_json(answer)


class Redirect(NamedTuple):
    """A response that leads elsewhere, for its caller alone."""

    location: str


class Streamed(NamedTuple):
    """A response that is streamed."""

    content_type: str
    chunks: AsyncGenerator[bytes]
    headers: Mapping[str, str] = {}


def check_content_type(request: Request) -> None:
    """Raises UnsupportedMediaType for a body that says it isn't JSON."""
    sent = (request.get_header("content-type") or JSON).partition(";")[0].strip().lower()
    if sent != JSON and not sent.endswith("+json"):
        raise UnsupportedMediaType


def check_accept(request: Request) -> None:
    """Raises NotAcceptable for a client that doesn't accept JSON."""
    accept = request.get_header("accept")
    if accept and "*/*" not in accept and "json" not in accept and "application/*" not in accept:
        raise NotAcceptable
