"""The states that a workspace owns, and their copies in its projects.

A work item is always in a state of its own project. Where the workspace owns the states, that is a copy of one of
the workspace's, and follows it: name, description, color and group are changed in the workspace alone; its place in
the order and which one is the default are the project's. A project has a copy of each state that was created in the
workspace, and of an earlier one once a work item is given it.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.db.base import Id, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.gate import record_created, record_deleted, record_updated
from airside.rest.verbs import store_changes
from airside.work.projects.states import STATES_V1, default_states, new_state, states
from airside.work.projects.tables import projects
from airside.work.rows import external_columns, live_unique, workspace_row
from airside.work.work_items.tables import FIND_IN_STATE
from airside.work.workspace_flags import STATES_OWNED, is_on

FOLLOWED = ("name", "slug", "description", "color", "group")  # of a copy

workspace_states = sa.Table(
    "workspace_states",
    metadata,
    *workspace_row(),
    *external_columns(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("sequence", sa.Float, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
)
_w = workspace_states.c
sa.Index(
    "ix_workspace_states_sequence",
    _w.workspace_id,
    _w.sequence,
    _w.id,
    sqlite_where=live(workspace_states),
    postgresql_where=live(workspace_states),
)
sa.Index("ix_workspace_states_external", _w.workspace_id, _w.external_source, _w.external_id)
live_unique("uq_workspace_states_name", _w.workspace_id, _w.name)

_state_id = sa.bindparam("state_id", type_=Id())
_project_id = sa.bindparam("project_id", type_=Id())
_of_state = (tenant(states), states.c.workspace_state_id == _state_id, live(states))

_ALL = Statement(
    sa.select(workspace_states)
    .where(tenant(workspace_states), live(workspace_states))
    .order_by(_w.sequence, _w.id)
)
_PROJECTS = Statement(
    sa.select(projects.c.id).where(tenant(projects), live(projects)).order_by(projects.c.id)
)
_COPIES = Statement(sa.select(states).where(*_of_state).with_for_update())
_COPY = Statement(sa.select(states.c.id).where(*_of_state, states.c.project_id == _project_id))
_ONE = Statement(
    sa.select(workspace_states).where(tenant(workspace_states), _w.id == _state_id, live(workspace_states))
)


async def list_catalog(call: Call) -> list[Row]:
    return await call.reader.fetch_all(_ALL, workspace_id=call.workspace_id)


async def start_states(call: Call, project_id: str) -> list[Row]:
    """Store the states of a new project, without their events; returns them in order."""
    catalog = await list_catalog(call) if await is_on(call, STATES_OWNED) else []
    rows = [_copy_of(call, one, project_id) for one in catalog] or default_states(call, project_id)
    if not any(row["default"] for row in rows):
        first = next((row for row in rows if row["group"] == "backlog"), rows[0])
        first["default"] = True
    await call.writer.insert_all(states, rows)
    return rows


async def add_copies(call: Call, state: Row) -> None:
    """Give every project its copy of a new state."""
    found = await call.reader.fetch_all(_PROJECTS, workspace_id=call.workspace_id)
    for project in found:
        await _store_copy(call, state, project["id"])


async def follow(call: Call, state: Row) -> None:
    """Make the copies as the changed state is."""
    for copy in await _list_copies(call, state):
        await make_like(call, copy, state)


async def make_like(call: Call, copy: Row, state: Row) -> None:
    """Change a project's state to the copy of this one, with its event where that is to be seen."""
    changes = {name: state[name] for name in FOLLOWED} | {"workspace_state_id": state["id"]}
    after = await store_changes(STATES_V1, call, copy, changes)
    await record_updated(call, STATES_V1, copy, after, FOLLOWED)


async def delete_copies(call: Call, state: Row) -> None:
    for copy in await _list_copies(call, state):
        await store_changes(STATES_V1, call, copy, {"deleted_at": call.now})
        await record_deleted(call, STATES_V1, copy)


async def is_default(call: Call, state: Row) -> bool:
    """Whether it is the default state of a project."""
    return any(copy["default"] for copy in await _list_copies(call, state))


async def is_in_use(call: Call, state: Row) -> bool:
    """Whether a work item is in it. A statement for each copy: one for all would read every work item on SQLite."""
    for copy in await _list_copies(call, state):
        keys = {"workspace_id": call.workspace_id, "project_id": copy["project_id"], "state_id": copy["id"]}
        if await call.reader.fetch_value(FIND_IN_STATE, **keys) is not None:
            return True
    return False


async def find_own_state(call: Call, state_id: str) -> str:
    """The project's copy of this state of the workspace, made now if it has none; any other id as it is."""
    state = await call.reader.fetch_one(_ONE, workspace_id=call.workspace_id, state_id=state_id)
    if state is None:
        return state_id
    found = await _find_copy(call, state)
    if found is None:
        await call.access.lock_workspace(call)
        found = await _find_copy(call, state)
    return found or await _store_copy(call, state, call.project_id)


async def _find_copy(call: Call, state: Row) -> str | None:
    return await call.reader.fetch_value(_COPY, **_keys(call, state), project_id=call.project_id)


async def _list_copies(call: Call, state: Row) -> Sequence[Row]:
    rows = await call.reader.fetch_all(_COPIES, **_keys(call, state))
    return sorted(rows, key=lambda row: row["id"])


async def _store_copy(call: Call, state: Row, project_id: str) -> str:
    row = _copy_of(call, state, project_id)
    await call.writer.insert(states, row)
    await record_created(call, STATES_V1, row)
    return row["id"]


def _copy_of(call: Call, state: Row, project_id: str) -> Row:
    followed = {name: state[name] for name in (*FOLLOWED, "sequence")}
    return new_state(call, project_id, workspace_state_id=state["id"], **followed)


def _keys(call: Call, state: Row) -> Row:
    return {"workspace_id": call.workspace_id, "state_id": state["id"]}
