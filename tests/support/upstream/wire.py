"""One request, one answer, and the refusals in the words of a Community Edition."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from tests.support.upstream.site import Site
from tests.support.upstream.store import Row

FORM = "application/x-www-form-urlencoded"


class Refusal(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = [(name.replace("_", "-"), value) for name, value in headers.items()]


def page_not_found() -> Refusal:
    return Refusal(404, {"error": "Page not found."})


def missing() -> Refusal:
    return Refusal(404, {"error": "The requested resource does not exist."})


def unauthenticated(**headers: str) -> Refusal:
    return Refusal(401, {"detail": "Authentication credentials were not provided."}, **headers)


def forbidden() -> Refusal:
    """As API v1 says it."""
    return Refusal(403, {"detail": "You do not have permission to perform this action."})


def not_permitted() -> Refusal:
    """As the internal API says it."""
    return Refusal(403, {"error": "You don't have the required permissions."})


def invalid_payload() -> Refusal:
    return Refusal(400, {"error": "The payload is not valid"})


def broken() -> Refusal:
    """What a Community Edition answers where its code fails."""
    return Refusal(500, {"error": "Something went wrong please try again later"})


def unreadable_body() -> Refusal:
    return Refusal(500, {"error": "An unexpected error occurred"})


@dataclass
class Answer:
    body: Any = None  # bytes and text as they are, None for no body, anything else as JSON
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)


def no_content() -> Answer:
    return Answer(status=204)


def redirect(location: str, *headers: tuple[str, str]) -> Answer:
    return Answer("", 302, [("Location", location), *headers])


@dataclass
class Call:
    """A request, with what the path and the credential said."""

    site: Site
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    client: str
    params: dict[str, str] = field(default_factory=dict)
    user: Row = field(default_factory=dict)  # the caller; empty where no credential is needed
    budget: tuple[int, int] | None = None  # requests that remain, and when there are more

    @staticmethod
    def parse_query(text: bytes) -> dict[str, str]:
        return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object; of a form, lists of values in API v1 and values elsewhere."""
        if self.headers.get("content-type", "").startswith(FORM):
            return {n: [v] for n, v in self.form.items()} if self.is_v1 else dict(self.form)
        if not self.raw:
            return {}
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise unreadable_body()
        try:
            decoded = json.loads(self.raw)
        except ValueError:
            raise unreadable_body() from None
        if not isinstance(decoded, dict):
            raise unreadable_body()
        return decoded

    @cached_property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def is_v1(self) -> bool:
        return self.path.startswith("/api/v1/")

    @property
    def scheme(self) -> str:
        return self.headers.get("x-forwarded-proto", "http")

    @property
    def origin(self) -> str:
        """The public origin as the request names it; X-Forwarded-Host is ignored."""
        return f"{self.scheme}://{self.headers.get('host', '')}"


def encode(value: Any, timezone: str = "UTC") -> bytes:
    """JSON with times in the reader's time zone."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)

    def render(other: Any) -> str:
        if isinstance(other, datetime):
            return other.astimezone(zone).isoformat().replace("+00:00", "Z")
        if isinstance(other, date):
            return other.isoformat()
        raise TypeError(type(other))

    return json.dumps(value, default=render, ensure_ascii=False, separators=(",", ":")).encode()
