"""Pages: a project's documents, public in the project or private to their owner."""

from datetime import date, datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Json, Row, metadata
from airside.errors import Invalid, Refused
from airside.rest.archive import archive_routes
from airside.rest.body import Body, Html, Key, Name, Properties, Short, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.parameters import Choice, Contains, read_parameter
from airside.rest.record import ADMIN, Narrowing, Record, Reference
from airside.rest.route import Route
from airside.rest.selection import list_records
from airside.rest.shaping import shape_rows, shown_names
from airside.rest.verbs import list_all, update
from airside.rest.wires.v1.lists import read_order, read_shape
from airside.rest.wires.v1.paging import read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import list_query
from airside.rest.wires.v1.wire import V1
from airside.rich_text.html import clean_html
from airside.work.expansions import expand_user, expand_workspace
from airside.work.rows import index_parents, index_records, project_row

PUBLIC, PRIVATE = 0, 1

pages = sa.Table(
    "pages",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description_html", sa.Text, nullable=False),
    sa.Column("description_stripped", sa.Text, nullable=False),
    sa.Column("owned_by_id", Id, nullable=False),
    sa.Column("access", sa.Integer, nullable=False),  # 0 public in the project, 1 private to its owner
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("is_locked", sa.Boolean, nullable=False),
    sa.Column("archived_at", sa.Date),
    sa.Column("parent_id", Id),
    sa.Column("view_props", Json, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
)
index_records(pages)
index_parents(pages)

_VISIBLE = (sa.or_(pages.c.access == PUBLIC, pages.c.owned_by_id == sa.bindparam("viewer_id", type_=Id())),)
_CURRENT = pages.c.archived_at.is_(None)

# `type` of the list → its conditions. Sharing with single people isn't supported yet, so `shared` is empty.
_TYPES: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
    "all": (),
    "public": (pages.c.access == PUBLIC, _CURRENT),
    "private": (pages.c.access == PRIVATE, _CURRENT),
    "shared": (sa.false(),),
    "archived": (pages.c.archived_at.is_not(None),),
}
_TYPE = Choice(sentence="Which pages are listed.", choices=tuple(_TYPES))


class PageIn(Body):
    example = {"name": "Minutes", "description_html": "<p>We met.</p>"}

    name: Name
    description_html: Html
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
    description: dict[str, Any]  # the editor's own format, which Airside doesn't store
    description_binary: str | None


_LISTED = shown_names(PageSummary)


class Pages(Record):
    noun = "Page"
    about = "A project's pages."
    table = pages
    feature = "pages"
    event = "page"
    references = {"parent_id": Reference(pages, "project_id")}
    unlisted = ("description_html", "description_stripped")
    unserved = ("collection_id",)
    computed = {
        "projects": Computed(of=lambda row: [row["project_id"]]),
        **constants(  # Plane's fields for features that Airside doesn't have
            description={},
            description_binary=None,
            anchor=None,
            collection_id=None,
            page_collection_id=None,
        ),
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        return Narrowing(_VISIBLE, {"viewer_id": call.caller.user_id})

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
        _set_text(call, row)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["is_locked"] and changes.get("is_locked", True):
            raise Refused("Page is locked")
        if (
            changes.get("access", row["access"]) != row["access"]
            and row["owned_by_id"] != call.caller.user_id
        ):
            raise Refused("Access cannot be updated since this page is owned by someone else")
        if "archived_at" in changes:
            changes["archived_at"] = _read_date(changes["archived_at"])
        for name in ("view_props", "logo_props"):
            if name in changes:
                changes[name] = changes[name] or {}
        if "description_html" in changes:
            _set_text(call, changes)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_owner(call, row)

    async def before_archive(self, call: Call, row: Row, /) -> None:
        _check_owner(call, row)

    async def before_unarchive(self, call: Call, row: Row, /) -> None:
        _check_owner(call, row)


def _list_type(call: Call) -> Narrowing:
    return Narrowing(_TYPES[read_parameter(_TYPE, "type", call.query) or "all"])


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


async def list_pages(call: Call) -> Any:
    """A page of the list; with an external id, the page that has it."""
    if call.query.get("external_id") and call.query.get("external_source"):
        return await list_all(PAGES_V1, call)
    page = read_page(call.query, PAGES_V1.page_size, PAGES_V1.page_limit)
    order, shape = read_order(PAGES_V1, call.query), read_shape(PAGES_V1, call.query)
    rows, total = await list_records(PAGES_V1, call, order, page.offset, page.size)
    shape = shape._replace(fields=_LISTED) if shape.fields is None else shape
    return wrap_page(page, total, await shape_rows(call, PAGES_V1, rows, shape))


def _check_owner(call: Call, row: Row) -> None:
    if row["owned_by_id"] != call.caller.user_id and call.project_role < ADMIN:
        raise Refused("Only admin or owner can archive or delete the page")


def _set_text(call: Call, columns: Row) -> None:
    columns["description_html"], columns["description_stripped"] = call.prepared["text"]


def _read_date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        message = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
        raise Invalid({"archived_at": [message]}) from None


PAGE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + PAGES_V1.path,
        handler=list_pages,
        scope="projects.pages:read",
        name="list_pages",
        summary="List the pages of a project",
        shown=PageSummary,
        paged=True,
        face=PAGES_V1,
        query={
            "type": _TYPE.describe("type", default="all"),
            **list_query(PAGES_V1),
        },
    ),
    Route(
        method="PUT",  # as the SDK sends it; absent fields stay unchanged, as with PATCH
        path=WORKSPACE + PAGES_V1.path + "/{page_id}",
        handler=partial(update, PAGES_V1),
        scope="projects.pages:write",
        name="put_page",
        may_conflict=True,
        summary="Update a page; what isn't sent stays as it is",
        role=PAGES_V1.record.write_role,
        body=PageIn,
        partial=True,
        shown=PageOut,
        event="page.updated",
        face=PAGES_V1,
    ),
    *archive_routes(PAGES_V1, "page"),
]  # fmt: skip
