"""States at the level of the workspace: its own ones where it owns the states, else those of all visible projects.

The workspace's feature `states_owned_by_workspace` says who owns them; see state_ownership.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Conflict, Invalid, Refused
from airside.rest.body import Body, Key, Name, Text, with_defaults
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.record import ADMIN, Level, Narrowing, Record
from airside.rest.route import Route
from airside.rest.routes import verb_route
from airside.rest.verbs import (
    create_record,
    delete_record,
    in_transaction,
    list_all,
    retrieve,
    show_record,
    update_record,
)
from airside.rest.wires.v1.wire import V1
from airside.work.access import in_visible_projects
from airside.work.expansions import expand_user, expand_workspace
from airside.work.projects.states import (
    SEQUENCE_STEP,
    STATES_V1,
    TRIAGE_NAMES,
    StateOut,
    States,
    slug_of,
    states,
)
from airside.work.state_catalog import (
    add_copies,
    delete_copies,
    follow,
    is_default,
    is_in_use,
    list_catalog,
    workspace_states,
)
from airside.work.unique_names import find_named
from airside.work.workspace_flags import STATES_OWNED, is_on

_LAST_SEQUENCE = Statement(
    sa.select(sa.func.max(workspace_states.c.sequence).label("last")).where(
        tenant(workspace_states), live(workspace_states)
    )
)


class WorkspaceNotManaged(Refused):
    code = "workspace_not_managed"
    sentence = "This workspace's projects own their states. Change the state in its project."


class StateNameInUse(Conflict):
    """The conflict's code is Plane's."""

    code = "state_name_in_use"


class WorkspaceStateIn(Body):
    example = {"name": "In review", "color": "#f59e0b", "group": "started"}

    name: Name
    color: Name
    group: Literal["backlog", "unstarted", "started", "completed", "cancelled"]
    description: Text = ""
    external_source: Key | None = None
    external_id: Key | None = None


class ProjectsStates(States):
    """Those of all projects; the project's face writes them."""

    level = Level.WORKSPACE

    async def narrow(self, call: Call, /) -> Narrowing:
        return in_visible_projects(call, states.c.project_id)


class WorkspaceStates(Record):
    noun = "State"
    table = workspace_states
    level = Level.WORKSPACE
    event = "state"
    write_role = ADMIN
    computed = {
        "project": Computed(event_name="project_id"),
        **constants(is_triage=False, default=False),
    }

    async def before_create(self, call: Call, row: Row, /) -> None:
        await _check_name(call, row["name"])
        last = await call.reader.fetch_value(_LAST_SEQUENCE, workspace_id=call.workspace_id)
        row |= {"slug": slug_of(row["name"]), "sequence": (last or 0.0) + SEQUENCE_STEP}

    async def after_create(self, call: Call, row: Row, /) -> None:
        await add_copies(call, row)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("name", row["name"]) != row["name"]:
            await _check_name(call, changes["name"])
            changes["slug"] = slug_of(changes["name"])

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        await follow(call, row)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        if len(await list_catalog(call)) == 1:
            raise Refused("The last state of the workspace cannot be deleted")
        if await is_default(call, row):
            raise Refused("Default state cannot be deleted")
        if await is_in_use(call, row):
            raise Refused("The state is not empty, only empty states can be deleted")
        await delete_copies(call, row)


async def _lock_owned(call: Call) -> None:
    """Before any row is locked: who owns the states doesn't change until the transaction ends. Raises
    WorkspaceNotManaged."""
    await call.access.lock_workspace(call)
    if not await is_on(call, STATES_OWNED):
        raise WorkspaceNotManaged


async def _check_name(call: Call, name: str) -> None:
    """Raises Invalid for the reserved name, StateNameInUse for another state's."""
    if name.lower() in (one.lower() for one in TRIAGE_NAMES):
        raise Invalid({"name": ["This name is reserved for the intake of a project."]})
    taken = await find_named(WORKSPACE_STATES_V1.record, call, name)
    if taken is not None:
        raise StateNameInUse("State with the same name already exists in the workspace", existing=taken)


