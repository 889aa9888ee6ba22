"""POST /auth/o/introspect/ (RFC 7662): the state of a client's own tokens, and for a resource server of any access
token issued for its resource."""

from typing import Any

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.statements import Statement
from airside.http.answer import Answer
from airside.http.request import Request
from airside.oauth.clients import Client, authenticate_client
from airside.oauth.endpoint import answer_oauth
from airside.oauth.errors import InvalidClient
from airside.oauth.grant_scopes import show_scopes
from airside.oauth.parameters import read_body, require
from airside.oauth.resource_servers import checks_tokens_for
from airside.oauth.resources import show_audience
from airside.oauth.tables import refresh_tokens, token_families
from airside.oauth.token import find_credentials
from airside.oauth.tokens import ShownToken, describe_token, is_holder_live, record_token_use
from airside.runtime.site import Site
from airside.system.credentials import REFRESH_TOKEN, hash_credential

INACTIVE = {"active": False}  # without the reason (RFC 7662 §2.2)


class IntrospectionEndpoint:
    """`token_type_hint` is ignored: the token's prefix shows its type."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        """Raises OAuthError."""
        body = await read_body(request)
        client = await authenticate_client(self._site, find_credentials(self._site, request, body))
        if client.is_public:  # anybody can send its client_id, and could test stolen tokens
            raise InvalidClient("Only a client with a secret may introspect.")
        return answer_oauth(await introspect_token(self._site, client, require(body, "token")))


async def introspect_token(site: Site, client: Client, token: str) -> dict[str, Any]:
    """RFC 7662 §2.2; INACTIVE for a token that is neither the client's own nor for a resource it serves."""
    is_refresh = token.startswith(REFRESH_TOKEN)
    access = None if is_refresh else await describe_token(site, token)
    found = await _find_refresh(site, token) if is_refresh else access
    if found is None or not await _may_introspect(site, client, found, token):
        return INACTIVE
    if access is not None:
        await record_token_use(site, hash_credential(token), access)
    return {
        "active": True,
        "scope": show_scopes(found["scopes"]),
        "client_id": await site.db.fetch_value(_CLIENT_ID, id=found["app_id"]),
        "token_type": "refresh_token" if is_refresh else "Bearer",
        "iss": site.settings.origin,
        "aud": show_audience(site.settings, found["audience"]),
        "sub": found["user_id"],
        "iat": int(found["created_at"].timestamp()),
        "exp": int(found["expires_at"].timestamp()),
        "app_installation_id": found["installation_id"],
        "workspace": found["workspace_id"],
    }


async def _may_introspect(site: Site, client: Client, found: ShownToken, token: str) -> bool:
    """A resource server may introspect access tokens only: it never receives a refresh token."""
    if found["app_id"] == client.app_id:
        return True
    is_access_token = not token.startswith(REFRESH_TOKEN)
    return is_access_token and await checks_tokens_for(site.db, client.app_id, found["audience"])


async def _find_refresh(site: Site, token: str) -> ShownToken | None:
    """A valid refresh token, with its family's columns."""
    found = await site.db.fetch_one(_LIVE_REFRESH, token_hash=hash_credential(token), now=site.clock.now())
    if found is None or not await is_holder_live(site.db, found):
        return None
    return found


_r, _f = refresh_tokens.c, token_families.c
_CLIENT_ID = Statement(sa.select(apps.c.client_id).where(apps.c.id == sa.bindparam("id")))
_LIVE_REFRESH = Statement(
    sa.select(
        _f.app_id,
        _f.user_id,
        _f.scopes,
        _f.audience,
        _f.installation_id,
        _f.workspace_id,
        _r.created_at,
        _r.expires_at,
    )
    .join_from(refresh_tokens, token_families, _f.id == _r.family_id)
    .where(
        _r.token_hash == sa.bindparam("token_hash"),
        _r.rotated_at.is_(None),
        _r.expires_at > sa.bindparam("now", type_=_r.expires_at.type),
        _f.revoked_at.is_(None),
    ),
    ShownToken,
)
