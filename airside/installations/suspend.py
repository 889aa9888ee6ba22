"""Suspends an app in a workspace, and resumes it.

While suspended none of its tokens work, none are issued, no code is redeemed and no webhook is sent; but nothing is
revoked. Pending deliveries are cancelled and can be redelivered from the delivery log. It takes effect in other
processes within a second, like every revocation.
"""

from airside.identity.revocations import revocations
from airside.identity.users import get_user
from airside.installations.install import record_installation
from airside.installations.listening import apply_installation
from airside.installations.read import lock_installation
from airside.installations.tables import (
    INSTALLED,
    SUSPENDED,
    InstallationChanges,
    InstallationRow,
    installations,
)
from airside.runtime.site import Site
from airside.webhooks.endpoints import cancel_deliveries_of
from airside.workspaces.members import require_admin


async def suspend_app(
    site: Site, workspace_id: str, installation_id: str, by_user_id: str
) -> InstallationRow:
    """Suspend; returns the installation. Idempotent. Raises NotFound, and Forbidden for a non-admin."""
    return await _set_status(site, workspace_id, installation_id, by_user_id, SUSPENDED)


async def unsuspend_app(
    site: Site, workspace_id: str, installation_id: str, by_user_id: str
) -> InstallationRow:
    """Resume: tokens that haven't expired work again. Raises NotFound, and Forbidden for a non-admin."""
    return await _set_status(site, workspace_id, installation_id, by_user_id, INSTALLED)


async def _set_status(
    site: Site, workspace_id: str, installation_id: str, by_user_id: str, status: str
) -> InstallationRow:
    now = site.clock.now()
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        before = await lock_installation(tx, workspace_id, installation_id)
        if before["status"] == status:
            return before
        changes: InstallationChanges = {"status": status, "updated_at": now, "updated_by_id": by_user_id}
        await tx.update(installations, changes, id=before["id"])
        after: InstallationRow = {**before, **changes}
        await apply_installation(tx, after)
        if status == SUSPENDED:
            await cancel_deliveries_of(tx, after["id"], now)
        name = "app.suspended" if status == SUSPENDED else "app.unsuspended"
        await record_installation(tx, site, name, after, await get_user(tx, by_user_id), was=before)
        revocations.record(tx)
    return after
