"""POST /auth/o/token/: parse the request, dispatch on grant_type, encode the reply."""

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from airside.audit.sources import client_address, guesser
from airside.oauth.clients import Credentials, read_credentials
from airside.oauth.errors import OAuthError, UnsupportedGrantType
from airside.oauth.grant_types import GRANT_TYPES, Redeem
from airside.oauth.parameters import Parameters, read_body, require
from airside.runtime.site import Site

NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1

_encode = msgspec.json.Encoder().encode


class TokenEndpoint:
    """Only POST; query parameters are ignored (RFC 6749 §3.2)."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_post(self, req: Request, resp: Response) -> None:
        try:
            body = await read_body(req)
            redeem = _pick_grant(body)
            reply = await redeem(self._site, find_credentials(self._site, req, body), body)
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


def _pick_grant(body: Parameters) -> Redeem:
    grant = GRANT_TYPES.get(require(body, "grant_type"))
    if grant is None:
        raise UnsupportedGrantType(f"The grant types are {', '.join(GRANT_TYPES)}.")
    return grant.redeem
