"""Lists of records on pages: a page of one kind, and what stands below one record."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.portal.work import operations
from airside.portal.work.acting import Work
from airside.portal.work.presentation import find_setting, people_of, show_item, today_of
from airside.portal.work.record_kinds import Kind, find_main, kinds_below
from airside.portal.work.record_names import find_names, list_href
from airside.portal.work.record_values import show_facts, title_of
from airside.rest.call import Call
from airside.work.pages.tables import collections, pages
from airside.work.pages.visibility import in_project, in_workspace

BELOW = 20  # records of each list that a record's page shows
CHILDREN = 100  # pages below a page


class Listed(NamedTuple):
    """Work items, or records of another kind: [{title, href or "", facts}]."""

    items: Sequence[dict[str, Any]] = ()
    records: Sequence[dict[str, Any]] = ()


NOTHING = Listed()


class Below(NamedTuple):
    """A list on the page of the record above it; `field` is the record's field that holds the same."""

    title: str
    listed: Listed
    href: str = ""  # of the whole list, if there is more of it
    field: str = ""


def is_used(call: Call, kind: Kind) -> bool:
    """Whether the project or workspace uses the feature that the records belong to."""
    return kind.feature is None or call.access.is_feature_on(call, kind.feature)


async def list_page(
    work: Work, kind: Kind, path: Mapping[str, str], size: int, number: int = 0
) -> tuple[list[Row], bool]:
    """Records of one page, and whether there are more."""
    query = {"per_page": size, "cursor": f"{size}:{number}:0"} if kind.route.paged else {}
    answer = await work.perform(kind.route, path, query=query)
    if not isinstance(answer, list):
        return answer["results"], answer["next_page_results"]
    rows, start = cast("list[Row]", answer), number * size  # a list without pages
    return rows[start : start + size], len(rows) > start + size


async def show_rows(
    work: Work, call: Call, kind: Kind, path: Mapping[str, str], rows: Sequence[Row]
) -> Listed:
    if kind.is_of_items:
        return Listed(items=await _show_items(work, call, rows))
    names = await find_names(work, call, kind.face, rows)
    href = f"{work.here}/{kind.path.format(**path)}/" if kind.has_page else ""
    return Listed(
        records=[
            {
                "title": title_of(row),
                "href": f"{href}{row[kind.key]}/" if href else "",
                "facts": show_facts(kind.face, row, names),
            }
            for row in rows
        ]
    )


async def _show_items(work: Work, call: Call, rows: Sequence[Row]) -> list[dict[str, Any]]:
    setting, people, today = await find_setting(work, call), await people_of(work, rows), today_of(work)
    return [show_item(work, setting, row, people, today) for row in rows]


async def list_below(work: Work, call: Call, kind: Kind, path: Mapping[str, str], row: Row) -> list[Below]:
    """The lists that stand below the record."""
    below = {**path, kind.face.key: row["id"]}
    found = [await _list_kind(work, call, one, below) for one in kinds_below(kind)]
    if kind.face.table is pages:
        found.append(await _list_pages(work, call, row["id"]))
    if kind.face.table is collections:
        answer = await work.perform(operations.LIST_COLLECTION_PAGES, below)
        found.append(Below("Pages", _link_pages(work, call, [one["page"] for one in answer["results"]])))
    return found


async def _list_kind(work: Work, call: Call, kind: Kind, path: Mapping[str, str]) -> Below:
    try:
        rows, has_more = await list_page(work, kind, path, BELOW)
    except NotFound:
        rows, has_more = [], False
    href = f"{work.here}/{kind.path.format(**path)}/" if has_more else ""
    field = kind.api_path.rpartition("/")[2]
    return Below(kind.title, await show_rows(work, call, kind, path, rows), href, field)


async def _list_pages(work: Work, call: Call, parent_id: str) -> Below:
    """The pages below a page, those that the person sees."""
    seen = in_project(call) if call.project else in_workspace(call)
    keys = {"workspace_id": call.workspace_id, "parent_id": parent_id, "limit": CHILDREN}
    rows = await call.reader.fetch_all(_pages_below(seen.clauses), **{**keys, **seen.params})
    return Below("Pages below it", _link_pages(work, call, rows))


def _link_pages(work: Work, call: Call, rows: Sequence[Row]) -> Listed:
    kind = find_main(pages, in_project=bool(call.project))
    assert kind is not None
    href = list_href(work, call, kind)
    return Listed(
        records=[{"title": row["name"], "href": f"{href}{row['id']}/", "facts": []} for row in rows]
    )


@cache
def _pages_below(seen: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    clause = sa.select(pages.c.id, pages.c.name).where(
        tenant(pages), pages.c.parent_id == sa.bindparam("parent_id", type_=Id()), live(pages), *seen
    )
    return Statement(
        clause.order_by(pages.c.created_at, pages.c.id).limit(sa.bindparam("limit", type_=sa.Integer()))
    )
