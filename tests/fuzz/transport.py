"""A session of `requests` that calls an ASGI application in this process, on an event loop of the caller's."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

ORIGIN = "http://airside.example"


class AsgiAdapter(HTTPAdapter):
    """Answers requests by calling the application."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        super().__init__()
        self._app, self._runner = app, runner

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        sent: list[dict[str, Any]] = []
        self._runner.run(self._call(scope_of(request), body_of(request), sent))
        head, *rest = sent
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head["headers"]]
        raw = urllib3.HTTPResponse(
            io.BytesIO(b"".join(part.get("body", b"") for part in rest)),
            headers=urllib3.HTTPHeaderDict(headers),
            status=head["status"],
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)

    async def _call(self, scope: Mapping[str, Any], body: bytes, sent: list[dict[str, Any]]) -> None:
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Mapping[str, Any]:
            for part in parts:
                return part
            return await asyncio.Future()  # the client stays connected

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)


def session_of(app: Any, runner: asyncio.Runner, authorization: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount(ORIGIN, AsgiAdapter(app, runner))
    session.headers["Authorization"] = authorization
    return session


def scope_of(request: requests.PreparedRequest) -> dict[str, Any]:
    url = urlsplit(request.url or "")
    headers = {"Host": url.netloc, **request.headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(to_bytes(name).lower(), to_bytes(value)) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


def body_of(request: requests.PreparedRequest) -> bytes:
    return to_bytes(request.body or b"")


def to_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8")
