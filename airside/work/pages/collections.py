"""Collections of the workspace's pages: public ones, and private ones that only their members see."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Forbidden, Invalid
from airside.rest.body import Body, Name, Number, Properties
from airside.rest.call import Call
from airside.rest.computed import Computed, compute, constants
from airside.rest.face import Face, Shown
from airside.rest.followups import Followup, follow_up, in_turns
from airside.rest.parameters import Flag, read_parameter
from airside.rest.record import ADMIN, Level, Narrowing, Record
from airside.rest.routes import verb_route
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_user, expand_workspace
from airside.work.pages.filing import move_one
from airside.work.pages.pages import WORKSPACE_PAGES_V1
from airside.work.pages.tables import EDIT, PRIVATE, PUBLIC, collection_members, collections, pages
from airside.work.pages.visibility import in_workspace, manages, of_collections

SORT_STEP = 10_000.0
_ARCHIVE = Flag(
    sentence="Whether its pages are archived; those of a private collection always are. Absent: they are."
)

_LAST_SORT = Statement(
    sa.select(sa.func.max(collections.c.sort_order).label("last")).where(
        tenant(collections), live(collections)
    )
)
_OWN_ACCESS = Statement(
    sa.select(collection_members.c.collection_id, collection_members.c.access).where(
        tenant(collection_members),
        any_of(collection_members.c.collection_id, "ids"),
        collection_members.c.member_id == sa.bindparam("user_id", type_=Id()),
        live(collection_members),
    )
)
_PAGES = Statement(
    sa.select(pages)
    .where(tenant(pages), pages.c.collection_id == sa.bindparam("collection_id", type_=Id()), live(pages))
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update()
)
_END_MEMBERSHIPS = Statement(
    sa.update(collection_members)
    .where(
        tenant(collection_members),
        collection_members.c.collection_id == sa.bindparam("of_collection", type_=Id()),
        live(collection_members),
    )
    .values(deleted_at=sa.bindparam("now", type_=collection_members.c.deleted_at.type))
)


class CollectionIn(Body):
    example = {"name": "Handbook"}

    name: Name
    access: Literal[0, 1] = PUBLIC
    logo_props: Properties | None = None
    sort_order: Number | None = None


class CollectionOut(Shown):
    id: str
    name: str
    owned_by_id: str
    access: Literal[0, 1]
    current_user_access: Literal[0, 1, 2] | None  # of a private one
    has_pages: bool
    is_default: bool
    is_global: bool
    logo_props: dict[str, Any]
    sort_order: float
    workspace: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None


async def _load_access(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    private = [row for row in rows if row["access"] == PRIVATE]
    if not private:
        return {}
    keys = {"workspace_id": call.workspace_id, "user_id": call.caller.user_id}
    found = await call.reader.fetch_all(_OWN_ACCESS, **keys, ids=[row["id"] for row in private])
    owned = {row["id"]: EDIT for row in private if row["owned_by_id"] == call.caller.user_id}
    return owned | {row["collection_id"]: row["access"] for row in found}


async def _load_has_pages(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    seen = in_workspace(call)
    keys = {"workspace_id": call.workspace_id, "ids": [row["id"] for row in rows], **seen.params}
    return {row["id"]: True for row in await call.reader.fetch_all(_with_pages(seen.clauses), **keys)}


@cache
def _with_pages(clauses: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    # Not EXISTS, which PostgreSQL's generic plan answers from all filed pages of the workspace; and by the order of
    # an index, or it would scan the table for the first one.
    inside = (
        sa.select(pages.c.id)
        .where(
            tenant(pages),
            pages.c.collection_id == collections.c.id,
            pages.c.archived_at.is_(None),
            live(pages),
            *clauses,
        )
        .order_by(pages.c.parent_id)
        .limit(sa.literal_column("1"))
        .scalar_subquery()
    )
    named = any_of(collections.c.id, "ids")
    return Statement(sa.select(collections.c.id).where(tenant(collections), named, inside.is_not(None)))


class Collections(Record):
    noun = "Collection"
    about = "Collections of the workspace's pages."
    table = collections
    level = Level.WORKSPACE
    event = "collection"
    computed = {
        "current_user_access": Computed(load=_load_access),
        "has_pages": Computed(load=_load_has_pages, empty=False),
        **constants(is_default=False, is_global=True),  # there are only those of the workspace, each made
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        return of_collections(call)

    def is_private(self, row: Row, /) -> bool:
        return row["access"] == PRIVATE

    async def before_create(self, call: Call, row: Row, /) -> None:
        if row["access"] == PRIVATE and call.workspace_role < ADMIN:
            raise Forbidden("Only admins of the workspace can create private collections.")
        row["owned_by_id"] = call.caller.user_id
        row["logo_props"] = row["logo_props"] or {}
        if row["sort_order"] is None:
            last = await call.reader.fetch_value(_LAST_SORT, workspace_id=call.workspace_id)
            row["sort_order"] = (last or 0.0) + SORT_STEP

    async def after_create(self, call: Call, row: Row, /) -> None:
        if row["access"] == PRIVATE:
            stamp = {
                name: row[name] for name in ("workspace_id", "created_at", "updated_at", "created_by_id")
            }
            member = {"collection_id": row["id"], "member_id": row["owned_by_id"], "access": EDIT}
            await call.writer.insert(collection_members, {"id": new_id(), **stamp, **member})

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _check_manager(call, row)
        if changes.get("access", row["access"]) != row["access"]:
            raise Invalid({"access": ["The access of a collection cannot be changed."]})
        if "logo_props" in changes:
            changes["logo_props"] = changes["logo_props"] or {}

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_manager(call, row)
        wanted = read_parameter(_ARCHIVE, "archive_pages", call.query)
        is_archived = row["access"] == PRIVATE or wanted is not False
        await follow_up(call, ARCHIVED_PAGES if is_archived else RELEASED_PAGES, row["id"])
        keys = {"workspace_id": call.workspace_id, "of_collection": row["id"]}
        await call.writer.execute(_END_MEMBERSHIPS, **keys, now=call.now)


async def _release_pages(is_archived: bool, call: Call, collection_id: str, _: Row, limit: int) -> int:
    """Take pages out. Those of a private collection stay private, to their owners."""
    keys = {"workspace_id": call.workspace_id, "collection_id": collection_id}
    rows = await call.reader.fetch_all(_PAGES, **keys, limit=limit)
    await compute(WORKSPACE_PAGES_V1.record.computed, call, rows)
    async for page in in_turns(rows):
        changes: Row = {"collection_id": None}
        if is_archived and page["archived_at"] is None:
            changes["archived_at"] = call.now.date()
        await move_one(WORKSPACE_PAGES_V1, call, page, changes)
    return len(rows)


# The pages of a collection that is deleted, with and without archiving them.
ARCHIVED_PAGES = Followup("collection.archived_pages", partial(_release_pages, True))
RELEASED_PAGES = Followup("collection.released_pages", partial(_release_pages, False))


def _check_manager(call: Call, row: Row) -> None:
    if not manages(call, row):
        raise Forbidden


COLLECTIONS_V1 = Face(
    Collections(),
    wire=V1,
    path="collections",
    key="collection_id",
    body=CollectionIn,
    shown=CollectionOut,
    names={"owned_by_id": "owned_by_id"},
    scope="wiki.pages",
    verbs=("create", "retrieve", "update"),
    order_by=("sort_order",),
    expands={"workspace": expand_workspace, "created_by": expand_user, "updated_by": expand_user},
    page_size=1000,
)
COLLECTION_ROUTES = [
    bare_list_route(COLLECTIONS_V1),
    replace(
        verb_route(COLLECTIONS_V1, "delete"), query={"archive_pages": _ARCHIVE.describe("archive_pages")}
    ),
]
