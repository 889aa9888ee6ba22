"""Deletes an app: uninstalls it everywhere and revokes its secrets. Its row is kept (soft delete)."""

import sqlalchemy as sa

from airside.apps.authors import require_author
from airside.apps.registry import audit_app, get_app
from airside.apps.tables import app_secrets, apps
from airside.db.statements import Statement
from airside.identity.users import get_user
from airside.installations.read import list_installations_of
from airside.installations.uninstall import end_installation
from airside.runtime.site import Site


async def delete_app(site: Site, workspace_id: str, app_id: str, by_user_id: str) -> None:
    """Raises NotFound and Forbidden."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        app = await get_app(tx, workspace_id, app_id)
        await require_author(tx, app, by_user_id)
        by = await get_user(tx, by_user_id)
        await tx.lock(apps, id=app["id"])
        changes = {"deleted_at": now, "updated_at": now, "updated_by_id": by_user_id}
        await tx.update(apps, changes, id=app["id"])
        for installation in await list_installations_of(tx, app["id"]):
            await end_installation(tx, site, installation, by)
        await tx.execute(_END_SECRETS, of_app=app["id"], now=now)
        await audit_app(tx, app, "app.deleted", by_user_id, now)


_END_SECRETS = Statement(
    sa.update(app_secrets)
    .where(app_secrets.c.app_id == sa.bindparam("of_app"), app_secrets.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("now", type_=app_secrets.c.ended_at.type))
)
