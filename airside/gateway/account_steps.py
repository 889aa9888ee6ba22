"""The steps of making an account, stored one by one so that a later task takes them up, and who works on it."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.conditions import tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.gateway.accounts import account_of, gateway_account_of
from airside.gateway.install_errors import InProgress
from airside.gateway.tables import ACCOUNT_PASSWORD, UpstreamAccountRow, upstream_accounts
from airside.runtime.site import Site

# `step`: what is done
RESERVED = "reserved"  # its address and password are chosen
INVITED = "invited"
SIGNED_UP = "signed_up"
JOINED = "joined"
KEYED = "keyed"  # it has a name, and one key
PLACED = "placed"  # in its projects; the installation follows
READY = "ready"  # installed; or the gateway's own, which is complete with its key
ENDING = "ending"  # uninstalled or given up: its keys have to be deleted, then it leaves

CLAIM = timedelta(seconds=90)  # longer than the slowest step, of which each renews it
LOCAL_PART = 30  # characters of the app's name in its address


async def claim_account(site: Site, workspace_id: str, app: Row | None) -> UpstreamAccountRow:
    """The app's account (None: the gateway's own) for this task alone: its unfinished one, the one that it had
    before it was uninstalled, or a new one. Raises InProgress."""
    app_id = None if app is None else app["id"]
    async with site.db.transaction() as tx:
        await tx.lock_name("upstream account", workspace_id, app_id or "gateway")
        found = await _find(tx, workspace_id, app_id)
        if found is None:
            found = await _reuse(tx, site, workspace_id, app_id) or await _reserve(
                tx, site, workspace_id, app
            )
        found = await claim(tx, site, found)
        return await _restart(tx, site, found) if found["step"] == ENDING else found


async def claim(tx: Transaction, site: Site, account: UpstreamAccountRow) -> UpstreamAccountRow:
    """Raises InProgress while another task works on it, and when it has been ended."""
    row = await tx.lock(upstream_accounts, workspace_id=account["workspace_id"], id=account["id"])
    now = site.clock.now()
    if row is None or row["ended_at"] is not None:
        raise InProgress
    if row["claim"] is not None and row["claimed_until"] is not None and row["claimed_until"] > now:
        raise InProgress
    return await _change(tx, row, now, {"claim": secrets.token_hex(8), "claimed_until": now + CLAIM})


async def store_step(site: Site, account: UpstreamAccountRow, step: str, **values: Any) -> UpstreamAccountRow:
    """Raises InProgress when the claim was lost."""
    async with site.db.transaction() as tx:
        return await store_step_in(tx, site, account, step, **values)


async def store_step_in(
    tx: Transaction, site: Site, account: UpstreamAccountRow, step: str, **values: Any
) -> UpstreamAccountRow:
    """As `store_step`. An installed app's account stays ready while it is repaired."""
    row = await tx.lock(upstream_accounts, workspace_id=account["workspace_id"], id=account["id"])
    if row is None or row["claim"] != account["claim"]:
        raise InProgress
    now = site.clock.now()
    stays = row["step"] in (READY, ENDING)
    changes = {**values, "step": row["step"] if stays else step, "claimed_until": now + CLAIM}
    return await _change(tx, row, now, changes)


async def release(site: Site, account: UpstreamAccountRow, not_before: datetime | None = None) -> None:
    """Let other tasks have it; `not_before`: the job leaves it alone until then."""
    keys = {"workspace_id": account["workspace_id"], "id": account["id"], "claim": account["claim"]}
    async with site.db.transaction() as tx:
        await tx.update(upstream_accounts, {"claim": None, "claimed_until": not_before}, **keys)


async def _find(tx: Transaction, workspace_id: str, app_id: str | None) -> UpstreamAccountRow | None:
    if app_id is None:
        return await gateway_account_of(tx, workspace_id)
    return await account_of(tx, workspace_id, app_id)


async def _reuse(
    tx: Transaction, site: Site, workspace_id: str, app_id: str | None
) -> UpstreamAccountRow | None:
    """The account from before, so that it remains the author of what the app wrote."""
    former = await tx.fetch_one(_FORMER, workspace_id=workspace_id, app_id=app_id) if app_id else None
    if former is None:
        return None
    return await _restart(tx, site, former)


async def _restart(tx: Transaction, site: Site, account: UpstreamAccountRow) -> UpstreamAccountRow:
    """Of an app that is installed again, also before its account was ended."""
    step = RESERVED if account["user_id"] is None else SIGNED_UP
    return await _change(tx, account, site.clock.now(), {"step": step, "ended_at": None, "refused_at": None})


async def _reserve(tx: Transaction, site: Site, workspace_id: str, app: Row | None) -> UpstreamAccountRow:
    """The address isn't guessable: until it signs up, whoever knew it could take the invitation."""
    now = site.clock.now()
    name = re.sub(r"[^a-z0-9]+", "-", "airside" if app is None else app["slug"].lower()).strip("-")
    email = f"{name[:LOCAL_PART]}-{secrets.token_hex(8)}@{site.settings.upstream_mail_domain}"
    row: UpstreamAccountRow = {
        "workspace_id": workspace_id,
        "id": new_id(),
        "app_id": None if app is None else app["id"],
        "user_id": None,
        "email": email,
        "password_sealed": site.sealer.seal(secrets.token_urlsafe(32), ACCOUNT_PASSWORD),
        "invitation_id": None,
        "key_id": None,
        "key_sealed": None,
        "step": RESERVED,
        "claim": None,
        "claimed_until": None,
        "profile_due_at": None,
        "refused_at": None,
        "created_at": now,
        "updated_at": now,
        "ended_at": None,
    }
    await tx.insert(upstream_accounts, row)
    return row


async def _change(
    tx: Transaction, row: UpstreamAccountRow, now: datetime, changes: Row
) -> UpstreamAccountRow:
    changes = {**changes, "updated_at": now}
    await tx.update(upstream_accounts, changes, workspace_id=row["workspace_id"], id=row["id"])
    return {**row, **changes}  # pyright: ignore[reportReturnType] - only columns of it


_a = upstream_accounts.c
_FORMER = Statement(
    sa.select(upstream_accounts)
    .where(
        tenant(upstream_accounts),
        _a.app_id == sa.bindparam("app_id", type_=Id()),
        _a.ended_at.is_not(None),
        _a.user_id.is_not(None),
    )
    .order_by(_a.id.desc())
    .limit(sa.literal_column("1")),
    UpstreamAccountRow,
)
