"""Uninstalls an app: revokes its tokens at once, removes its bot's membership and stops its webhooks."""

from airside.db.base import Row
from airside.db.database import Transaction
from airside.identity.users import get_user
from airside.installations.install import record_installation
from airside.installations.read import get_installation
from airside.installations.scope_requests import end_scope_request
from airside.installations.tables import UNINSTALLED, InstallationChanges, InstallationRow, installations
from airside.runtime.site import Site
from airside.webhooks.endpoints import end_endpoints_of
from airside.workspaces.members import end_membership, require_admin
from airside.workspaces.tables import workspaces


async def uninstall_app(site: Site, workspace_id: str, installation_id: str, by_user_id: str) -> None:
    """Raises NotFound, and Forbidden for a non-admin."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        await tx.lock(workspaces, id=workspace_id)
        installation = await get_installation(tx, workspace_id, installation_id)
        await end_installation(tx, site, installation, await get_user(tx, by_user_id))


async def end_installation(tx: Transaction, site: Site, installation: InstallationRow, by: Row) -> None:
    """Within the caller's transaction; the caller has checked the permission."""
    now, workspace_id = site.clock.now(), installation["workspace_id"]
    stamps = {"updated_at": now, "updated_by_id": by["id"], "deleted_at": now}
    ended: InstallationChanges = {"status": UNINSTALLED}
    await tx.update(installations, {**ended, **stamps}, id=installation["id"])
    await site.tokens.revoke_of_installation(tx, installation["id"], now)
    await site.app_accounts.begin_end(tx, workspace_id, installation["app_id"], now)
    await end_scope_request(tx, site, installation["id"], by["id"])
    await end_membership(tx, site, workspace_id, installation["bot_user_id"], by=by)
    await record_installation(tx, site, "app.uninstalled", {**installation, **ended}, by)
    await end_endpoints_of(tx, installation["id"], now)
