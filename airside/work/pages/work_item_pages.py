"""Pages that are linked to a work item: the workspace's, the project's, or those of other projects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Conflict, Invalid
from airside.events.outbox import Change
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, compute
from airside.rest.face import Face, Shown
from airside.rest.gate import record_deleted
from airside.rest.record import Narrowing, Record
from airside.rest.references import unknown_ids
from airside.rest.verbs import store_changes
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.pages.tables import PRIVATE, pages, work_item_pages
from airside.work.pages.visibility import anywhere
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.visible_items import below_work_item

_PAGES = Statement(
    sa.select(
        *(pages.c.id, pages.c.name, pages.c.created_at, pages.c.updated_at, pages.c.created_by_id),
        *(pages.c.project_id, pages.c.logo_props, pages.c.access),
    ).where(tenant(pages), any_of(pages.c.id, "ids"))
)
_PAGE_ID = sa.bindparam("page_id", type_=pages.c.id.type)
_LINKS_TO = Statement(
    sa.select(work_item_pages)
    .where(tenant(work_item_pages), work_item_pages.c.page_id == _PAGE_ID, live(work_item_pages))
    .with_for_update()
)
_FIND_LINK = Statement(
    sa.select(work_item_pages.c.id).where(
        tenant(work_item_pages),
        work_item_pages.c.issue_id == sa.bindparam("issue_id", type_=pages.c.id.type),
        work_item_pages.c.page_id == _PAGE_ID,
        live(work_item_pages),
    )
)


class LinkedPage(Shown):
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    is_global: bool  # the workspace's
    logo_props: dict[str, Any]


class WorkItemPageIn(Body):
    page_id: Uuid


class WorkItemPageOut(Shown):
    id: str
    page: LinkedPage
    issue: str
    project: str
    workspace: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None


async def _load_pages(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    ids = list({row["page_id"] for row in rows})
    found = await call.reader.fetch_all(_PAGES, workspace_id=call.workspace_id, ids=ids)
    by_id = {row["id"]: row for row in found}
    return {row["id"]: _show_page(by_id[row["page_id"]], row["project_id"]) for row in rows}


def _show_page(page: Row, project_id: str) -> Row:
    shown = {name: page[name] for name in ("id", "name", "created_at", "updated_at", "logo_props")}
    shown |= {"created_by": page["created_by_id"], "is_global": page["project_id"] is None}
    return {"page": shown, "is_open": _is_open(page, project_id)}


def _is_open(page: Row, project_id: str) -> bool:
    """Whether everybody in the work item's project may know of the page."""
    return page["access"] != PRIVATE and page["project_id"] in (None, project_id)


class WorkItemPages(Record):
    """A link is seen by whom the page is; its event and its entry in the history have no name of a private page."""

    noun = "Work item page"
    about = "Pages that are linked to a work item."
    table = work_item_pages
    event = "workitem.page_link"
    parents = (below_work_item(),)
    computed = {
        "linked_page": Computed(load=_load_pages, part="page"),
        "is_open": Computed(load=_load_pages, part="is_open"),
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        seen = anywhere(call)
        params = {**seen.params, "pages_workspace_id": call.workspace_id}
        return Narrowing(_among_pages(seen.clauses), params)

    def is_private(self, row: Row, /) -> bool:
        return not row["is_open"]

    async def before_create(self, call: Call, row: Row, /) -> None:
        seen = anywhere(call)
        keys = {"workspace_id": call.workspace_id, "page_id": row["page_id"], **seen.params}
        page = await call.reader.fetch_one(_find_page(seen.clauses), **keys)
        if page is None:
            messages = unknown_ids(row["page_id"], [row["page_id"]])
            raise Invalid({"page_id": messages}, {"page_id": "does_not_exist"})
        row["is_open"] = _is_open(page, row["project_id"])  # is_private reads it before fields are computed
        linked = {name: row[name] for name in ("workspace_id", "issue_id", "page_id")}
        existing = await call.reader.fetch_value(_FIND_LINK, **linked)
        if existing is not None:
            raise Conflict("The page is already linked to the work item", existing=existing)

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        name = row["linked_page"]["name"] if row["is_open"] else ""
        if action == "created":
            entry = Happening("created", "page", None, name, comment="linked a page")
        else:
            entry = Happening("deleted", "page", name, "", comment="removed the link to a page")
        await record_happenings(call, row["issue_id"], row["project_id"], [entry])


WORK_ITEM_PAGES_V1 = Face(
    WorkItemPages(),
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/pages",
    aliases=("projects/{project_id}/issues/{work_item_id}/pages",),
    key="work_item_page_id",
    body=WorkItemPageIn,
    shown=WorkItemPageOut,
    names={"page": "linked_page"},
    sorts={"page_id": work_item_pages.c.page_id},
    scope="projects.work_items",
    verbs=("list", "create", "retrieve", "delete"),
    expands={"project": expand_project, "workspace": expand_workspace, "created_by": expand_user},
    page_size=20,
    page_limit=100,
)


async def end_links(call: Call, page: Row) -> None:
    """Before a page is deleted: remove its links, each with its event."""
    rows = await call.reader.fetch_all(_LINKS_TO, workspace_id=call.workspace_id, page_id=page["id"])
    await compute(WORK_ITEM_PAGES_V1.record.computed, call, rows)
    for row in sorted(rows, key=lambda row: row["id"]):
        await store_changes(WORK_ITEM_PAGES_V1, call, row, {"deleted_at": call.now})
        await record_deleted(call, WORK_ITEM_PAGES_V1, row)


@cache
def _among_pages(clauses: tuple[sa.ColumnElement[bool], ...]) -> tuple[sa.ColumnElement[bool], ...]:
    """EXISTS, not IN: SQLite would read every page of the workspace first."""
    own = pages.c.id == work_item_pages.c.page_id
    return (sa.exists().where(tenant(pages, "pages_workspace_id"), own, live(pages), *clauses),)


@cache
def _find_page(clauses: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    return Statement(
        sa.select(pages.c.project_id, pages.c.access).where(
            tenant(pages), pages.c.id == _PAGE_ID, live(pages), *clauses
        )
    )
