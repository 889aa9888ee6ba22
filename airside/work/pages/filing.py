"""Putting pages into collections: a page and what is below it move together, and their access follows.

A page in a public collection is public, in a private one private. Private pages of a public page stay out of it.
"""

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Forbidden, Invalid, Refused
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.gate import record_updated
from airside.rest.record import ADMIN
from airside.rest.verbs import store_changes
from airside.work.pages.tables import PRIVATE, PUBLIC, collection_pages
from airside.work.pages.tree import list_descendants
from airside.work.pages.visibility import can_edit, find_collection, require_collection

SORT_STEP = 10_000.0
OWNED_BY_OTHERS = "Access cannot be updated since this page is owned by someone else"

_LAST_SORT = Statement(
    sa.select(sa.func.max(collection_pages.c.sort_order).label("last")).where(
        tenant(collection_pages),
        collection_pages.c.collection_id == sa.bindparam("collection_id", type_=Id()),
        live(collection_pages),
    )
)
_MEMBERSHIP = Statement(
    sa.select(collection_pages).where(
        tenant(collection_pages),
        collection_pages.c.page_id == sa.bindparam("page_id", type_=Id()),
        live(collection_pages),
    )
)


async def file_new(call: Call, row: Row, parent: Row | None) -> None:
    """Complete a new page with the collection of its parent, and with the access that its collection has."""
    wanted = row["collection_id"]
    if parent is not None:
        _check_with_parent(wanted, parent)
        row["collection_id"] = wanted = parent["collection_id"]
    if wanted is None:
        return
    target = await require_collection(call, wanted)
    if target["access"] == PUBLIC and row["access"] == PRIVATE:
        raise Invalid({"access": ["A page in a public collection is public."]})
    row["access"] = target["access"]


async def plan_move(face: Face, call: Call, row: Row, changes: Row, parent: Row | None) -> None:
    """Check and complete the changes to a page that has a new `parent` or another collection. What has to follow it
    goes into `call.prepared`. Raises Invalid, Refused and Forbidden."""
    wanted = changes.get("collection_id", row["collection_id"])
    if parent is not None:
        _check_with_parent(changes.get("collection_id"), parent)
        wanted = parent["collection_id"]
    if wanted == row["collection_id"]:
        if row["collection_id"] and changes.get("access", row["access"]) != row["access"]:
            raise Refused("The access of a page in a collection is the collection's")
        return
    source = await find_collection(call, row["collection_id"]) if row["collection_id"] else None
    target = await require_collection(call, wanted) if wanted else None
    following = await _list_following(face, call, row)
    _check_leaving(call, row, source, following)
    _check_entering(call, row, target, following, parent)
    changes["collection_id"] = wanted
    if row["parent_id"] is not None and parent is None:
        changes["parent_id"] = None
    if target is not None:
        if changes.get("access", target["access"]) != target["access"]:
            raise Invalid({"access": ["A page in a collection has the access of the collection."]})
        changes["access"] = target["access"]
    call.prepared["following"] = following


async def move_following(face: Face, call: Call, root: Row) -> None:
    """After a page was moved: place it in its collection, and move what is below it."""
    await place(call, root["id"], root["collection_id"], call.prepared.pop("sort_order", None))
    for row in call.prepared.pop("following", ()):
        changes = {"collection_id": root["collection_id"]}
        if root["collection_id"] is not None:
            changes["access"] = root["access"]
        await move_one(face, call, row, changes)


async def move_one(face: Face, call: Call, row: Row, changes: Row) -> None:
    """Store the new collection of one page with its event."""
    after = await store_changes(face, call, row, changes)
    await place(call, row["id"], after["collection_id"], None)
    action = "archived" if changes.get("archived_at") and row["archived_at"] is None else "updated"
    await record_updated(call, face, row, after, tuple(changes), action)


async def place(call: Call, page_id: str, collection_id: str | None, sort_order: float | None) -> None:
    """Keep the page's membership: where it is last, unless `sort_order` says where."""
    found = await call.reader.fetch_one(_MEMBERSHIP, workspace_id=call.workspace_id, page_id=page_id)
    stamp = {"updated_at": call.now, "updated_by_id": call.caller.user_id}
    if collection_id is None:
        if found is not None:
            await _change(call, found, {"deleted_at": call.now, **stamp})
        return
    if sort_order is None:
        keys = {"workspace_id": call.workspace_id, "collection_id": collection_id}
        sort_order = (await call.reader.fetch_value(_LAST_SORT, **keys) or 0.0) + SORT_STEP
    placed = {"collection_id": collection_id, "sort_order": sort_order}
    if found is not None:
        await _change(call, found, {**placed, **stamp})
        return
    row = {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "page_id": page_id,
        **placed,
        "created_at": call.now,
        "created_by_id": call.caller.user_id,
        **stamp,
    }
    await call.writer.insert(collection_pages, row)


async def _change(call: Call, membership: Row, changes: Row) -> None:
    keys = {"workspace_id": call.workspace_id, "id": membership["id"]}
    await call.writer.update(collection_pages, changes, **keys)


def _check_with_parent(wanted: str | None, parent: Row) -> None:
    if wanted not in (None, parent["collection_id"]):
        raise Invalid({"collection_id": ["A sub-page is in the collection of its parent."]})


async def _list_following(face: Face, call: Call, row: Row) -> list[Row]:
    """What is below a page and moves with it. A private page in no collection follows only
    a private page of the same owner."""
    is_private = row["access"] == PRIVATE and row["collection_id"] is None
    return [
        below
        for below in await list_descendants(face, call, row["id"])
        if below["access"] == PUBLIC
        or below["collection_id"] is not None
        or (is_private and below["owned_by_id"] == row["owned_by_id"])
    ]


def _check_leaving(call: Call, row: Row, source: Row | None, following: list[Row]) -> None:
    if source is None or source["access"] == PUBLIC:
        return
    if row["parent_id"] is not None:
        raise Refused("A sub-page cannot leave a private collection by itself")
    if call.workspace_role < ADMIN and not (_owns_all(call, row, following) and can_edit(call, source)):
        raise Forbidden


def _check_entering(
    call: Call, row: Row, target: Row | None, following: list[Row], parent: Row | None
) -> None:
    if target is None or target["access"] == PUBLIC:
        return
    if row["parent_id"] is not None and parent is None:
        raise Refused("Only root pages can be moved to a private collection")
    if call.workspace_role < ADMIN and not _owns_all(call, row, following):
        raise Refused(OWNED_BY_OTHERS)


def _owns_all(call: Call, row: Row, following: list[Row]) -> bool:
    return all(one["owned_by_id"] == call.caller.user_id for one in (row, *following))
