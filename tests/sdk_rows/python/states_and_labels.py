"""States and labels: of a project, and of a workspace for all its projects."""

from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.labels import CreateLabel, UpdateLabel
from plane.models.states import CreateState, CreateWorkspaceState, UpdateState, UpdateWorkspaceState
from plane.models.workspace_project_labels import CreateWorkspaceProjectLabel, UpdateWorkspaceProjectLabel
from plane.models.workspace_project_states import CreateWorkspaceProjectState, UpdateWorkspaceProjectState

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row


def project(place: Place) -> tuple[str]:
    return (place.project_id,)


STATES = records(
    "states",
    lambda _: CreateState(name=unique("Review"), color="#abcdef", group="started", description="By a peer"),
    lambda _: UpdateState(name=unique("Proof"), color="#000000", group="completed"),
    at=project,
)
records(
    "labels",
    lambda _: CreateLabel(
        name=unique("bug"), color="#ff0000", external_id=unique("b"), external_source="git"
    ),
    lambda _: UpdateLabel(name=unique("defect"), color="#00ff00"),
    at=project,
)
WITHOUT_ONE = ("create", "list", "update", "delete")  # none of them is read alone
records(
    "workspace_project_states",
    lambda _: CreateWorkspaceProjectState(name=unique("Planned"), color="#abcdef", group="unstarted"),
    lambda _: UpdateWorkspaceProjectState(name=unique("Soon"), color="#000000"),
    verbs=WITHOUT_ONE,
)
records(
    "workspace_project_labels",
    lambda _: CreateWorkspaceProjectLabel(name=unique("client"), color="#ff0000"),
    lambda _: UpdateWorkspaceProjectLabel(name=unique("customer"), color="#00ff00"),
    verbs=WITHOUT_ONE,
)


def make_state(place: Place) -> Any:
    return STATES.create(place, project(place))[0]


@row("workspace_states.list")
def list_states_of_all_projects(place: Place) -> None:
    made = make_state(place)
    listed = {one.id: one for one in place.client.workspace_states.list(SLUG, {"per_page": 1000}).results}
    assert (listed[made.id].name, listed[made.id].project) == (made.name, place.project_id)


@row("workspace_states.retrieve")
def retrieve_state_of_a_project(place: Place) -> None:
    made, other = make_state(place), make_state(place)
    assert place.client.workspace_states.retrieve(SLUG, made.id).name == made.name != other.name


def check_refused(place: Place, verb: str, *given: Any) -> None:
    """Projects own their states, and the writes of a workspace's own are refused as Plane does then."""
    made = make_state(place)
    before = place.client.workspace_states.retrieve(SLUG, made.id)
    ids = () if verb == "create" else (made.id,)
    with pytest.raises(HttpError) as refused:
        getattr(place.client.workspace_states, verb)(SLUG, *ids, *given)
    assert refused.value.response["code"] == "workspace_not_managed"  # type: ignore[index]
    assert place.client.workspace_states.retrieve(SLUG, made.id) == before


@row("workspace_states.create", is_refused=True)
def create_workspace_state(place: Place) -> None:
    check_refused(place, "create", CreateWorkspaceState(name="Review", color="#abcdef", group="started"))


@row("workspace_states.update", is_refused=True)
def update_workspace_state(place: Place) -> None:
    check_refused(place, "update", UpdateWorkspaceState(name="Proof"))


@row("workspace_states.delete", is_refused=True)
def delete_workspace_state(place: Place) -> None:
    check_refused(place, "delete")