WORKSPACE_STATES_V1 = Face(
    WorkspaceStates(),
    wire=V1,
    path="states",
    key="state_id",
    noun="Workspace state",
    body=WorkspaceStateIn,
    shown=StateOut,
    scope="projects.states",
    verbs=(),
    order_by=("sequence",),
    expands={"workspace": expand_workspace, "created_by": expand_user},
    summaries={
        "list": "List the workspace's states, or those of every project that the caller belongs to",
        "create": "Create a state of the workspace, and in each of its projects",
        "retrieve": "Retrieve a state of the workspace, or of any project",
        "update": "Update a state of the workspace, and in each of its projects",
        "delete": "Delete a state of the workspace, and in each of its projects",
    },
)
PROJECTS_STATES_V1 = replace(
    STATES_V1,
    record=ProjectsStates(),
    path=WORKSPACE_STATES_V1.path,
    noun=WORKSPACE_STATES_V1.noun,
    verbs=(),
    summaries=WORKSPACE_STATES_V1.summaries,
)
# What filters the states of projects says nothing of the workspace's.
_OF_PROJECTS = ("project", "default", "is_triage")


async def list_states(call: Call) -> Any:
    """Raises Invalid for a filter that the workspace's own states don't have."""
    if not await is_on(call, STATES_OWNED):
        return await list_all(PROJECTS_STATES_V1, call)
    wrong = [name for name in _OF_PROJECTS if call.query.get(name)]
    if wrong:
        raise Invalid({name: ["States of the workspace can't be filtered by this."] for name in wrong})
    return await list_all(WORKSPACE_STATES_V1, call)


async def retrieve_state(call: Call) -> Row:
    """Of the workspace's own ones, or of a project that the caller sees. Raises NotFound."""
    found = await call.reader.find(workspace_states, workspace_id=call.workspace_id, id=call.path["state_id"])
    is_own = found is not None and found["deleted_at"] is None
    return await retrieve(WORKSPACE_STATES_V1 if is_own else PROJECTS_STATES_V1, call)


async def create_state(call: Call) -> Row:
    """Raises WorkspaceNotManaged, Invalid, StateNameInUse, Conflict."""
    sent = to_columns(WORKSPACE_STATES_V1, with_defaults(WorkspaceStateIn, call.body))
    return await _write(call, lambda: create_record(WORKSPACE_STATES_V1, call, sent))


async def update_state(call: Call) -> Row:
    """Raises WorkspaceNotManaged, NotFound, Invalid, StateNameInUse, Conflict."""
    sent, state_id = to_columns(WORKSPACE_STATES_V1, call.body), call.path["state_id"]
    return await _write(call, lambda: update_record(WORKSPACE_STATES_V1, call, state_id, sent))


async def delete_state(call: Call) -> None:
    """Raises WorkspaceNotManaged, NotFound, Refused for one that is in use."""
    await _check_owned(call)

    async def work() -> None:
        await _lock_owned(call)
        await delete_record(WORKSPACE_STATES_V1, call, call.path["state_id"])

    await in_transaction(call, work)


async def _write(call: Call, store: Callable[[], Awaitable[Row]]) -> Row:
    await _check_owned(call)

    async def work() -> Row:
        await _lock_owned(call)
        return await show_record(call, WORKSPACE_STATES_V1, await store())

    with wire_names(WORKSPACE_STATES_V1):
        return await in_transaction(call, work)


async def _check_owned(call: Call) -> None:
    """Raises NotFound for an unknown state, else WorkspaceNotManaged while projects own theirs."""
    if not await is_on(call, STATES_OWNED):
        if "state_id" in call.path:
            await retrieve(PROJECTS_STATES_V1, call)
        raise WorkspaceNotManaged


_READS = {"list": list_states, "retrieve": retrieve_state}
_WRITES = {"create": create_state, "update": update_state, "delete": delete_state}
WORKSPACE_STATE_ROUTES: list[Route] = [
    *(replace(verb_route(PROJECTS_STATES_V1, verb), handler=handler) for verb, handler in _READS.items()),
    *(replace(verb_route(WORKSPACE_STATES_V1, verb), handler=handler) for verb, handler in _WRITES.items()),
]
