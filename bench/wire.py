"""One HTTP request as bytes, sent once and checked, or handed to the load generator to repeat."""

import base64
import http.client
import json
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """A request to a server on this machine; `target` is path and query."""

    target: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: str = ""

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"


class UnexpectedAnswer(Exception):
    """A server answered, but not as the measurement needs."""


def bearer_get(token: str, target: str) -> Request:
    return Request(target, {"Authorization": f"Bearer {token}"})


def token_request(client_id: str, client_secret: str, form: str) -> Request:
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    return Request("/auth/o/token/", headers, form)


def json_post(token: str, target: str, body: dict[str, Any]) -> Request:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Request(target, headers, json.dumps(body))


def as_bytes(request: Request, port: int) -> bytes:
    """The request as it goes over a connection that is kept open."""
    lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body:
        lines.append(f"Content-Length: {len(request.body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + request.body).encode()


def ask(request: Request, port: int, accepted: tuple[int, ...] = (200, 201)) -> dict[str, Any]:
    """Send once, on a connection of its own; the answer's JSON object.

    OSError or HTTPException when nobody answers, UnexpectedAnswer for any other status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(request.method, request.target, request.body or None, request.headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status not in accepted:
        raise UnexpectedAnswer(f"{request.method} {request.target}: {answer.status} {text[:500]!r}")
    return json.loads(text)
