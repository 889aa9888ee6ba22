"""Headers of every response, and error responses: JSON for clients, a page for people."""

import errno
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

import falcon
import msgspec
import structlog
from falcon.asgi import Request, Response

from airside.audit.sources import enter_request
from airside.db.away import DatabaseAway, OutcomeUnknown, Unwritable, begin_request, has_committed
from airside.db.text_rules import is_storable
from airside.errors import (
    AirsideError,
    BadRequest,
    MaybeDone,
    MethodNotAllowed,
    PageNotFound,
    QueryTooLong,
    TooLarge,
    Unavailable,
)
from airside.identity.proxies import UntrustedProxies
from airside.oauth.errors import OwnFailure
from airside.oauth.token import answer_error
from airside.rest.guard import check_ids
from airside.runtime.site import Site

ShowError = Callable[[Request, Response, AirsideError], Awaitable[None]]

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode

# Pages replace these by their own; everything else is data, which no browser should run or frame.
DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
OWN_INSTALLATION = "/auth/o/app-installation"  # below OAuth's path, but with the API's error format
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)  # for an uploaded file
QUERY_LENGTH = 32_768  # characters; bounds the time in which the event loop parses a query
REQUEST_ID_LENGTH = 64  # characters of an X-Request-ID from a proxy


class Envelope:
    """Adds a request id and security headers to every response."""

    async def process_request(self, req: Request, resp: Response) -> None:
        given = req.get_header("x-request-id") or ""
        is_usable = len(given) <= REQUEST_ID_LENGTH and given.replace("-", "").isalnum() and given.isascii()
        req.context.request_id = given if is_usable else os.urandom(8).hex()
        begin_request()
        resp.set_headers(DEFAULT_HEADERS)  # first, so that handlers can replace them
        resp.set_header("X-Request-ID", req.context.request_id)


class Addresses:
    """Refuses paths that can't be a resource's, before a handler uses a part of one as a record's key."""

    async def process_request(self, req: Request, resp: Response) -> None:
        if not is_storable(req.path):
            raise PageNotFound
        if len(req.query_string) > QUERY_LENGTH:
            raise QueryTooLong

    async def process_resource(self, req: Request, resp: Response, resource: Any, params: Any) -> None:
        """Ids are UUIDs. The API's guard checks that itself, after authentication."""
        if not req.path.startswith("/api/"):
            check_ids(params)


class RequestSource:
    """Stores where the request comes from, for rate limits, sessions and the audit log."""

    def __init__(self, site: Site) -> None:
        self._settings = site.settings
        self._untrusted = UntrustedProxies(site)

    async def process_request(self, req: Request, resp: Response) -> None:
        enter_request(req, self._settings)
        self._untrusted.notice(req)


class Errors:
    """Error responses: in the wire format for clients, as a page for people."""

    def __init__(self, show_error: ShowError | None, resource_metadata: str = "") -> None:
        """`resource_metadata` is the URL that a challenge refers a client to (RFC 9728 §5.1)."""
        self._show_error = show_error
        self._hint = f', resource_metadata="{resource_metadata}"' if resource_metadata else ""

    async def answer(self, req: Request, resp: Response, error: AirsideError, params: Any) -> None:
        resp.status = error.status
        resp.set_headers(self._add_hint(error.headers))
        if self._show_error is not None and is_page(req):
            await self._show_error(req, resp, error)
            return
        resp.text = None
        if error.status >= 500 and is_oauth(req):
            answer_error(resp, OwnFailure(error.status, error.sentence, error.headers))
            return
        resp.content_type = "application/json"
        resp.data = _encode(error.body)

    def _add_hint(self, headers: dict[str, str]) -> dict[str, str]:
        challenge = headers.get("WWW-Authenticate")
        return headers if challenge is None else headers | {"WWW-Authenticate": challenge + self._hint}

    async def answer_http(self, req: Request, resp: Response, error: falcon.HTTPError, params: Any) -> None:
        await self.answer(req, resp, as_airside_error(req, error), params)

    async def answer_unexpected(self, req: Request, resp: Response, error: Exception, params: Any) -> None:
        log.error(
            "unexpected_error",
            request_id=req.context.request_id,
            method=req.method,
            path=req.path,  # never the query: it may hold a code
            exc_info=error,
        )
        await self.answer(req, resp, AirsideError(), params)

    async def answer_os_error(self, req: Request, resp: Response, error: OSError, params: Any) -> None:
        """503 when the disk has no room for an upload; every other OSError is unexpected."""
        if error.errno not in NO_ROOM:
            await self.answer_unexpected(req, resp, error, params)
            return
        log.warning("disk_unwritable", request_id=req.context.request_id, reason=error.strerror)
        await self.answer(req, resp, Unavailable(Unwritable.sentence), params)

    async def answer_away(self, req: Request, resp: Response, error: DatabaseAway, params: Any) -> None:
        """503 when the database is unavailable (`db/` logs that); 500 for a write whose outcome is unknown."""
        is_unclear = isinstance(error, OutcomeUnknown) or has_committed()
        if req.method in SAFE_METHODS or not is_unclear:
            await self.answer(req, resp, Unavailable(error.sentence), params)
            return
        log.warning("outcome_unknown", request_id=req.context.request_id, method=req.method, path=req.path)
        await self.answer(req, resp, MaybeDone(), params)


def as_airside_error(req: Request, error: falcon.HTTPError) -> AirsideError:
    """The framework's error in the wire format."""
    match error.status_code:
        case 404:
            return PageNotFound()
        case 405:
            return MethodNotAllowed(req.method, cast(dict[str, str], error.headers)["Allow"].split(", "))
        case 413:
            return TooLarge()
        case status:
            sentence = error.description or error.title
            found = BadRequest(sentence) if status < 500 else AirsideError()
            found.status = status
            return found


def is_page(req: Request) -> bool:
    """Whether the response is for a person, so that an error is shown as a page."""
    path = req.path
    return not path.startswith(("/api/", "/metrics")) and (
        not path.startswith("/auth/o/") or path.startswith("/auth/o/authorize")
    )


def is_oauth(req: Request) -> bool:
    """Whether the response is for an OAuth client, so that an error has the RFC's format."""
    path = req.path
    return path.startswith("/auth/o/") and not is_page(req) and path.rstrip("/") != OWN_INSTALLATION
