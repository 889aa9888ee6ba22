"""Deletes self-registered apps that were never installed."""

from datetime import timedelta

import sqlalchemy as sa

from airside.apps.tables import app_secrets, apps
from airside.apps.unowned import IS_SELF_REGISTERED
from airside.db.statements import Statement
from airside.installations.tables import installations
from airside.runtime.site import Site

UNUSED = timedelta(days=7)  # a self-registered app that was never installed is purged after this time


async def purge_unused(site: Site) -> int:
    """Delete self-registered apps that were never installed; returns how many."""
    before = site.clock.now() - UNUSED
    async with site.db.transaction() as tx:
        await tx.execute(_PURGE_SECRETS, before=before)
        return await tx.execute(_PURGE, before=before)


_unused = sa.and_(
    IS_SELF_REGISTERED,
    apps.c.updated_at < sa.bindparam("before", type_=apps.c.updated_at.type),
    ~sa.exists().where(installations.c.app_id == apps.c.id),
)
_PURGE_SECRETS = Statement(
    sa.delete(app_secrets).where(app_secrets.c.app_id.in_(sa.select(apps.c.id).where(_unused)))
)
_PURGE = Statement(sa.delete(apps).where(_unused))
