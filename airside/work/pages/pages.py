"""Pages: the documents of a project and of the workspace, public or private."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.rest.body import WRONG_DAY, Body, Html, Key, Name, Properties, Short, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.parameters import Choice, Contains, read_parameter
from airside.rest.record import Level, Narrowing, Record, Reference
from airside.rest.references import unknown_ids
from airside.rest.selection import find_record
from airside.rest.wires.v1.wire import V1
from airside.rich_text.html import clean_html
from airside.work.expansions import expand_user, expand_workspace
from airside.work.pages.filing import OWNED_BY_OTHERS, file_new, move_following, place, plan_move
from airside.work.pages.tables import PRIVATE, PUBLIC, collection_pages, pages
from airside.work.pages.tree import archive_descendants, leave_archived_parent
from airside.work.pages.visibility import can_edit, find_collection, in_project, in_workspace, manages
from airside.work.pages.work_item_pages import end_links

_CURRENT = pages.c.archived_at.is_(None)

# `type` of the list → its conditions. What is shared is in a private collection.
_TYPES: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
    "all": (),
    "public": (pages.c.access == PUBLIC, _CURRENT),
    "private": (pages.c.access == PRIVATE, pages.c.collection_id.is_(None), _CURRENT),
    "shared": (pages.c.access == PRIVATE, pages.c.collection_id.is_not(None), _CURRENT),
    "archived": (pages.c.archived_at.is_not(None),),
}
TYPE = Choice(sentence="Which pages are listed.", choices=tuple(_TYPES))

# The editor's own format: an object, or as some clients send it a text.
EditorDocument = Annotated[Any, msgspec.Meta(extra={"json_bytes": 384 * 1024})]


class PageIn(Body):
    example = {"name": "Minutes", "description_html": "<p>We met.</p>"}

    name: Name
    description_html: Html
    description: EditorDocument = None
    description_binary: Html | None = None
    access: Literal[0, 1] = PUBLIC
    color: Short = ""
    is_locked: bool = False
    archived_at: Short | None = None  # a date, or a timestamp whose date is used
    view_props: Properties | None = None
    logo_props: Properties | None = None
    parent_id: Uuid | None = None
    collection_id: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class PageSummary(Shown):
    """A page in a list: without the documents, as in Plane; `fields` can include them."""

    id: str
    name: str
    owned_by: str
    access: Literal[0, 1]
    color: str
    is_locked: bool
    archived_at: date | None
    workspace: str
    projects: list[str]
    created_at: datetime
    updated_at: datetime
    logo_props: dict[str, Any]
    parent_id: str | None
    anchor: str | None  # path of its public version
    collection_id: str | None
    page_collection_id: str | None
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None


class PageOut(PageSummary):
    view_props: dict[str, Any]
    description_html: str
    description_stripped: str
    description: Any
    description_binary: str | None


_PLACES = Statement(
    sa.select(collection_pages.c.page_id, collection_pages.c.id).where(
        tenant(collection_pages), any_of(collection_pages.c.page_id, "ids"), live(collection_pages)
    )
)


async def _load_places(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    ids = [row["id"] for row in rows if row["collection_id"]]
    if not ids:
        return {}
    found = await call.reader.fetch_all(_PLACES, workspace_id=call.workspace_id, ids=ids)
    return {row["page_id"]: row["id"] for row in found}


class Pages(Record):
    """Those of a project."""

    noun = "Page"
    about = "Pages of projects and of the workspace."
    table = pages
    level = Level.BOTH
    feature = "pages"
    event = "page"
    references = {"parent_id": Reference(pages, "project_id")}
    unlisted = ("description_html", "description_stripped", "description", "description_binary")
    unserved = ("collection_id",)
    computed = {
        "projects": Computed(of=lambda row: [row["project_id"]] if row["project_id"] else []),
        "page_collection_id": Computed(load=_load_places),
        **constants(anchor=None),  # of published pages, which Airside doesn't have
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        return in_project(call)

    def is_private(self, row: Row, /) -> bool:
        return row["access"] == PRIVATE

    async def prepare(self, call: Call, sent: Row, /) -> None:
        if "description_html" in sent:
            call.prepared["text"] = await clean_html(sent["description_html"], "description_html")

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["owned_by_id"] = call.caller.user_id
        row["archived_at"] = _read_date(row["archived_at"])
        row["view_props"] = row["view_props"] or {}
        row["logo_props"] = row["logo_props"] or {}
        row["description_html"], row["description_stripped"] = call.prepared["text"]
        row["description"] = row["description"] or {}
        await file_new(call, row, await _find_parent(call, row, row["parent_id"]))

    async def after_create(self, call: Call, row: Row, /) -> None:
        if row["collection_id"]:
            await place(call, row["id"], row["collection_id"], None)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _check_lock(call, row, changes)
        if (
            changes.get("access", row["access"]) != row["access"]
            and row["owned_by_id"] != call.caller.user_id
        ):
            raise Refused(OWNED_BY_OTHERS)
        _complete(call, row, changes)
        parent_id = changes.get("parent_id")
        parent = (
            await _find_parent(call, row, parent_id) if parent_id not in (None, row["parent_id"]) else None
        )
        await self._check_archiving(call, row, changes)
        await plan_move(_face_of(row), call, row, changes, parent)
        call.prepared["before"] = dict(row)

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        before = call.prepared["before"]
        if row["collection_id"] != before["collection_id"]:
            await move_following(_face_of(row), call, row)
        if (row["archived_at"] is None) != (before["archived_at"] is None):
            await archive_descendants(_face_of(row), call, row["id"], row["archived_at"])

    async def _check_archiving(self, call: Call, row: Row, changes: Row) -> None:
        """Archiving through an update has the rules of archiving."""
        if (changes.get("archived_at", row["archived_at"]) is None) == (row["archived_at"] is None):
            return
        _check_manager(call, row)
        if row["archived_at"] is not None:
            await leave_archived_parent(_face_of(row), call, row)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_manager(call, row)
        if row["archived_at"] is None:
            raise Refused("The page should be archived before deleting")
        await end_links(call, row)
        if row["collection_id"]:
            await place(call, row["id"], None, None)

    async def before_archive(self, call: Call, row: Row, /) -> None:
        _check_manager(call, row)
        if row["archived_at"] is None:
            await archive_descendants(_face_of(row), call, row["id"], call.now.date())

    async def before_unarchive(self, call: Call, row: Row, /) -> None:
        _check_manager(call, row)
        if row["archived_at"] is not None:
            await leave_archived_parent(_face_of(row), call, row)
            await archive_descendants(_face_of(row), call, row["id"], None)


class WorkspacePages(Pages):
    """Those of the workspace, which may be in collections."""

    feature = None
    references = {"parent_id": Reference(pages)}
    unserved = ()

    async def narrow(self, call: Call, /) -> Narrowing:
        return in_workspace(call)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        await _check_shared(call, row)
        await super().before_update(call, row, changes)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await _check_shared(call, row)
        await super().before_delete(call, row)

    async def before_archive(self, call: Call, row: Row, /) -> None:
        await _check_shared(call, row)
        await super().before_archive(call, row)

    async def before_unarchive(self, call: Call, row: Row, /) -> None:
        await _check_shared(call, row)
        await super().before_unarchive(call, row)


async def _list_type(call: Call) -> Narrowing:
    return Narrowing(_TYPES[read_parameter(TYPE, "type", call.query) or "all"])


PAGES = Pages()
PAGES_V1 = Face(
    PAGES,
    wire=V1,
    path="projects/{project_id}/pages",
    key="page_id",
    body=PageIn,
    shown=PageOut,
    scope="projects.pages",
    verbs=("create", "retrieve", "update", "delete"),
    listed=_list_type,
    filters={"search": Contains("name", "Only pages whose name contains this.")},
    expands={"owned_by": expand_user, "created_by": expand_user, "workspace": expand_workspace},
    page_size=20,
    page_limit=100,
)
WORKSPACE_PAGES_V1 = replace(
    PAGES_V1, record=WorkspacePages(), path="pages", noun="Workspace page", scope="wiki.pages"
)


def _face_of(row: Row) -> Face:
    return PAGES_V1 if row["project_id"] else WORKSPACE_PAGES_V1


async def _find_parent(call: Call, row: Row, parent_id: str | None) -> Row | None:
    """Raises Invalid for a page that the caller doesn't see, as for a missing one."""
    if parent_id is None:
        return None
    try:
        return await find_record(_face_of(row), call, parent_id)
    except NotFound:
        messages = unknown_ids(parent_id, [parent_id])
        raise Invalid({"parent_id": messages}, {"parent_id": "does_not_exist"}) from None


