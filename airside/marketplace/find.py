"""Finds listings, each with the current `app_name`: for authors by app, for operators by slug."""

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_storable
from airside.errors import NotFound
from airside.marketplace.tables import SUBMITTED, listings

NO_LISTING = "There is no such listing."


async def find_listing(reader: Reader, workspace_id: str, app_id: str) -> Row | None:
    """The listing of an app that this workspace registered."""
    return await reader.fetch_one(_OF_APP, workspace_id=workspace_id, app_id=app_id)


async def get_listing_by_slug(reader: Reader, slug: str) -> Row:
    """For operators: the listing of any workspace's app that isn't deleted. Raises NotFound."""
    found = await reader.fetch_one(_BY_SLUG, slug=slug) if is_storable(slug) else None
    if found is None:
        raise NotFound(NO_LISTING)
    return found


async def lock_listing(tx: Transaction, listing: Row) -> Row:
    """The listing's current row, locked until the transaction ends. Raises NotFound."""
    found = await tx.lock(listings, workspace_id=listing["workspace_id"], id=listing["id"])
    if found is None or found["deleted_at"] is not None:
        raise NotFound(NO_LISTING)
    return found


async def list_submitted(reader: Reader, *, limit: int, offset: int = 0) -> list[Row]:
    """Listings in review, longest waiting first."""
    return await reader.fetch_all(_SUBMITTED, page_size=limit, page_offset=offset)


async def count_submitted(reader: Reader) -> int:
    return await reader.fetch_value(_COUNT_SUBMITTED)


async def list_reviewed(reader: Reader, *, limit: int, offset: int = 0) -> list[Row]:
    """Listings that were reviewed and aren't in review now, latest first."""
    return await reader.fetch_all(_REVIEWED, page_size=limit, page_offset=offset)


_l = listings.c
_live = (
    sa.select(listings, apps.c.name.label("app_name"))
    .join_from(listings, apps, apps.c.id == _l.app_id)
    .where(live(apps))
)
_page = {
    "limit": sa.bindparam("page_size", type_=sa.Integer()),
    "offset": sa.bindparam("page_offset", type_=sa.Integer()),
}
_waits = _l.state == sa.literal_column(f"'{SUBMITTED}'")
_OF_APP = Statement(
    _live.where(
        tenant(listings),
        _l.app_id == sa.bindparam("app_id", type_=Id()),
    )
)
_BY_SLUG = Statement(_live.where(_l.slug == sa.bindparam("slug")))
_SUBMITTED = Statement(
    _live.where(_waits).order_by(_l.submitted_at, _l.id).limit(_page["limit"]).offset(_page["offset"])
)
_COUNT_SUBMITTED = Statement(
    sa.select(sa.func.count().label("total"))
    .join_from(listings, apps, apps.c.id == _l.app_id)
    .where(live(apps), _waits)
)
_REVIEWED = Statement(
    _live.where(_l.reviewed_at.is_not(None), ~_waits)
    .order_by(_l.reviewed_at.desc(), _l.id)
    .limit(_page["limit"])
    .offset(_page["offset"])
)
