"""The ASGI application: HTTP's rules, then the endpoint of the path, else the pages.

Everything that HTTP demands of any request stands here and in `rules.py`, once, for pages too.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from airside.db.away import begin_request
from airside.http.answer import DEFAULT_HEADERS, Answer, send_answer
from airside.http.dispatch import Dispatch
from airside.http.endpoint import Endpoint
from airside.http.failures import explain
from airside.http.request import REQUEST, Receive, Request, Scope, Send
from airside.http.rules import (
    answer_bad_request,
    as_get,
    check_target,
    find_problem,
    readable,
    whole_body,
    without_double_slash,
)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Forwards(Protocol):
    """Answers the requests that another server has to."""

    def takes(self, scope: Scope) -> bool: ...

    async def __call__(self, request: Request, receive: Receive, send: Send) -> None: ...

    async def close(self) -> None: ...


_log = structlog.get_logger()


class Edge:
    """Serves the dispatch's endpoints by itself, and every other path by `pages`, an ASGI application.

    `enter` is called with each request first. The scope that pages get holds the request. `forward` comes before
    all of them."""

    def __init__(
        self,
        dispatch: Dispatch,
        enter: Callable[[Request], None],
        pages: Application,
        forward: Forwards | None = None,
    ) -> None:
        self._dispatch = dispatch
        self._forward = forward
        self._enter = enter
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        scope = readable(scope)
        problem = find_problem(scope)
        if problem:
            await answer_bad_request(send, problem)
            return
        if scope["path"].startswith("//"):
            scope = scope | without_double_slash(scope)
        request = Request(scope, receive)
        try:
            await self._serve(request, receive, send)
        except Exception:  # the server answers 500, but doesn't know the request's id
            _log.exception(
                "unexpected_error", request_id=request.id, method=request.method, path=request.path
            )
            raise

    async def close(self) -> None:
        """Close the connections to the server that requests were forwarded to."""
        if self._forward is not None:
            await self._forward.close()

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        begin_request()
        self._enter(request)
        if self._forward is not None and self._forward.takes(request.scope):
            await self._forward(request, receive, send)
            return
        found = self._dispatch.find(request.path)
        if found is None:
            await self._show_page(request, receive, send)
            return
        endpoint, request.parameters = found
        await send_answer(request, await answer_request(endpoint, request), send)

    async def _show_page(self, request: Request, receive: Receive, send: Send) -> None:
        scope, send = request.scope | {REQUEST: request}, with_defaults(send, request)
        if request.is_head:
            scope, receive, send = as_get(scope, receive, send)
        await self._pages(scope, whole_body(receive), send)


async def answer_request(endpoint: Endpoint, request: Request) -> Answer:
    """The endpoint's answer, or its error."""
    try:
        check_target(request)
        return await endpoint.serve(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
        return endpoint.show_error(request, explain(request, error))


def with_defaults(send: Send, request: Request) -> Send:
    """Adds the headers of every answer, unless the page has its own."""

    async def send_with_defaults(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = dict(DEFAULT_HEADERS)
            for name, _ in message["headers"]:
                headers.pop(name, None)
            added = [*headers.items(), (b"x-request-id", request.id.encode())]
            message = message | {"headers": [*message["headers"], *added]}
        await send(message)

    return send_with_defaults
