"""POST /auth/o/token/: parse the request, dispatch on grant_type, encode the reply."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from falcon.asgi import Request, Response

from airside.identity.sources import client_address, guesser
from airside.oauth.clients import Credentials, read_credentials
from airside.oauth.errors import OAuthError, UnsupportedGrantType
from airside.oauth.grants.authorization_code import redeem_code
from airside.oauth.grants.bot_token import issue_bot_token
from airside.oauth.grants.device_code import DEVICE_CODE, redeem_device_code
from airside.oauth.grants.refresh_token import refresh
from airside.oauth.parameters import Parameters, read_body, require
from airside.runtime.site import Site

GRANTS: dict[str, Callable[[Site, Credentials, Parameters], Awaitable[dict[str, Any]]]] = {
    "authorization_code": redeem_code,
    "client_credentials": issue_bot_token,
    "refresh_token": refresh,
    DEVICE_CODE: redeem_device_code,
}
NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1

_encode = msgspec.json.Encoder().encode


class TokenEndpoint:
    """Only POST; query parameters are ignored (RFC 6749 §3.2)."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_post(self, req: Request, resp: Response) -> None:
        try:
            body = await read_body(req)
            grant = _pick_grant(body)
            reply = await grant(self._site, find_credentials(self._site, req, body), body)
        except OAuthError as error:
            self._site.counters.add("airside_oauth_token_requests", error.code)
            answer_error(resp, error)
        else:
            self._site.counters.add("airside_oauth_token_requests", "issued")
            answer(resp, reply)


def find_credentials(site: Site, req: Request, body: Parameters) -> Credentials:
    """The client credentials of the request, with its source address."""
    source = guesser(client_address(req, site.settings))
    return read_credentials(req.get_header("Authorization"), body, source)


def answer(resp: Response, reply: dict[str, Any]) -> None:
    resp.set_headers(NEVER_STORED)
    resp.content_type = "application/json"
    resp.data = _encode(reply)


def answer_error(resp: Response, error: OAuthError) -> None:
    answer(resp, error.body)
    resp.status = error.status
    resp.set_headers(error.headers)


def _pick_grant(body: Parameters) -> Callable[[Site, Credentials, Parameters], Awaitable[dict[str, Any]]]:
    grant = GRANTS.get(require(body, "grant_type"))
    if grant is None:
        raise UnsupportedGrantType(f"The grant types are {', '.join(GRANTS)}.")
    return grant
