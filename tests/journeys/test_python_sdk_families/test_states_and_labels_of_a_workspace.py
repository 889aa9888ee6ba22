"""A workspace's own lists: the states of all projects, and the states and labels that its projects have."""

from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.states import CreateState, CreateWorkspaceState
from plane.models.workspace_project_labels import CreateWorkspaceProjectLabel, UpdateWorkspaceProjectLabel
from plane.models.workspace_project_states import CreateWorkspaceProjectState, UpdateWorkspaceProjectState


def test_11_the_states_of_all_projects_are_read_at_the_workspace_and_written_in_their_project(
    ana: PlaneClient, project: Any
) -> None:
    body = CreateState(name="Review", color="#fff", external_id="7", external_source="tracker")
    made = ana.states.create("acme", project.id, body)
    assert made.id in [state.id for state in ana.workspace_states.list("acme", {"per_page": 100}).results]
    assert ana.workspace_states.retrieve("acme", made.id).name == "Review"
    assert ana.workspace_states.retrieve_by_external_id("acme", "7", "tracker").id == made.id
    assert ana.workspaces.get_features("acme").states_owned_by_workspace is False
    with pytest.raises(HttpError) as refused:
        ana.workspace_states.create("acme", CreateWorkspaceState(name="Mine", color="#fff", group="started"))
    assert refused.value.status_code == 400
    assert refused.value.response["code"] == "workspace_not_managed"  # type: ignore[index]


def test_11_project_labels_are_a_bare_list(ana: PlaneClient) -> None:
    made = ana.workspace_project_labels.create("acme", CreateWorkspaceProjectLabel(name="strategic"))
    body = UpdateWorkspaceProjectLabel(color="#00FF00", sort_order=5)
    ana.workspace_project_labels.update("acme", made.id, body)
    (read,) = ana.workspace_project_labels.list("acme")
    assert (read.id, read.color, read.sort_order) == (made.id, "#00FF00", 5)
    ana.workspace_project_labels.delete("acme", made.id)
    assert ana.workspace_project_labels.list("acme") == []


def test_11_project_states_have_one_default(ana: PlaneClient) -> None:
    first, second = (
        ana.workspace_project_states.create(
            "acme", CreateWorkspaceProjectState(name=name, group="planning", default=True)
        )
        for name in ("Planned", "Agreed")
    )
    listed = {state.id: state for state in ana.workspace_project_states.list("acme")}
    assert [listed[one.id].default for one in (first, second)] == [False, True]
    body = UpdateWorkspaceProjectState(description="Nobody works on it yet")
    changed = ana.workspace_project_states.update("acme", first.id, body)
    assert (changed.description, changed.group) == ("Nobody works on it yet", "planning")
    ana.workspace_project_states.delete("acme", first.id)
    assert [state.id for state in ana.workspace_project_states.list("acme")] == [second.id]
