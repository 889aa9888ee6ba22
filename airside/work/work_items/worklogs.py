"""Worklogs: minutes spent on a work item, and their sums over a project."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Id, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Forbidden
from airside.events.outbox import Change
from airside.rest.body import MAX_INT32, Body, Text
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.filters import filters_of
from airside.rest.record import ADMIN, Record
from airside.rest.route import Route
from airside.rest.selection import check_parents, list_records, sortable_columns
from airside.rest.shaping import shape_rows
from airside.rest.wires.v1.lists import read_order, read_shape
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import fields_query, order_query
from airside.rest.wires.v1.wire import V1
from airside.work.rows import index_records, project_row
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.tables import work_items
from airside.work.work_items.visible_items import below_work_item

LIST_LIMIT = 10_000  # of one work item; the list isn't paged

Minutes = Annotated[int, Meta(ge=0, le=MAX_INT32)]

worklogs = sa.Table(
    "worklogs",
    metadata,
    *project_row(),
    sa.Column("work_item_id", Id, nullable=False),
    sa.Column("logged_by_id", Id, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("duration", sa.Integer, nullable=False),  # minutes
)
index_records(worklogs, "work_item_id")
sa.Index("ix_worklogs_project", worklogs.c.workspace_id, worklogs.c.project_id, worklogs.c.work_item_id)

_TOTALS = Statement(
    sa.select(
        worklogs.c.work_item_id.label("issue_id"),
        sa.cast(sa.func.sum(worklogs.c.duration), sa.BigInteger).label("duration"),
    )
    .join(
        work_items,
        sa.and_(
            work_items.c.workspace_id == worklogs.c.workspace_id,
            work_items.c.id == worklogs.c.work_item_id,
            live(work_items),
            work_items.c.in_intake.is_(sa.false()),
        ),
    )
    .where(
        tenant(worklogs),
        worklogs.c.project_id == sa.bindparam("project_id", type_=Id()),
        live(worklogs),
    )
    .group_by(worklogs.c.work_item_id)
    .order_by(worklogs.c.work_item_id)
)


class WorklogIn(Body):
    example = {"description": "Wrote the tests", "duration": 30}

    description: Text = ""
    duration: Minutes = 0


class WorklogOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    description: str
    duration: int
    created_by: str | None
    updated_by: str | None
    project_id: str
    workspace_id: str
    logged_by: str


class WorklogTotal(Shown):
    issue_id: str
    duration: int


class Worklogs(Record):
    noun = "Worklog"
    table = worklogs
    event = "workitem.worklog"
    parents = (below_work_item("work_item_id"),)

    async def before_create(self, call: Call, row: Row, /) -> None:
        row |= {"logged_by_id": call.caller.user_id, "external_source": None, "external_id": None}

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _check_owner(call, row)

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        """In the work item's history: how many minutes, before and after."""
        minutes = {change.field: str(change.old_value) for change in changes}.get("duration")
        if action == "updated" and minutes is None:
            return
        old = str(row["duration"]) if action == "deleted" else minutes
        new = None if action == "deleted" else str(row["duration"])
        happening = Happening(action, "worklog", old, new, comment=f"{action} a worklog")
        await record_happenings(call, row["work_item_id"], row["project_id"], [happening])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_owner(call, row)


WORKLOGS = Worklogs()
WORKLOGS_V1 = Face(
    WORKLOGS,
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/worklogs",
    aliases=("projects/{project_id}/issues/{work_item_id}/worklogs",),
    key="work_log_id",
    body=WorklogIn,
    shown=WorklogOut,
    scope="projects.work_items.worklogs",
    verbs=("create", "update", "delete"),
)


async def list_worklogs(call: Call) -> Any:
    """The worklogs of one work item, as a plain list, newest first."""
    await check_parents(WORKLOGS_V1, call)
    rows, _ = await list_records(WORKLOGS_V1, call, read_order(WORKLOGS_V1, call.query), 0, LIST_LIMIT)
    return await shape_rows(call, WORKLOGS_V1, rows, read_shape(WORKLOGS_V1, call.query))


async def total_worklogs(call: Call) -> Any:
    """The sum of minutes for each work item of the project with worklogs."""
    return await call.reader.fetch_all(_TOTALS, workspace_id=call.workspace_id, project_id=call.project_id)


def _check_owner(call: Call, row: Row) -> None:
    if row["logged_by_id"] != call.caller.user_id and call.project_role < ADMIN:
        raise Forbidden


WORKLOG_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + WORKLOGS_V1.path,
        aliases=tuple(WORKSPACE + path for path in WORKLOGS_V1.aliases),
        handler=list_worklogs,
        scope="projects.work_items.worklogs:read",
        name="list_worklogs",
        summary="List the work logged on a work item",
        shown=list[WorklogOut],
        face=WORKLOGS_V1,
        query={
            **fields_query(WorklogOut),
            **order_query(sortable_columns(WORKLOGS_V1), WORKLOGS_V1.order_by[0]),
            **filters_of(WORKLOGS_V1).describe(),
        },
    ),
    Route(
        method="GET",
        path=WORKSPACE + "projects/{project_id}/total-worklogs",
        handler=total_worklogs,
        scope="projects.work_items.worklogs:read",
        name="total_worklogs",
        summary="Sum up the work logged on each work item of a project",
        shown=list[WorklogTotal],
    ),
]
