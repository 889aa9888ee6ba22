"""POST /auth/o/token/: parse the request, dispatch on grant_type, encode the reply."""

from airside.audit.sources import client_address, guesser
from airside.http.answer import Answer
from airside.http.request import Request
from airside.oauth.clients import Credentials, read_credentials
from airside.oauth.endpoint import answer_oauth
from airside.oauth.errors import OAuthError, UnsupportedGrantType
from airside.oauth.grant_types import GRANT_TYPES, Redeem
from airside.oauth.parameters import Parameters, read_body, require
from airside.runtime.site import Site


class TokenEndpoint:
    """Only POST; query parameters are ignored (RFC 6749 §3.2)."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        """Raises OAuthError."""
        try:
            body = await read_body(request)
            redeem = _pick_grant(body)
            reply = await redeem(self._site, find_credentials(self._site, request, body), body)
        except OAuthError as error:
            self._site.counters.add("airside_oauth_token_requests", error.code)
            raise
        self._site.counters.add("airside_oauth_token_requests", "issued")
        return answer_oauth(reply)


def find_credentials(site: Site, request: Request, body: Parameters) -> Credentials:
    """The client credentials of the request, with its source address."""
    source = guesser(client_address(request, site.settings))
    return read_credentials(request.get_header("Authorization"), body, source)


def _pick_grant(body: Parameters) -> Redeem:
    grant = GRANT_TYPES.get(require(body, "grant_type"))
    if grant is None:
        raise UnsupportedGrantType(f"The grant types are {', '.join(GRANT_TYPES)}.")
    return grant.redeem
