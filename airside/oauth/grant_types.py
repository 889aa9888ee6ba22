"""THE TABLE of grant types: the name of each, its handler, and whether self-registered clients may use it.

The token endpoint, discovery and registration derive their lists from it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from airside.oauth.clients import Credentials
from airside.oauth.grants.authorization_code import redeem_code
from airside.oauth.grants.bot_token import issue_bot_token
from airside.oauth.grants.device_code import DEVICE_CODE, redeem_device_code
from airside.oauth.grants.refresh_token import refresh
from airside.oauth.parameters import Parameters
from airside.runtime.site import Site

Redeem = Callable[[Site, Credentials, Parameters], Awaitable[dict[str, Any]]]

# How dynamic registration treats a requested grant type (RFC 7591 §2).
REGISTERED, LEFT_OUT, REFUSED = "registered", "left out", "refused"


class GrantType(NamedTuple):
    name: str  # `grant_type` on the wire
    redeem: Redeem
    if_self_registered: str


GRANT_TYPES = {
    grant.name: grant
    for grant in (
        GrantType("authorization_code", redeem_code, REGISTERED),
        GrantType("refresh_token", refresh, REGISTERED),
        GrantType("client_credentials", issue_bot_token, REFUSED),  # no admin vouches for the client
        GrantType(DEVICE_CODE, redeem_device_code, LEFT_OUT),  # see check_device_client
    )
}
SELF_REGISTERED_GRANTS = tuple(
    name for name, grant in GRANT_TYPES.items() if grant.if_self_registered == REGISTERED
)
REFUSED_GRANTS = frozenset(
    {"implicit", "password"}
    | {name for name, grant in GRANT_TYPES.items() if grant.if_self_registered == REFUSED}
)
