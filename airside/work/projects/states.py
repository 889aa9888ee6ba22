"""States: the workflow of a project's work items."""

import re
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from airside.db.base import Id, Row, metadata, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Refused
from airside.rest.body import Body, Key, Name, Number, Text
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.parameters import Choice, Contains, Flag
from airside.rest.parameters import Text as WholeText
from airside.rest.record import Narrowing, Record
from airside.rest.wires.v1.wire import V1
from airside.rest.wires.v2.filters import Named, forms
from airside.rest.wires.v2.wire import V2
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.rows import index_records, live_unique, project_row
from airside.work.unique_names import check_name
from airside.work.work_items.tables import FIND_IN_STATE
from airside.work.workspace_flags import STATES_OWNED, WorkspaceManaged, is_on

Group = Literal["backlog", "unstarted", "started", "completed", "cancelled", "triage"]

TRIAGE: Group = "triage"  # of work items that haven't been accepted yet; its states are `is_triage`
TRIAGE_NAMES = ("Triage", "Triage of the intake")  # Plane's, and what it is called where that is taken
SEQUENCE_STEP = 15_000.0  # between two states, so that one can be moved between them

# Plane's states of a new project: name, color, sequence, group.
DEFAULT_STATES: tuple[tuple[str, str, float, Group], ...] = (
    ("Backlog", "#60646C", 15_000.0, "backlog"),
    ("Todo", "#60646C", 25_000.0, "unstarted"),
    ("In Progress", "#F59E0B", 35_000.0, "started"),
    ("Done", "#46A758", 45_000.0, "completed"),
    ("Cancelled", "#9AA4BC", 55_000.0, "cancelled"),
)

states = sa.Table(
    "states",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("sequence", sa.Float, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("is_triage", sa.Boolean, nullable=False),
    sa.Column("default", sa.Boolean, nullable=False),
    sa.Column("workspace_state_id", Id),  # the state of the workspace that it is in its project
)
index_records(states)
_of_workspace = states.c.workspace_state_id.is_not(None)
sa.Index(
    "ix_states_workspace_state",
    states.c.workspace_id,
    states.c.workspace_state_id,
    states.c.project_id,
    sqlite_where=_of_workspace,
    postgresql_where=_of_workspace,
)
_working = sa.and_(states.c.is_triage.is_(sa.false()), live(states))
sa.Index(  # for the state of a new work item: the default one, else the first
    "ix_states_first",
    states.c.workspace_id,
    states.c.project_id,
    states.c.default.desc(),
    states.c.sequence,
    sqlite_where=_working,
    postgresql_where=_working,
)
sa.Index(  # for the list of all projects' states
    "ix_states_sequence",
    states.c.workspace_id,
    states.c.sequence,
    states.c.id,
    sqlite_where=live(states),
    postgresql_where=live(states),
)
live_unique("uq_states_name", states.c.workspace_id, states.c.project_id, states.c.name)

_LAST_SEQUENCE = Statement(
    sa.select(sa.func.max(states.c.sequence).label("last")).where(
        tenant(states),
        states.c.project_id == sa.bindparam("project_id", type_=Id()),
        live(states),
    )
)
_END_DEFAULT = Statement(
    sa.update(states)
    .where(
        tenant(states),
        states.c.project_id == sa.bindparam("project_id", type_=Id()),
        states.c.default,
    )
    .values(default=False)
)


class StateIn(Body):
    example = {"name": "In review", "color": "#f59e0b", "group": "started"}

    name: Name
    color: Name
    description: Text = ""
    sequence: Number | None = None
    group: Group = "backlog"
    is_triage: bool = False
    default: bool = False
    external_source: Key | None = None
    external_id: Key | None = None


class StateOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    color: str
    slug: str
    sequence: float
    group: Group
    is_triage: bool
    default: bool
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str


class States(Record):
    noun = "State"
    about = "The states that a project's work items go through."
    table = states
    event = "state"
    defaults = {"is_triage": False}
    unlisted = ("workspace_state_id",)

    async def resolve(self, call: Call, sent: Row, /) -> None:
        """Who owns the states doesn't change in the meantime."""
        await call.access.lock_workspace(call)

    async def before_create(self, call: Call, row: Row, /) -> None:
        await _check_owned_here(call)
        await check_name(self, call, row["name"])
        row["slug"] = slug_of(row["name"])
        if row["sequence"] is None:
            last = await call.reader.fetch_value(_LAST_SEQUENCE, **_project(call))
            row["sequence"] = (last or 0.0) + SEQUENCE_STEP
        row["is_triage"] = row["is_triage"] or row["group"] == TRIAGE
        if row["default"]:
            await call.writer.execute(_END_DEFAULT, **_project(call))

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        await _check_owned_here(call)
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])
            changes["slug"] = slug_of(changes["name"])
        group = changes.get("group", row["group"])
        if TRIAGE in (group, row["group"]):
            changes["is_triage"] = group == TRIAGE or changes.get("is_triage", False)
        if changes.get("default") is False and row["default"]:
            raise Refused("Make another state the default instead; a project always has one")
        if changes.get("default") and not row["default"]:
            await call.writer.execute(_END_DEFAULT, **_project(call))

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await _check_owned_here(call)
        if row["default"]:
            raise Refused("Default state cannot be deleted")
        if await has_work_items(call, row["id"]):
            raise Refused("The state is not empty, only empty states can be deleted")


