"""Who sees which pages and collections, and who may change what is in a collection.

A public page is everybody's in its project or, of the workspace, everybody's but guests'. A private page is its
owner's, or in a private collection that of the collection's owner and members.
"""

from functools import cache

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Forbidden, Invalid
from airside.rest.call import Call
from airside.rest.record import ADMIN, MEMBER, Narrowing
from airside.rest.references import unknown_ids
from airside.work.access import in_visible_projects
from airside.work.pages.tables import EDIT, PUBLIC, collection_members, collections, pages

_VIEWER = sa.bindparam("viewer_id", type_=Id())
_ENTERED = sa.select(collection_members.c.collection_id).where(
    tenant(collection_members, "viewed_workspace_id"),
    collection_members.c.member_id == _VIEWER,
    live(collection_members),
)
_OWNED = sa.select(collections.c.id).where(
    tenant(collections, "viewed_workspace_id"), collections.c.owned_by_id == _VIEWER, live(collections)
)
_OWN_COLLECTION = sa.or_(collections.c.owned_by_id == _VIEWER, collections.c.id.in_(_ENTERED))
_OWN_PAGE = sa.and_(pages.c.collection_id.is_(None), pages.c.owned_by_id == _VIEWER)
_SHARED = sa.or_(pages.c.collection_id.in_(_ENTERED), pages.c.collection_id.in_(_OWNED))

_IN_PROJECT = (sa.or_(pages.c.access == PUBLIC, pages.c.owned_by_id == _VIEWER),)
_IN_WORKSPACE = (sa.or_(pages.c.access == PUBLIC, _OWN_PAGE, _SHARED),)
_OF_GUEST = (sa.or_(_OWN_PAGE, _SHARED),)
_COLLECTIONS = (sa.or_(collections.c.access == PUBLIC, _OWN_COLLECTION),)
_COLLECTIONS_OF_GUEST = (_OWN_COLLECTION,)


def in_project(call: Call) -> Narrowing:
    """The pages of a project that the caller sees; for the workspace's use `in_workspace`."""
    return Narrowing(_IN_PROJECT, {"viewer_id": call.caller.user_id})


def in_workspace(call: Call) -> Narrowing:
    """The workspace's own pages that the caller sees."""
    return Narrowing(_IN_WORKSPACE if call.workspace_role >= MEMBER else _OF_GUEST, _params(call))


def anywhere(call: Call) -> Narrowing:
    """The pages that the caller sees, the workspace's and those of their projects and of the call's project."""
    projects = in_visible_projects(call, pages.c.project_id)
    clauses = _anywhere_clauses(in_workspace(call).clauses, projects.clauses)
    params = {**_params(call), **projects.params, "own_project_id": call.project_id}
    return Narrowing(clauses, params)


def of_collections(call: Call) -> Narrowing:
    """The collections that the caller sees."""
    clauses = _COLLECTIONS if call.workspace_role >= MEMBER else _COLLECTIONS_OF_GUEST
    return Narrowing(clauses, _params(call))


@cache
def _anywhere_clauses(
    workspace: tuple[sa.ColumnElement[bool], ...], projects: tuple[sa.ColumnElement[bool], ...]
) -> tuple[sa.ColumnElement[bool], ...]:
    reached = sa.or_(sa.and_(*projects), pages.c.project_id == sa.bindparam("own_project_id", type_=Id()))
    own = sa.and_(pages.c.project_id.is_(None), *workspace)
    return (sa.or_(own, sa.and_(pages.c.project_id.is_not(None), reached, *_IN_PROJECT)),)


def _params(call: Call) -> Row:
    return {"viewer_id": call.caller.user_id, "viewed_workspace_id": call.workspace_id}


@cache
def _find_collection(clauses: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    own = sa.and_(
        collection_members.c.workspace_id == collections.c.workspace_id,
        collection_members.c.collection_id == collections.c.id,
        collection_members.c.member_id == _VIEWER,
        live(collection_members),
    )
    return Statement(
        sa.select(collections, collection_members.c.access.label("member_access"))
        .join(collection_members, own, isouter=True)
        .where(
            tenant(collections),
            collections.c.id == sa.bindparam("collection_id", type_=Id()),
            live(collections),
            *clauses,
        )
    )


async def find_collection(call: Call, collection_id: str) -> Row | None:
    """The collection with the caller's `member_access`; None for one that they don't see."""
    seen = of_collections(call)
    keys = {"workspace_id": call.workspace_id, "collection_id": collection_id}
    return await call.reader.fetch_one(_find_collection(seen.clauses), **keys, **seen.params)


async def require_collection(call: Call, collection_id: str, field: str = "collection_id") -> Row:
    """The collection, to put something into it. Raises Invalid under the field, Forbidden without edit access."""
    found = await find_collection(call, collection_id)
    if found is None:
        raise Invalid({field: unknown_ids(collection_id, [collection_id])}, {field: "does_not_exist"})
    check_edit(call, found)
    return found


def can_edit(call: Call, collection: Row) -> bool:
    """Whether the caller may change and arrange the pages of a collection that they see."""
    if collection["access"] == PUBLIC:
        return call.workspace_role >= MEMBER
    return collection["owned_by_id"] == call.caller.user_id or collection["member_access"] == EDIT


def check_edit(call: Call, collection: Row) -> None:
    """Raises Forbidden."""
    if not can_edit(call, collection):
        raise Forbidden


def manages(call: Call, row: Row) -> bool:
    """Whether a page or collection is the caller's, or they are an admin."""
    return row["owned_by_id"] == call.caller.user_id or call.role >= ADMIN
