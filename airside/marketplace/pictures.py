"""A listing's pictures: validated, stored as assets of the author's workspace, and deleted when no longer used."""

from collections.abc import AsyncIterator

import sqlalchemy as sa

from airside.assets.measure import Picture, measure_picture
from airside.assets.storage import drop_file, keep_file
from airside.assets.tables import assets
from airside.assets.user_assets import STATIC_PATH
from airside.db.base import Row, new_id
from airside.db.conditions import tenant
from airside.db.database import Transaction
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.marketplace.content import read_content
from airside.marketplace.snapshot import read_snapshot
from airside.runtime.site import Site

SIZE_LIMIT = 1536 * 1024  # bytes of one picture
SIDE_LIMIT = 4096  # pixels; against decompression bombs that fill a browser's memory
MIN_WIDTH = 320  # pixels of a screenshot

LISTING_PICTURE = "LISTING_PICTURE"  # `entity_type`


def check_screenshot(data: bytes) -> Picture:
    """Raises Invalid for `screenshot`."""
    picture = measure_picture(data)
    if picture is None:
        raise Invalid({"screenshot": ["Use a PNG, JPEG or WebP picture."]})
    if len(data) > SIZE_LIMIT:
        raise Invalid({"screenshot": [f"Use a picture of at most {SIZE_LIMIT // 1024:,} kB."]})
    if max(picture.width, picture.height) > SIDE_LIMIT:
        raise Invalid({"screenshot": [f"Use a picture of at most {SIDE_LIMIT:,} pixels a side."]})
    if picture.width < MIN_WIDTH:
        raise Invalid({"screenshot": [f"Use a picture that is at least {MIN_WIDTH} pixels wide."]})
    return picture


async def keep_bytes(site: Site, data: bytes) -> str:
    """Store the file under a new asset id; `put_picture` then inserts its row in the caller's transaction."""
    asset_id = new_id()

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    await keep_file(site, asset_id, chunks())
    return asset_id


async def put_picture(
    tx: Transaction,
    site: Site,
    asset_id: str,
    workspace_id: str,
    by_user_id: str,
    content_type: str,
    size: int,
) -> None:
    now = site.clock.now()
    row: Row = {
        "id": asset_id,
        "workspace_id": workspace_id,
        "user_id": by_user_id,
        "entity_type": LISTING_PICTURE,
        "name": "",
        "content_type": content_type,
        "size": size,
        "received_at": now,
        "confirmed_at": now,
        "created_at": now,
        "deleted_at": None,
    }
    await tx.insert(assets, row)


async def forget_pictures(site: Site, before: Row, after: Row) -> None:
    """Delete the pictures that a change of the listing no longer uses. Call it after the commit."""
    gone = _shown(before) - _shown(after)
    if not gone:
        return
    async with site.db.transaction() as tx:
        await tx.execute(_END, ids=list(gone), now=site.clock.now(), workspace_id=before["workspace_id"])
    for asset_id in gone:
        await drop_file(site, asset_id)


def picture_path(asset_id: str | None) -> str:
    """The picture's URL path on this origin."""
    return f"{STATIC_PATH}/{asset_id}/" if asset_id else ""


def _shown(listing: Row) -> set[str]:
    shots = list(read_content(listing["content"]).screenshots)
    found: set[str] = set()
    for stored in (listing["submitted"], listing["published"]):
        if stored is not None:
            snapshot = read_snapshot(stored)
            shots += snapshot.screenshots
            found |= {snapshot.logo_id} if snapshot.logo_id else set()
    return found | {shot.asset_id for shot in shots}


_END = Statement(
    sa.update(assets)
    .where(any_of(assets.c.id, "ids"), tenant(assets))
    .values(deleted_at=sa.bindparam("now", type_=assets.c.deleted_at.type))
)
