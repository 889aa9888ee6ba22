"""States of a workspace's projects, which say how far a project has come."""

from datetime import datetime
from typing import Literal

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
from airside.work.projects.states import SEQUENCE_STEP
from airside.work.rows import live_unique, workspace_row
from airside.work.unique_names import check_name

# Those of a project's life, and those of work items, which Plane's clients send here too.
ProjectGroup = Literal[
    "draft",
    "planning",
    "execution",
    "monitoring",
    "backlog",
    "unstarted",
    "started",
    "completed",
    "cancelled",
]

project_states = sa.Table(
    "project_states",
    metadata,
    *workspace_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("sequence", sa.Float, nullable=False),
    sa.Column("default", sa.Boolean, nullable=False),
)
sa.Index(
    "ix_project_states_order",
    project_states.c.workspace_id,
    project_states.c.sequence,
    project_states.c.id,
    sqlite_where=live(project_states),
    postgresql_where=live(project_states),
)
live_unique("uq_project_states_name", project_states.c.workspace_id, project_states.c.name)
sa.Index("ix_project_states_default", project_states.c.workspace_id, project_states.c.default)

_LAST_SEQUENCE = Statement(
    sa.select(sa.func.max(project_states.c.sequence).label("last")).where(
        tenant(project_states), live(project_states)
    )
)
_END_DEFAULT = Statement(
    sa.update(project_states).where(tenant(project_states), project_states.c.default).values(default=False)
)


class ProjectStateIn(Body):
    example = {"name": "In planning", "color": "#f59e0b", "group": "planning"}

    name: Name
    color: Short = ""
    description: Text = ""
    group: ProjectGroup = "draft"
    sequence: Number | None = None
    default: bool = False


class ProjectStateOut(Shown):
    id: str
    name: str
    color: str
    description: str
    group: ProjectGroup
    sequence: float
    default: bool
    workspace: str
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None


class ProjectStates(Record):
    noun = "Project state"
    about = "States that a workspace has for its projects."
    table = project_states
    level = Level.WORKSPACE
    event = "project_state"

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_name(self, call, row["name"])
        if row["sequence"] is None:
            last = await call.reader.fetch_value(_LAST_SEQUENCE, workspace_id=call.workspace_id)
            row["sequence"] = (last or 0.0) + SEQUENCE_STEP
        if row["default"]:
            await call.writer.execute(_END_DEFAULT, workspace_id=call.workspace_id)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])
        if changes.get("default") and not row["default"]:
            await call.writer.execute(_END_DEFAULT, workspace_id=call.workspace_id)


PROJECT_STATES_V1 = Face(
    ProjectStates(),
    wire=V1,
    path="project-states",
    key="project_state_id",
    body=ProjectStateIn,
    shown=ProjectStateOut,
    scope="projects.states",
    verbs=("create", "update", "delete"),
    order_by=("sequence",),
    expands={"workspace": expand_workspace, "created_by": expand_user, "updated_by": expand_user},
    page_size=1000,
)
PROJECT_STATE_ROUTES = [bare_list_route(PROJECT_STATES_V1)]
