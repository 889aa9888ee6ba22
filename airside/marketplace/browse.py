"""Browsing the marketplace: listed apps by category and search, a single app, and install counts."""

from functools import cache

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.db.text_rules import is_storable
from airside.errors import NotFound
from airside.installations.tables import installations
from airside.marketplace.content import ANYBODY
from airside.marketplace.tables import LISTED, listings

SEARCH_LENGTH = 100  # characters


async def list_listed(
    reader: Reader,
    *,
    search: str = "",
    category: str = "",
    is_stranger: bool = False,
    limit: int,
    offset: int = 0,
) -> list[Row]:
    """Listed apps, most installed first, each with `installs`. `is_stranger`: only listings for anybody."""
    words = _words(search)
    given = {f"word_{n}": f"%{_escape(word)}%" for n, word in enumerate(words)}
    given |= {"category": category} if category else {}
    statement = _list_statement(len(words), bool(category), is_stranger)
    return await reader.fetch_all(statement, **given, page_size=limit, page_offset=offset)


async def count_by_category(reader: Reader, *, is_stranger: bool = False) -> dict[str, int]:
    """Category → number of listed apps."""
    return {row["category"]: row["total"] for row in await reader.fetch_all(_count_statement(is_stranger))}


async def get_listed(reader: Reader, slug: str, *, is_stranger: bool = False) -> Row:
    """A listed app, with `installs`. Raises NotFound if it isn't listed, or isn't visible to strangers."""
    found = await reader.fetch_one(_one_statement(is_stranger), slug=slug) if is_storable(slug) else None
    if found is None:
        raise NotFound("There is no such app in the marketplace.")
    return found


async def count_installs(reader: Reader, app_id: str) -> int:
    """The number of workspaces in which the app is installed."""
    return await reader.fetch_value(_INSTALLS_OF, app_id=app_id)


def _words(search: str) -> list[str]:
    """The search terms, at most five; all must match."""
    text = search[:SEARCH_LENGTH].lower()
    return text.split()[:5] if is_storable(text) else []


def _escape(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_l = listings.c
_installs = (
    sa.select(sa.func.count())
    .select_from(installations)
    .where(installations.c.app_id == _l.app_id, live(installations))
    .scalar_subquery()
    .label("installs")
)
_is_listed = sa.and_(_l.standing == sa.literal_column(f"'{LISTED}'"), live(apps))
_for_anybody = _l.audience == sa.literal_column(f"'{ANYBODY}'")
_listed = sa.select(listings, _installs).join_from(listings, apps, apps.c.id == _l.app_id).where(_is_listed)


@cache
def _list_statement(words: int, has_category: bool, is_stranger: bool) -> Statement:
    found = _listed
    for n in range(words):
        found = found.where(_l.search_text.like(sa.bindparam(f"word_{n}", type_=sa.Text()), escape="\\"))
    if has_category:
        found = found.where(_l.category == sa.bindparam("category"))
    if is_stranger:
        found = found.where(_for_anybody)
    return Statement(
        found.order_by(sa.text("installs DESC"), _l.search_text, _l.id)
        .limit(sa.bindparam("page_size", type_=sa.Integer()))
        .offset(sa.bindparam("page_offset", type_=sa.Integer()))
    )


@cache
def _count_statement(is_stranger: bool) -> Statement:
    found = (
        sa.select(_l.category, sa.func.count().label("total"))
        .join_from(listings, apps, apps.c.id == _l.app_id)
        .where(_is_listed)
    )
    return Statement((found.where(_for_anybody) if is_stranger else found).group_by(_l.category))


@cache
def _one_statement(is_stranger: bool) -> Statement:
    found = _listed.where(_l.slug == sa.bindparam("slug"))
    return Statement(found.where(_for_anybody) if is_stranger else found)


_INSTALLS_OF = Statement(
    sa.select(sa.func.count().label("installs"))
    .select_from(installations)
    .where(installations.c.app_id == sa.bindparam("app_id"), live(installations))
)
