"""States at the level of the workspace: those of every project that the caller sees.

In Plane a workspace may own its states instead, as a catalog. Here projects own theirs, which the workspace's
feature `states_owned_by_workspace` says, and writes are answered as Plane answers them then.
"""

from dataclasses import replace
from typing import Any, Literal

from airside.errors import Refused
from airside.rest.body import Body, Key, Name, Text
from airside.rest.call import Call
from airside.rest.record import MEMBER, Level, Narrowing
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_record
from airside.work.access import in_visible_projects
from airside.work.projects.states import STATES_V1, StateOut, States, states


class WorkspaceNotManaged(Refused):
    code = "workspace_not_managed"
    sentence = "This workspace's projects own their states. Change the state in its project."


class WorkspaceStateIn(Body):
    example = {"name": "In review", "color": "#f59e0b", "group": "started"}

    name: Name
    color: Name
    group: Literal["backlog", "unstarted", "started", "completed", "cancelled"]
    description: Text = ""
    external_source: Key | None = None
    external_id: Key | None = None


class WorkspaceStates(States):
    """Reads only; the project's face writes."""

    level = Level.WORKSPACE

    async def narrow(self, call: Call, /) -> Narrowing:
        return in_visible_projects(call, states.c.project_id)


WORKSPACE_STATES_V1 = replace(
    STATES_V1,
    record=WorkspaceStates(),
    path="states",
    noun="Workspace state",
    verbs=("list", "retrieve"),
    summaries={
        "list": "List the states of every project that the caller belongs to",
        "retrieve": "Retrieve a state of any project",
    },
)


async def refuse_write(call: Call) -> Any:
    """Raises NotFound for an unknown state, else WorkspaceNotManaged."""
    if "state_id" in call.path:
        await find_record(WORKSPACE_STATES_V1, call, call.path["state_id"])
    raise WorkspaceNotManaged


def _refusal(method: str, verb: str, tail: str = "", **fields: Any) -> Route:
    return Route(
        **place_of(WORKSPACE_STATES_V1, tail),
        method=method,
        handler=refuse_write,
        scope="projects.states:write",
        name=f"{verb}_workspace_state",
        summary=f"{verb.capitalize()} a state of the workspace; refused while projects own their states",
        role=MEMBER,
        eventless="refused: projects own their states",
        face=WORKSPACE_STATES_V1,
        **fields,
    )


WORKSPACE_STATE_ROUTES = [
    _refusal("POST", "create", body=WorkspaceStateIn, shown=StateOut, status=201),
    _refusal("PATCH", "update", "/{state_id}", body=WorkspaceStateIn, shown=StateOut, partial=True),
    _refusal("DELETE", "delete", "/{state_id}", status=204),
]
