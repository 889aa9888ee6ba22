"""Exchanges an approved device code for tokens; until the approval the error is pending (RFC 8628 §3.4, §3.5)."""

from typing import Any

from airside.db.base import new_id
from airside.db.database import Transaction
from airside.oauth.clients import Client, Credentials, authenticate_client, record_use
from airside.oauth.device_requests import APPROVED, DENIED, PENDING, USED
from airside.oauth.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    OAuthError,
    SlowDown,
)
from airside.oauth.grants.authorization_code import issue_first_pair
from airside.oauth.parameters import Parameters, require
from airside.oauth.tables import DeviceRequestRow, device_requests
from airside.oauth.token_rate import count_tokens
from airside.oauth.tokens import Bearer, is_holder_live
from airside.runtime.site import Site
from airside.system.credentials import hash_credential

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER_SECONDS = 5  # added to the interval each time the device polls too early
EARLY_SECONDS = 0.5  # tolerance, since clocks and networks aren't exact


async def redeem_device_code(site: Site, credentials: Credentials, body: Parameters) -> dict[str, Any]:
    """RFC 8628 §3.4."""
    client = await authenticate_client(site, credentials)
    code_hash = hash_credential(require(body, "device_code"))
    if await site.db.find(device_requests, device_code_hash=code_hash, state=APPROVED) is not None:
        await count_tokens(site, client, credentials.source)  # not for each poll of a pending request
    async with site.db.transaction() as tx:
        await record_use(tx, site, client.secret_id, client.secret_used_at)
        reply = await _redeem(tx, site, client, code_hash)
    if isinstance(reply, OAuthError):
        raise reply
    return reply


async def _redeem(tx: Transaction, site: Site, client: Client, code_hash: str) -> dict[str, Any] | OAuthError:
    """The reply; or the error, returned instead of raised so that `polled_at` is committed."""
    device, now = await tx.lock(device_requests, device_code_hash=code_hash), site.clock.now()
    if device is None or device["app_id"] != client.app_id or device["state"] == USED:
        return InvalidGrant("The device code is wrong or used.")
    if device["expires_at"] <= now:
        return ExpiredToken("Nobody signed the device in in time. Start again.")
    if device["state"] == DENIED:
        return AccessDenied("The person declined.")
    if device["state"] == PENDING:
        return await _put_off(tx, site, device)
    assert device["state"] == APPROVED
    await tx.update(device_requests, {"state": USED}, id=device["id"])
    if not await is_holder_live(tx, device):
        return InvalidGrant("The device code is wrong or used.")
    family_id = new_id()
    return await issue_first_pair(tx, site, _bearer(device, family_id), family_id, device["source"])


def _bearer(device: DeviceRequestRow, family_id: str) -> Bearer:
    workspace_id, user_id = device["workspace_id"], device["user_id"]
    assert workspace_id is not None  # the approval sets both
    assert user_id is not None
    return Bearer(
        app_id=device["app_id"],
        installation_id=device["installation_id"],
        workspace_id=workspace_id,
        user_id=user_id,
        scopes=device["scopes"],
        family_id=family_id,
        audience=device["audience"],
    )


async def _put_off(tx: Transaction, site: Site, device: DeviceRequestRow) -> OAuthError:
    now, interval = site.clock.now(), device["interval_seconds"]
    polled_at = device["polled_at"]
    if polled_at is None or (now - polled_at).total_seconds() >= interval - EARLY_SECONDS:
        await tx.update(device_requests, {"polled_at": now}, id=device["id"])
        return AuthorizationPending("Nobody has answered yet.")
    changes = {"polled_at": now, "interval_seconds": interval + SLOWER_SECONDS}
    await tx.update(device_requests, changes, id=device["id"])
    return SlowDown(f"Wait {interval + SLOWER_SECONDS} seconds between two questions.")
