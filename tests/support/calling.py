"""Requests straight into an ASGI application, byte for byte: no client normalizes them.

answer = await call(app, "GET", "/api/v1/users/%00/", headers=[(b"x-api-key", b"…")])
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

Header = tuple[bytes, bytes]


class Called(NamedTuple):
    """A response, with the attribute names of the contract suite's clients."""

    status_code: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def call(
    app: Callable[..., Any],
    method: str,
    path: str,
    query: str = "",
    headers: Sequence[Header] = (),
    body: bytes = b"",
    client: str = "127.0.0.1",
) -> Called:
    """`path` and `query` are percent-encoded. An endless response is abandoned after its first part."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.1"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000"), *headers],
        "client": (client, 40_000),
        "server": ("127.0.0.1", 8000),
    }
    exchange = _Exchange(body)
    await app(scope, exchange.receive, exchange.send)
    return Called(exchange.status, exchange.headers, b"".join(exchange.parts))


class _Exchange:
    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in event["headers"]
            }
        else:
            self.parts.append(event.get("body", b""))
            self._gone.set()  # the client disconnects, whatever more there is