# As in Plane the v1 lists leave the triage state out, which its clients would offer for work items.
_UNTRIAGED = Narrowing((states.c.group != sa.literal_column(f"'{TRIAGE}'", sa.Text),))


async def _leave_triage_out(_: Call) -> Narrowing:
    return _UNTRIAGED


STATES = States()
STATES_V1 = Face(
    STATES,
    wire=V1,
    path="projects/{project_id}/states",
    key="state_id",
    body=StateIn,
    shown=StateOut,
    scope="projects.states",
    order_by=("sequence",),
    listed=_leave_triage_out,
    create_status=200,  # as in Plane, for states only
    expands={"project": expand_project, "workspace": expand_workspace, "created_by": expand_user},
)


class StateInV2(Body):
    example = {"name": "In review", "color": "#f59e0b", "group": "started"}

    name: Name
    color: Name
    description: Text | None = ""
    group: Group | None = "backlog"
    is_default: bool | None = False
    sequence: Number | None = None
    external_id: Key | None = None
    external_source: Key | None = None


class StateOutV2(Shown):
    id: str
    name: str
    color: str
    description: str
    group: Group
    is_default: bool
    is_triage: bool
    sequence: float
    external_id: str | None
    external_source: str | None
    created_at: datetime
    created_by_id: str | None


STATES_V2 = Face(
    STATES,
    wire=V2,
    path="projects/{project_id}/states",
    key="state_id",
    body=StateInV2,
    shown=StateOutV2,
    names={"is_default": "default"},
    nulls={"description": "", "group": "backlog", "default": False},
    scope="projects.states",
    order_by=("sequence",),
    order_names=("created_at", "id", "sequence"),
    filters={
        "external_id": WholeText(),
        "external_source": WholeText(),
        **forms("group", Choice(choices=get_args(Group)), "in"),
        "is_default": Flag("default"),
        "name": Named(),
        "search": Contains("name"),
    },
    identifiers=True,
    webhooks=STATES_V1,
)


def new_state(call: Call, project_id: str, **columns: Any) -> Row:
    """The row of a state that no request describes: a default one, the intake's, one of the workspace."""
    return {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "project_id": project_id,
        "description": "",
        "slug": slug_of(columns["name"]),
        "is_triage": columns["group"] == TRIAGE,
        "default": False,
        "workspace_state_id": None,
        "external_source": None,
        "external_id": None,
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": call.caller.user_id,
        "updated_by_id": None,
        **columns,
    }


def default_states(call: Call, project_id: str) -> list[Row]:
    """The rows of Plane's default states."""
    return [
        new_state(
            call,
            project_id,
            name=name,
            color=color,
            sequence=sequence,
            group=group,
            default=group == "backlog",
        )
        for name, color, sequence, group in DEFAULT_STATES
    ]


async def _check_owned_here(call: Call) -> None:
    """Raises WorkspaceManaged where the workspace owns the states."""
    if await is_on(call, STATES_OWNED):
        raise WorkspaceManaged("States are managed by this workspace, not its projects")


async def has_work_items(call: Call, state_id: str) -> bool:
    found = await call.reader.fetch_value(FIND_IN_STATE, **_project(call), state_id=state_id)
    return found is not None


def _project(call: Call) -> dict[str, Any]:
    return {"workspace_id": call.workspace_id, "project_id": call.project_id}


def slug_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
