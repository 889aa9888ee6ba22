"""What a collection has and could have: its pages branch by branch, and the search for pages to add."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import Contains, read_parameter
from airside.rest.parameters import Id as OneId
from airside.rest.record import ADMIN, Narrowing
from airside.rest.route import Route
from airside.rest.shaping import shape_rows
from airside.rest.totals import find_total
from airside.rest.wires.v1.lists import read_shape
from airside.rest.wires.v1.paging import page_query, read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import shape_query
from airside.work.pages.pages import WORKSPACE_PAGES_V1, PageSummary
from airside.work.pages.routes import LISTED
from airside.work.pages.tables import PRIVATE, collection_pages, pages
from airside.work.pages.visibility import find_collection, in_workspace

PAGE_SIZE, PAGE_LIMIT = 50, 100
UNSEARCHED, SEARCHED = 10, 100  # pages that a search answers, without and with words

_SEARCH = Contains(sentence="Only pages whose name contains this.")
_PARENT = OneId(sentence="The pages below this one. Absent: those at the root, or with `search` all.")
_COLLECTION_ID = sa.bindparam("collection_id", type_=Id())
_above = pages.alias("above")
_NAMED = _SEARCH.compare(pages.c.name, "search", several=False)
_INSIDE = (
    pages.c.collection_id == _COLLECTION_ID
)  # as its membership says; with it, an index of pages is used
_BELOW = sa.and_(pages.c.parent_id == sa.bindparam("parent_id", type_=Id()), _INSIDE)
_AT_ROOT = sa.or_(
    pages.c.parent_id.is_(None),
    ~sa.exists().where(
        _above.c.workspace_id == pages.c.workspace_id,
        _above.c.id == pages.c.parent_id,
        _above.c.collection_id == pages.c.collection_id,
        live(_above),
    ),
)
_ELSEWHERE = sa.or_(pages.c.collection_id.is_(None), pages.c.collection_id != _COLLECTION_ID)
_OWN = pages.c.owned_by_id == sa.bindparam("viewer_id", type_=Id())


class CollectionBranchPage(Shown):
    page_collection_id: str
    collection_id: str
    parent_id: str | None
    sort_order: float
    page: PageSummary


class AddablePage(Shown):
    id: str
    name: str
    logo_props: dict[str, Any]


class _Branch(NamedTuple):
    rows: Statement
    total: Statement


async def list_branch(call: Call) -> Any:
    """The pages at the root of the collection, below one of them, or with words in their name."""
    collection = await _get_collection(call)
    page = read_page(call.query, PAGE_SIZE, PAGE_LIMIT)
    asked = _read_branch(call).also(in_workspace(call))
    branch = _branch(asked.clauses)
    keys = {"workspace_id": call.workspace_id, "collection_id": collection["id"], **asked.params}
    rows = await call.reader.fetch_all(branch.rows, **keys, limit=page.size, offset=page.offset)
    place = {"offset": page.offset, "limit": page.size}
    total = await find_total(call, branch.total, keys, **place, found=len(rows))
    return wrap_page(page, total, await _show_branch(call, rows))


async def search_addable(call: Call) -> list[Row]:
    """The root pages that may be added, newest first: to a private collection others' pages only by an admin."""
    collection = await _get_collection(call)
    words = read_parameter(_SEARCH, "search", call.query)
    asked = in_workspace(call)
    if words:
        asked = asked.also(Narrowing((_NAMED,), _SEARCH.values("search", words)))
    if collection["access"] == PRIVATE and call.workspace_role < ADMIN:
        asked = asked.also(Narrowing((_OWN,), {"viewer_id": call.caller.user_id}))
    keys = {"workspace_id": call.workspace_id, "collection_id": collection["id"], **asked.params}
    limit = SEARCHED if words else UNSEARCHED
    return await call.reader.fetch_all(_addable(asked.clauses), **keys, limit=limit)


async def _get_collection(call: Call) -> Row:
    found = await find_collection(call, call.path["collection_id"])
    if found is None:
        raise NotFound
    return found


def _read_branch(call: Call) -> Narrowing:
    parent = read_parameter(_PARENT, "parent_id", call.query)
    words = read_parameter(_SEARCH, "search", call.query)
    named = Narrowing((_NAMED,), _SEARCH.values("search", words)) if words else Narrowing()
    if parent:
        return named.also(Narrowing((_BELOW,), {"parent_id": parent}))
    return named if words else Narrowing((_AT_ROOT,))


async def _show_branch(call: Call, rows: list[Row]) -> list[Row]:
    shape = read_shape(WORKSPACE_PAGES_V1, call.query)
    shape = shape._replace(fields=LISTED) if shape.fields is None else shape
    shown = await shape_rows(call, WORKSPACE_PAGES_V1, rows, shape)
    return [
        {
            "page_collection_id": row["membership_id"],
            "collection_id": row["collection_id"],
            "parent_id": row["parent_id"],
            "sort_order": row["place"],
            "page": page,
        }
        for row, page in zip(rows, shown, strict=True)
    ]


@cache
def _branch(clauses: tuple[sa.ColumnElement[bool], ...]) -> _Branch:
    same = sa.and_(
        pages.c.workspace_id == collection_pages.c.workspace_id, pages.c.id == collection_pages.c.page_id
    )
    conditions = (
        tenant(collection_pages),
        collection_pages.c.collection_id == _COLLECTION_ID,
        live(collection_pages),
        live(pages),
        pages.c.archived_at.is_(None),
        *clauses,
    )
    place = (collection_pages.c.id.label("membership_id"), collection_pages.c.sort_order.label("place"))
    order: sa.ColumnElement[float] = collection_pages.c.sort_order
    if any(clause is _BELOW for clause in clauses):
        order = (
            order + 0
        )  # SQLite would else read the whole collection in its order to find the few below a page
    rows = (
        sa.select(pages, *place)
        .join_from(collection_pages, pages, same)
        .where(*conditions)
        .order_by(order, collection_pages.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .offset(sa.bindparam("offset", type_=sa.Integer()))
    )
    total = (
        sa.select(sa.func.count().label("total"))
        .select_from(sa.join(collection_pages, pages, same))
        .where(*conditions, _INSIDE)
    )
    return _Branch(Statement(rows), Statement(total))


@cache
def _addable(clauses: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    return Statement(
        sa.select(pages.c.id, pages.c.name, pages.c.logo_props)
        .where(
            tenant(pages),
            pages.c.project_id.is_(None),
            pages.c.parent_id.is_(None),
            pages.c.archived_at.is_(None),
            live(pages),
            _ELSEWHERE,
            *clauses,
        )
        .order_by(pages.c.created_at.desc(), pages.c.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer()))
    )


COLLECTION_LIST_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "collections/{collection_id}/pages",
        handler=list_branch,
        scope="wiki.pages:read",
        name="list_collection_pages",
        summary="List the pages of a collection, branch by branch",
        shown=CollectionBranchPage,
        paged=True,
        query={
            "parent_id": _PARENT.describe("parent_id"),
            "search": _SEARCH.describe("search"),
            **shape_query(WORKSPACE_PAGES_V1),
            **page_query(PAGE_SIZE, PAGE_LIMIT),
        },
    ),
    Route(
        method="GET",
        path=WORKSPACE + "collections/{collection_id}/pages-search",
        handler=search_addable,
        scope="wiki.pages:read",
        name="search_collection_pages",
        summary="Search pages that can be added to a collection",
        shown=list[AddablePage],
        query={"search": _SEARCH.describe("search")},
    ),
]
