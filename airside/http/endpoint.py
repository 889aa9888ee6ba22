"""What answers at one path: handlers by method, and the shape of its errors."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from airside.errors import AirsideError, MethodNotAllowed, PageNotFound
from airside.http.answer import Answer, encode_json
from airside.http.request import Request

Handler = Callable[[Request], Awaitable[Answer]]
ShowError = Callable[[Request, AirsideError], Answer]


class Endpoint(Protocol):
    """Serves every request for one path, or for all below a prefix."""

    async def serve(self, request: Request) -> Answer:
        """May raise anything; the edge shows it by `show_error`."""
        ...

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        """The error in the format of this endpoint's clients."""
        ...


def show_json(request: Request, error: AirsideError) -> Answer:
    """The error as a sentence, for what isn't an API."""
    return Answer(error.status, encode_json({"error": error.sentence}), headers=error.headers)


class Methods:
    """An endpoint with a handler for each of its methods."""

    def __init__(self, handlers: Mapping[str, Handler], show_error: ShowError = show_json) -> None:
        self.methods = list(handlers)
        self._handlers = handlers
        self._show_error = show_error

    async def serve(self, request: Request) -> Answer:
        """OPTIONS names the methods. Raises MethodNotAllowed for any other."""
        handler = self._handlers.get(request.method)
        if handler is not None:
            return await handler(request)
        refusal = MethodNotAllowed(request.method, [*self.methods, "OPTIONS"])
        if request.method == "OPTIONS":
            return Answer(headers=refusal.headers)
        raise refusal

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        return self._show_error(request, error)


class Nowhere:
    """For the paths below a prefix at which there is nothing."""

    def __init__(self, show_error: ShowError = show_json) -> None:
        self._show_error = show_error

    async def serve(self, request: Request) -> Answer:
        """Raises PageNotFound."""
        raise PageNotFound

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        return self._show_error(request, error)
