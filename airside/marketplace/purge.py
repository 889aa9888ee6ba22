"""Ends the listings of deleted apps: deletes their pictures and keeps their rows (soft delete)."""

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.statements import Statement
from airside.marketplace.pictures import forget_pictures
from airside.marketplace.tables import DRAFT, UNLISTED, listings
from airside.runtime.site import Site

BATCH = 100  # listings per run of the job; the rest follow in the next


async def purge_orphaned(site: Site) -> int:
    """End listings of deleted apps; returns how many."""
    found = await site.db.fetch_all(_ORPHANED)
    for listing in found:
        await _end(site, listing)
    return len(found)


async def _end(site: Site, before: Row) -> None:
    changes = {
        "state": DRAFT,
        "standing": UNLISTED,
        "content": before["content"] | {"screenshots": []},
        "submitted": None,
        "published": None,
        "deleted_at": site.clock.now(),
    }
    async with site.db.transaction() as tx:
        await tx.update(listings, changes, workspace_id=before["workspace_id"], id=before["id"])
    await forget_pictures(site, before, before | changes)


_ORPHANED = Statement(
    sa.select(listings)
    .join_from(listings, apps, apps.c.id == listings.c.app_id)
    .where(apps.c.deleted_at.is_not(None), live(listings))
    .limit(sa.literal_column(str(BATCH)))
)
