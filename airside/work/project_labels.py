"""Labels of a workspace's projects, which sort projects as a project's own labels sort its work items."""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.body import Body, Name, Number, Short, Text
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import Level, Record
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_user, expand_workspace
from airside.work.rows import live_unique, workspace_row
from airside.work.unique_names import check_name

SORT_STEP = 10_000.0

project_labels = sa.Table(
    "project_labels",
    metadata,
    *workspace_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
)
sa.Index(
    "ix_project_labels_order",
    project_labels.c.workspace_id,
    project_labels.c.sort_order,
    project_labels.c.id,
    sqlite_where=live(project_labels),
    postgresql_where=live(project_labels),
)
live_unique("uq_project_labels_name", project_labels.c.workspace_id, project_labels.c.name)

_LAST_SORT = Statement(
    sa.select(sa.func.max(project_labels.c.sort_order).label("last")).where(
        tenant(project_labels), live(project_labels)
    )
)


class ProjectLabelIn(Body):
    example = {"name": "strategic", "color": "#e5484d"}

    name: Name
    color: Short = ""
    description: Text = ""
    sort_order: Number | None = None


class ProjectLabelOut(Shown):
    id: str
    name: str
    color: str
    description: str
    sort_order: float
    workspace: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None


class ProjectLabels(Record):
    noun = "Project label"
    about = "Labels that a workspace has for its projects."
    table = project_labels
    level = Level.WORKSPACE
    event = "project_label"

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_name(self, call, row["name"])
        if row["sort_order"] is None:
            last = await call.reader.fetch_value(_LAST_SORT, workspace_id=call.workspace_id)
            row["sort_order"] = (last or 0.0) + SORT_STEP

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])


PROJECT_LABELS_V1 = Face(
    ProjectLabels(),
    wire=V1,
    path="project-labels",
    key="project_label_id",
    body=ProjectLabelIn,
    shown=ProjectLabelOut,
    scope="projects.labels",
    verbs=("create", "retrieve", "update", "delete"),
    order_by=("sort_order",),
    expands={"workspace": expand_workspace, "created_by": expand_user, "updated_by": expand_user},
    page_size=1000,
)
PROJECT_LABEL_ROUTES = [bare_list_route(PROJECT_LABELS_V1)]
