"""Where in a collection a page goes: `sort_order`, or a `placement` as Plane's clients send it.

{"type": "append", "parent_id": null}                 last, below this page of the collection or at its root
{"type": "before", "target_page_id": "…"}             beside this page; likewise "after"
"""

from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import Id, Row, is_uuid
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.references import unknown_ids
from airside.work.pages.filing import SORT_STEP
from airside.work.pages.tables import collection_pages, pages

_KINDS = ("append", "before", "after")


class Placement(NamedTuple):
    """`parent` is the new parent's id, None for the root; it isn't changed where `moves_below` is False."""

    sort_order: float | None = None  # None: last
    moves_below: bool = False
    parent: str | None = None


_IN_COLLECTION = Statement(
    sa.select(collection_pages.c.sort_order, pages.c.parent_id)
    .join(
        pages,
        sa.and_(
            pages.c.workspace_id == collection_pages.c.workspace_id, pages.c.id == collection_pages.c.page_id
        ),
    )
    .where(
        tenant(collection_pages),
        collection_pages.c.collection_id == sa.bindparam("collection_id", type_=Id()),
        collection_pages.c.page_id == sa.bindparam("page_id", type_=Id()),
        live(collection_pages),
    )
)


def _neighbour(is_before: bool) -> Statement:
    order = collection_pages.c.sort_order
    beside = sa.bindparam("beside", type_=sa.Float())
    nearest = sa.func.max(order) if is_before else sa.func.min(order)
    return Statement(
        sa.select(nearest.label("nearest")).where(
            tenant(collection_pages),
            collection_pages.c.collection_id == sa.bindparam("collection_id", type_=Id()),
            order < beside if is_before else order > beside,
            live(collection_pages),
        )
    )


_NEIGHBOURS = {"before": _neighbour(True), "after": _neighbour(False)}


async def read_placement(
    call: Call, collection_id: str, sent: dict[str, Any], count: int, sort_order: float | None
) -> Placement:
    """What a body asks for; `count` is the number of pages that are placed. Raises Invalid."""
    placement = sent.get("placement")
    if placement is None:
        return Placement(sort_order)
    kind = placement.get("type")
    if kind not in _KINDS:
        raise Invalid({"placement": ['Its "type" is "append", "before" or "after".']})
    parent = await _read_parent(call, collection_id, placement)
    if kind == "append":
        return Placement(None, "parent_id" in placement, parent)
    if count != 1:
        raise Invalid({"placement": ["Exactly one page is placed before or after another."]})
    target = await _find_in(call, collection_id, placement.get("target_page_id"), "target_page_id")
    below = parent if "parent_id" in placement else target["parent_id"]
    return Placement(await _beside(call, collection_id, kind, target["sort_order"]), True, below)


async def _read_parent(call: Call, collection_id: str, placement: Row) -> str | None:
    parent = placement.get("parent_id")
    if parent is not None:
        await _find_in(call, collection_id, parent, "parent_id")
        parent = cast(str, parent).lower()
    return parent


async def _find_in(call: Call, collection_id: str, page_id: Any, name: str) -> Row:
    """The place of a page that has to be in the collection."""
    if not isinstance(page_id, str) or not is_uuid(page_id):
        raise Invalid({"placement": [f'Its "{name}" must be a valid UUID.']})
    keys = {"workspace_id": call.workspace_id, "collection_id": collection_id, "page_id": page_id.lower()}
    found = await call.reader.fetch_one(_IN_COLLECTION, **keys)
    if found is None:
        raise Invalid({"placement": unknown_ids(page_id, [page_id])})
    return found


async def _beside(call: Call, collection_id: str, kind: str, order: float) -> float:
    keys = {"workspace_id": call.workspace_id, "collection_id": collection_id, "beside": order}
    nearest = await call.reader.fetch_value(_NEIGHBOURS[kind], **keys)
    if nearest is None:
        return order - SORT_STEP if kind == "before" else order + SORT_STEP
    return (order + nearest) / 2
