"""POST /auth/o/revoke-token/ (RFC 7009): 200 for every authenticated client, whatever the token was."""

from airside.http.answer import Answer
from airside.http.request import Request
from airside.oauth.clients import Client, authenticate_client
from airside.oauth.endpoint import answer_oauth
from airside.oauth.parameters import read_body, require
from airside.oauth.tables import access_tokens, refresh_tokens, token_families
from airside.oauth.token import find_credentials
from airside.oauth.tokens import revoke_access_token, revoke_family
from airside.runtime.site import Site
from airside.system.credentials import hash_credential


class RevocationEndpoint:
    """`token_type_hint` is ignored: both kinds are looked up by the same hash. A public client identifies itself
    and can revoke only its own tokens (RFC 7009 §5)."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        """Raises OAuthError."""
        body = await read_body(request)
        client = await authenticate_client(self._site, find_credentials(self._site, request, body))
        await revoke_token(self._site, client, require(body, "token"))
        return answer_oauth({})


async def revoke_token(site: Site, client: Client, token: str) -> None:
    """Revoke an access token, or a refresh token with its whole family. Another app's token is left alone."""
    hashed, now = hash_credential(token), site.clock.now()
    async with site.db.transaction() as tx:
        access = await tx.find(access_tokens, token_hash=hashed)
        if access is not None and access["app_id"] == client.app_id:
            await revoke_access_token(tx, hashed, now)
        refresh = await tx.find(refresh_tokens, token_hash=hashed)
        family = await tx.find(token_families, id=refresh["family_id"]) if refresh is not None else None
        if family is not None and family["app_id"] == client.app_id:
            await revoke_family(tx, family["id"], "revoked_by_client", now)
