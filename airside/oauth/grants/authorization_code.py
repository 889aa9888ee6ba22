"""Exchanges an authorization code for tokens: once, by the client it was issued to, with the same parameters."""

from typing import Any

from airside.db.database import Transaction
from airside.oauth.clients import Client, Credentials, authenticate_client, record_use
from airside.oauth.errors import InvalidGrant, InvalidTarget, OAuthError
from airside.oauth.parameters import Parameters, require
from airside.oauth.pkce import check_verifier
from airside.oauth.resources import check_same_audience
from airside.oauth.tables import AuthorizationCodeRow, authorization_codes, token_families
from airside.oauth.token_rate import count_tokens
from airside.oauth.tokens import (
    Bearer,
    audit_tokens,
    is_holder_live,
    issue_access_token,
    issue_refresh_token,
    revoke_family,
    shape_reply,
)
from airside.runtime.site import Site
from airside.system.credentials import hash_credential


async def redeem_code(site: Site, credentials: Credentials, body: Parameters) -> dict[str, Any]:
    """RFC 6749 §4.1.3. `scope` is ignored here: the user has already consented."""
    client = await authenticate_client(site, credentials)
    code_hash = hash_credential(require(body, "code"))
    await count_tokens(site, client, credentials.source)
    async with site.db.transaction() as tx:
        await record_use(tx, site, client.secret_id, client.secret_used_at)
        reply = await _redeem(tx, site, client, code_hash, body)
    if isinstance(reply, OAuthError):
        raise reply
    return reply


async def _redeem(
    tx: Transaction, site: Site, client: Client, code_hash: str, body: Parameters
) -> dict[str, Any] | OAuthError:
    """The reply; or the error, returned instead of raised so that used codes and revocations are committed."""
    now = site.clock.now()
    code = await tx.lock(authorization_codes, code_hash=code_hash)
    if code is None or code["app_id"] != client.app_id:
        return InvalidGrant("The code is wrong, expired or used.")
    if code["used_at"] is not None:  # replayed, so possibly stolen: RFC 6749 §4.1.2
        await revoke_family(tx, code["family_id"], "code_replayed", now)
        return InvalidGrant("The code is wrong, expired or used.")
    await tx.update(authorization_codes, {"used_at": now}, code_hash=code_hash)
    if code["expires_at"] <= now or not await is_holder_live(tx, code):
        return InvalidGrant("The code is wrong, expired or used.")
    try:
        _check_redirect_uri(code, body)
        check_verifier(code["code_challenge"], body.get("code_verifier"), required=client.is_public)
        if client.is_bound_to_resources:
            check_same_audience(site.settings, code["audience"], body.get("resource"))
    except (InvalidGrant, InvalidTarget) as refusal:
        return refusal
    return await issue_first_pair(tx, site, _bearer(code), code["family_id"])


def _check_redirect_uri(code: AuthorizationCodeRow, body: Parameters) -> None:
    """Same as in the authorization request; it may be absent only if it was absent there."""
    given = body.get("redirect_uri")
    if given is None and not code["redirect_uri_given"]:
        return
    if given != code["redirect_uri"]:
        raise InvalidGrant("redirect_uri is not the one that the code was asked with.")


def _bearer(code: AuthorizationCodeRow) -> Bearer:
    return Bearer(
        app_id=code["app_id"],
        installation_id=code["installation_id"],
        workspace_id=code["workspace_id"],
        user_id=code["user_id"],
        scopes=code["scopes"],
        family_id=code["family_id"],
        audience=code["audience"],
    )


async def issue_first_pair(
    tx: Transaction, site: Site, bearer: Bearer, family_id: str, source: str | None = None
) -> dict[str, Any]:
    """Issue the first tokens of a consent, after its code or device code was redeemed.

    `source`: the device's address."""
    now = site.clock.now()
    family = {
        "id": family_id,
        **bearer.holder,
        "scopes": bearer.scopes,
        "audience": bearer.audience,
        "source": source,
        "created_at": now,
    }
    await tx.insert(token_families, family)
    lifetime = site.settings.access_lifetime
    access_token = await issue_access_token(tx, bearer, now, lifetime)
    refresh_token = await issue_refresh_token(tx, site, family_id, now, now)
    details = {"family": family_id, "scopes": bearer.scopes}
    await audit_tokens(tx, "token.issued", bearer.holder, now, details=details)
    return shape_reply(access_token, bearer.scopes, refresh_token, lifetime)
