"""The pages of a collection: list a branch, add pages, move them, take them out.

A page that is added or moved is a changed page: the rules and events are those of pages. Its order within the
collection is no part of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid, NotFound
from airside.rest.body import Body, Conditions, Number, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown, wire_names
from airside.rest.record import Level, Record
from airside.rest.references import unknown_ids
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_among
from airside.rest.shaping import shape_rows
from airside.rest.verbs import change_record, in_transaction
from airside.rest.wires.v1.wire import V1
from airside.work.pages.filing import place
from airside.work.pages.pages import WORKSPACE_PAGES_V1
from airside.work.pages.placement import Placement, read_placement
from airside.work.pages.tables import collection_pages
from airside.work.pages.visibility import check_edit, find_collection

_OF_PAGES = Statement(
    sa.select(collection_pages).where(
        tenant(collection_pages), any_of(collection_pages.c.page_id, "ids"), live(collection_pages)
    )
)
_FIND = Statement(
    sa.select(collection_pages).where(
        tenant(collection_pages),
        collection_pages.c.collection_id == sa.bindparam("collection_id", type_=Id()),
        collection_pages.c.id == sa.bindparam("id", type_=Id()),
        live(collection_pages),
    )
)
# Page id → its place.
SortOrders = Annotated[dict[str, Number], Meta(extra={"json_bytes": 64 * 1024})]


class CollectionPagesIn(Body):
    page_ids: Annotated[list[Uuid], Meta(min_length=1)]
    sort_orders: SortOrders | None = None
    placement: Conditions | None = None


class CollectionPageIn(Body):
    example = {"sort_order": 25000.0}

    collection: Uuid | None = None
    sort_order: Number | None = None
    placement: Conditions | None = None


class CollectionPageOut(Shown):
    id: str
    collection: str
    page: str
    workspace: str
    sort_order: float
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None


class CollectionPages(Record):
    noun = "Collection page"
    table = collection_pages
    level = Level.WORKSPACE
    event = None
    eventless = "its change is one of the page"


COLLECTION_PAGES_V1 = Face(
    CollectionPages(),
    wire=V1,
    path="collections/{collection_id}/pages",
    key="page_collection_id",
    body=CollectionPageIn,
    shown=CollectionPageOut,
    scope="wiki.pages",
    verbs=(),
)


async def add_pages(call: Call) -> list[Row]:
    """Put pages into the collection, each with what is below it. Raises NotFound, Invalid, Forbidden, Refused."""

    async def work() -> list[Row]:
        await call.access.lock_workspace(call)
        collection = await _get_collection(call)
        check_edit(call, collection)
        ids = list(dict.fromkeys(call.body["page_ids"]))
        orders = _read_orders(call.body.get("sort_orders"), ids)
        rows = await find_among(WORKSPACE_PAGES_V1, call, "id", ids, lock=True)
        found = {row["id"]: row for row in rows}
        if missing := [one for one in ids if one not in found]:
            raise Invalid({"page_ids": unknown_ids(call.body["page_ids"], missing)})
        for one in ids:
            where = await read_placement(call, collection["id"], call.body, len(ids), orders.get(one))
            await _put(call, found[one], collection["id"], where)
        return await _show(call, ids)

    return await in_transaction(call, work)


async def update_page(call: Call) -> Row:
    """Move a page to another collection, or to another place in its own."""

    async def work() -> Row:
        await call.access.lock_workspace(call)
        row = await _find_page(call)
        wanted = call.body.get("collection") or row["collection_id"]
        where = await read_placement(call, wanted, call.body, 1, call.body.get("sort_order"))
        check_edit(call, await _get_collection(call))
        is_placed = where.sort_order is not None or call.body.get("placement") is not None
        if wanted != row["collection_id"] or is_placed:
            with wire_names(COLLECTION_PAGES_V1):
                await _put(call, row, wanted, where)
        return (await _show(call, [row["id"]]))[0]

    return await in_transaction(call, work)


async def remove_page(call: Call) -> None:
    """Take a page and what is below it out of the collection."""

    async def work() -> None:
        await call.access.lock_workspace(call)
        row = await _find_page(call)
        check_edit(call, await _get_collection(call))
        await change_record(WORKSPACE_PAGES_V1, call, row, {"collection_id": None})

    await in_transaction(call, work)


async def _put(call: Call, row: Row, collection_id: str, where: Placement) -> None:
    changes: Row = {}
    if row["collection_id"] != collection_id:
        changes["collection_id"] = collection_id
    if where.moves_below and where.parent != row["parent_id"]:
        changes["parent_id"] = where.parent
    call.prepared["sort_order"] = where.sort_order
    if changes:
        await change_record(WORKSPACE_PAGES_V1, call, row, changes)
    if "collection_id" not in changes:
        await place(call, row["id"], collection_id, where.sort_order)
    call.prepared.pop("sort_order", None)


async def _get_collection(call: Call) -> Row:
    found = await find_collection(call, call.path["collection_id"])
    if found is None:
        raise NotFound
    return found


async def _find_page(call: Call) -> Row:
    """The page of the URL's membership, locked. Raises NotFound."""
    collection = await _get_collection(call)
    keys = {"workspace_id": call.workspace_id, "collection_id": collection["id"]}
    membership = await call.reader.fetch_one(_FIND, **keys, id=call.path["page_collection_id"])
    if membership is None:
        raise NotFound
    rows = await find_among(WORKSPACE_PAGES_V1, call, "id", [membership["page_id"]], lock=True)
    if not rows:
        raise NotFound
    return rows[0]


async def _show(call: Call, page_ids: Sequence[str]) -> list[Row]:
    rows = await call.reader.fetch_all(_OF_PAGES, workspace_id=call.workspace_id, ids=list(page_ids))
    places = {one: number for number, one in enumerate(page_ids)}
    rows.sort(key=lambda row: places[row["page_id"]])
    return await shape_rows(call, COLLECTION_PAGES_V1, rows)


def _read_orders(sent: dict[str, float] | None, ids: Sequence[str]) -> dict[str, float]:
    orders = {name.lower(): order for name, order in (sent or {}).items()}
    if strange := [name for name in orders if name not in ids]:
        raise Invalid({"sort_orders": [f'"{strange[0][:100]}" is not one of page_ids.']})
    return orders


def _writing(method: str, *, tail: str = "", **fields: Any) -> Route:
    return Route(
        **place_of(COLLECTION_PAGES_V1, tail),
        method=method,
        scope="wiki.pages:write",
        role=COLLECTION_PAGES_V1.record.write_role,
        event="page.updated",
        face=COLLECTION_PAGES_V1,
        **fields,
    )


_ONE = "/{page_collection_id}"
COLLECTION_PAGE_ROUTES = [
    _writing(
        "POST", handler=add_pages, name="add_collection_pages", summary="Add pages to a collection",
        body=CollectionPagesIn, shown=list[CollectionPageOut], status=201,
    ),
    _writing(
        "PATCH", tail=_ONE, handler=update_page, name="update_collection_page",
        summary="Move a page to another collection or place", body=CollectionPageIn, partial=True,
        shown=CollectionPageOut,
    ),
    _writing(
        "DELETE", tail=_ONE, handler=remove_page, name="remove_collection_page",
        summary="Take a page out of a collection", status=204,
    ),
]  # fmt: skip
