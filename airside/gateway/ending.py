"""Ends an account: its keys are deleted while it can still sign in, then it leaves the workspace.

It isn't deactivated: a reinstalled app gets it back, and what it wrote keeps its author."""

import structlog

from airside.db.base import Row
from airside.db.database import Transaction
from airside.gateway.account_sessions import sign_in
from airside.gateway.account_steps import ENDING, claim, release, store_step
from airside.gateway.accounts import AccountUnfinished, gateway_account_of, key_of
from airside.gateway.client import Cookies, UpstreamClient, upstream_of
from airside.gateway.install_errors import AccountLost
from airside.gateway.installing import delete_keys
from airside.gateway.memberships import find_invitation, leave_workspace, withdraw
from airside.gateway.tables import UpstreamAccountRow, upstream_accounts
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace

_log = structlog.get_logger()


async def begin_end(tx: Transaction, account: UpstreamAccountRow) -> None:
    """Destroy our copy of the key, so that nothing is sent with it from the commit on."""
    changes: Row = {"step": ENDING, "key_sealed": None, "claim": None, "claimed_until": None}
    await tx.update(upstream_accounts, changes, workspace_id=account["workspace_id"], id=account["id"])


async def end_account(site: Site, account: UpstreamAccountRow) -> None:
    """Each part may have been done before. Raises InProgress, PasswordsOff, UpstreamLimited, UpstreamRefused and
    Unreachable; the row then waits for the next try."""
    client = upstream_of(site)
    slug = (await get_workspace(site.db, account["workspace_id"]))["slug"]
    async with site.db.transaction() as tx:
        account = await claim(tx, site, account)
    try:
        session = await _sign_in(site, client, account)
        if session is not None:
            await _leave(client, slug, session)
        await _withdraw(site, client, slug, account)
        await _store_end(site, account, is_known=session is not None or account["user_id"] is not None)
    finally:
        await release(site, account)


async def _sign_in(site: Site, client: UpstreamClient, account: UpstreamAccountRow) -> Cookies | None:
    """None: it never signed up, or somebody has ended it there."""
    try:
        return await sign_in(site, client, account)
    except AccountLost:
        if account["user_id"] is not None:
            _log.warning("upstream_account_lost", user_id=account["user_id"])
        return None


async def _leave(client: UpstreamClient, slug: str, session: Cookies) -> None:
    await delete_keys(client, session)
    await leave_workspace(client, slug, session)


async def _withdraw(site: Site, client: UpstreamClient, slug: str, account: UpstreamAccountRow) -> None:
    """An invitation that wasn't accepted, by the gateway's own account. Raises AccountUnfinished without one."""
    if account["user_id"] is not None and account["invitation_id"] is None:
        return
    gateway = await gateway_account_of(site.db, account["workspace_id"])
    if gateway is None or gateway["id"] == account["id"]:
        raise AccountUnfinished
    key = key_of(site, gateway)
    found = await find_invitation(client, slug, key, account["email"])
    if found is not None:
        await withdraw(client, slug, key, found["id"])


async def _store_end(site: Site, account: UpstreamAccountRow, *, is_known: bool) -> None:
    """One that never signed up is forgotten."""
    if is_known:
        ended = {"key_id": None, "key_sealed": None, "invitation_id": None, "ended_at": site.clock.now()}
        await store_step(site, account, ENDING, **ended)
        return
    async with site.db.transaction() as tx:
        keys = {"workspace_id": account["workspace_id"], "id": account["id"], "claim": account["claim"]}
        await tx.delete(upstream_accounts, **keys)
