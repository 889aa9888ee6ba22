"""What is left of a listing once its app was deleted: its pictures are dropped, its row is kept for the record."""

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.statements import Statement
from airside.marketplace.pictures import forget_pictures
from airside.marketplace.tables import DRAFT, UNLISTED, listings
from airside.runtime.site import Site

BATCH = 100  # listings at a time; there are more at the next turn


async def purge_orphaned(site: Site) -> int:
    """How many listings of deleted apps were ended."""
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
    .where(apps.c.deleted_at.is_not(None), listings.c.deleted_at.is_(None))
    .limit(sa.literal_column(str(BATCH)))
)
