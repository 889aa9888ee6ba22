"""Rotates a refresh token. Each is used once; after a lost reply the client may retry.

The new pair is stored sealed with a key derived from the presented token, so that a retry gets the same pair, and a
dump of the database holds no token. A retry is accepted within the grace period, and for a client with a secret
within a day as long as the new pair is unused (docs/decisions/0020). Any other reuse means that the token was
stolen, and revokes the family (RFC 9700 §4.14.2).
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from airside.apps.scopes import Grant
from airside.db.database import Transaction
from airside.oauth.clients import Client, Credentials, authenticate_client, record_use
from airside.oauth.errors import InvalidGrant, InvalidScope, InvalidTarget, OAuthError
from airside.oauth.grant_scopes import ScopeRefused, choose_scopes, narrow_scopes
from airside.oauth.parameters import Parameters, require
from airside.oauth.resources import check_same_audience
from airside.oauth.tables import (
    RefreshTokenRow,
    TokenFamilyRow,
    access_tokens,
    refresh_tokens,
    token_families,
)
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
from airside.system.credentials import REFRESH_TOKEN, Sealer, hash_credential

UNUSED_GRACE = timedelta(hours=24)  # for a client with a secret, while neither token of the pair was used
SUCCESSOR = "refresh_successor"  # purpose of the pair's seal
MAX_REPEATS = 200  # repeats of one reply; fifty processes racing for one refresh need forty-nine
_REFUSED = "The refresh token is wrong, expired or revoked."


async def refresh(site: Site, credentials: Credentials, body: Parameters) -> dict[str, Any]:
    """RFC 6749 §6."""
    client = await authenticate_client(site, credentials)
    presented = require(body, "refresh_token")
    token = None
    if presented.startswith(REFRESH_TOKEN):
        token = await site.db.find(refresh_tokens, token_hash=hash_credential(presented))
    if token is None:
        raise InvalidGrant(_REFUSED)
    await count_tokens(site, client, credentials.source)
    async with site.db.transaction() as tx:
        await record_use(tx, site, client.secret_id, client.secret_used_at)
        reply = await _refresh(tx, site, client, token["family_id"], presented, body)
    if isinstance(reply, OAuthError):
        raise reply
    return reply


async def _refresh(
    tx: Transaction, site: Site, client: Client, family_id: str, presented: str, body: Parameters
) -> dict[str, Any] | OAuthError:
    """The reply; or the error, returned instead of raised so that a revocation is committed."""
    now = site.clock.now()
    family = await tx.lock(token_families, id=family_id)  # serializes refreshes of one family
    token = await tx.find(refresh_tokens, token_hash=hash_credential(presented))
    if token is None or family is None or family["app_id"] != client.app_id or family["revoked_at"]:
        return InvalidGrant(_REFUSED)
    if not await is_holder_live(tx, family):
        return InvalidGrant(_REFUSED)
    if token["rotated_at"] is not None:
        return await _repeat(tx, site, client, token, presented, now)
    if token["expires_at"] <= now or family["created_at"] + site.settings.refresh_max <= now:
        return InvalidGrant(_REFUSED)
    try:
        if client.is_bound_to_resources:
            check_same_audience(site.settings, family["audience"], body.get("resource"))
        grant = _choose(client, body.get("scope"), family["scopes"])
    except InvalidTarget as refusal:
        return refusal
    except ScopeRefused as refusal:
        return InvalidScope(refusal.sentence)
    return await _rotate(tx, site, family, presented, grant, now)


def _choose(client: Client, requested: str | None, granted: Grant) -> Grant:
    """The new access token's scopes, within the family's. Raises ScopeRefused."""
    if client.is_self_registered:
        return narrow_scopes(requested, granted, unknown=None)
    return choose_scopes(requested, granted)


async def _rotate(
    tx: Transaction, site: Site, family: TokenFamilyRow, presented: str, grant: Grant, now: datetime
) -> dict[str, Any]:
    bearer = Bearer(
        app_id=family["app_id"],
        installation_id=family["installation_id"],
        workspace_id=family["workspace_id"],
        user_id=family["user_id"],
        scopes=grant,
        family_id=family["id"],
        audience=family["audience"],
    )
    given_at = family["created_at"]
    lifetime = min(site.settings.access_lifetime, given_at + site.settings.refresh_max - now)
    access_token = await issue_access_token(tx, bearer, now, lifetime)
    refresh_token = await issue_refresh_token(tx, site, family["id"], given_at, now)
    reply = shape_reply(access_token, grant, refresh_token, lifetime)
    sealed = Sealer(presented).seal(msgspec.json.encode(reply).decode(), SUCCESSOR)
    changes = {"rotated_at": now, "successor_sealed": sealed}
    await tx.update(refresh_tokens, changes, token_hash=hash_credential(presented))
    await audit_tokens(tx, "token.refreshed", family, now, details={"family": family["id"], "scopes": grant})
    return reply


async def _repeat(
    tx: Transaction, site: Site, client: Client, token: RefreshTokenRow, presented: str, now: datetime
) -> dict[str, Any] | OAuthError:
    """The same reply again if this is an accepted retry; else revoke the family."""
    assert token["rotated_at"] is not None  # a rotation sets both
    assert token["successor_sealed"] is not None
    reply: dict[str, Any] = msgspec.json.decode(
        Sealer(presented).unseal(token["successor_sealed"], SUCCESSOR)
    )
    age = now - token["rotated_at"]
    if not await _may_be_lost(tx, site, client, reply, age):
        await revoke_family(tx, token["family_id"], "refresh_token_reused", now)
        return InvalidGrant(_REFUSED)
    if token["repeats"] >= MAX_REPEATS:  # no client loses a reply so often; the new pair stays valid
        return InvalidGrant("The answer to this refresh token has been asked for too often.")
    await tx.update(refresh_tokens, {"repeats": token["repeats"] + 1}, token_hash=token["token_hash"])
    return reply | {"expires_in": max(0, reply["expires_in"] - int(age.total_seconds()))}


async def _may_be_lost(
    tx: Transaction, site: Site, client: Client, reply: dict[str, Any], age: timedelta
) -> bool:
    """Whether the reply may have been lost: its refresh token wasn't rotated, and either the grace period lasts, or
    neither of its tokens was ever used and the client has authenticated with a secret."""
    successor = await tx.find(refresh_tokens, token_hash=hash_credential(reply["refresh_token"]))
    if successor is None or successor["rotated_at"] is not None:
        return False
    if age <= site.settings.refresh_grace:
        return True
    if client.is_public or age > UNUSED_GRACE:
        return False
    access = await tx.find(access_tokens, token_hash=hash_credential(reply["access_token"]))
    return access is not None and access["used_at"] is None and access["revoked_at"] is None
