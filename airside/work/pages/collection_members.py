"""Who sees a private collection, and what they may do there. Its owner and admins decide that."""

from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.errors import Conflict, Forbidden, Invalid, NotFound
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import EVERYTHING, Level, Narrowing, Parent, Record, Reference
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_user, expand_workspace
from airside.work.pages.tables import collection_members, collections
from airside.work.pages.visibility import find_collection, manages
from airside.workspaces.tables import workspace_members

_FIND = Statement(
    sa.select(collection_members.c.id).where(
        tenant(collection_members),
        collection_members.c.collection_id == sa.bindparam("collection_id", type_=Id()),
        collection_members.c.member_id == sa.bindparam("member_id", type_=Id()),
        live(collection_members),
    )
)
_END = Statement(
    sa.update(collection_members)
    .where(
        tenant(collection_members),
        collection_members.c.member_id == sa.bindparam("of_member", type_=Id()),
        live(collection_members),
    )
    .values(deleted_at=sa.bindparam("now", type_=collection_members.c.deleted_at.type))
)


class CollectionMemberIn(Body):
    member: Uuid
    access: Literal[0, 1, 2]


class CollectionMemberOut(Shown):
    id: str
    collection: str
    member: str
    access: Literal[0, 1, 2]
    workspace: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None


class CollectionMembers(Record):
    noun = "Collection member"
    about = "Who sees a private collection of pages."
    table = collection_members
    level = Level.WORKSPACE
    event = None
    eventless = "who sees a private collection, which no webhook may read"
    has_history = False  # which others may read
    parents = (Parent("collection_id", collections, "collection_id"),)
    references = {"member_id": Reference(workspace_members, column="user_id")}

    async def narrow(self, call: Call, /) -> Narrowing:
        await _find_collection(call)
        return EVERYTHING

    async def prepare(self, call: Call, sent: Row, /) -> None:
        await _find_collection(call)  # before anything about the body is answered

    async def before_create(self, call: Call, row: Row, /) -> None:
        await _check_manager(call)
        keys = {name: row[name] for name in ("workspace_id", "collection_id", "member_id")}
        existing = await call.reader.fetch_value(_FIND, **keys)
        if existing is not None:
            raise Conflict("The member is already in the collection", existing=existing)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        await _check_manager(call)
        if changes.get("member_id", row["member_id"]) != row["member_id"]:
            raise Invalid({"member_id": ["The member cannot be changed."]})

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await _check_manager(call)


async def _find_collection(call: Call) -> Row:
    """Raises NotFound for a collection that the caller doesn't see."""
    found = await find_collection(call, call.path["collection_id"])
    if found is None:
        raise NotFound
    return found


async def _check_manager(call: Call) -> None:
    if not manages(call, await _find_collection(call)):
        raise Forbidden


COLLECTION_MEMBERS_V1 = Face(
    CollectionMembers(),
    wire=V1,
    path="collections/{collection_id}/members",
    key="collection_member_id",
    body=CollectionMemberIn,
    shown=CollectionMemberOut,
    scope="wiki.pages",
    verbs=("create", "update", "delete"),
    order_by=("created_at",),
    expands={"member": expand_user, "workspace": expand_workspace, "created_by": expand_user},
    page_size=1000,
)
COLLECTION_MEMBER_ROUTES = [bare_list_route(COLLECTION_MEMBERS_V1)]


async def end_collection_memberships(tx: Transaction, workspace_id: str, user_id: str, now: datetime) -> None:
    """Of a member who leaves the workspace, so that one who returns doesn't see again what was shared before."""
    await tx.execute(_END, workspace_id=workspace_id, of_member=user_id, now=now)