async def _check_shared(call: Call, row: Row) -> None:
    """Raises Forbidden for a page in a private collection that the caller may only read."""
    if row["collection_id"] and row["access"] == PRIVATE:
        collection = await find_collection(call, row["collection_id"])
        if collection is None or not can_edit(call, collection):
            raise Forbidden


def _check_lock(call: Call, row: Row, changes: Row) -> None:
    if row["is_locked"]:
        if changes.get("is_locked", True):
            raise Refused("Page is locked")
        if not manages(call, row):
            raise Refused("Only admin or owner can unlock the page")


def _check_manager(call: Call, row: Row) -> None:
    if not manages(call, row):
        raise Refused("Only admin or owner can archive or delete the page")


def _complete(call: Call, row: Row, changes: Row) -> None:
    """A new text ends the editor's own document of the former one, unless its new one comes with it."""
    if "archived_at" in changes:
        changes["archived_at"] = _read_date(changes["archived_at"])
    for name in ("view_props", "logo_props", "description"):
        if name in changes:
            changes[name] = changes[name] or {}
    if "description_html" in changes:
        changes["description_html"], changes["description_stripped"] = call.prepared["text"]
        if changes["description_html"] != row["description_html"]:
            changes.setdefault("description", {})
            changes.setdefault("description_binary", None)


def _read_date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Invalid({"archived_at": [WRONG_DAY]}) from None
