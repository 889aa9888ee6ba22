"""The intake: accept, reject, duplicate, snooze, and what becomes of the work item."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.intake import CreateIntakeWorkItem, UpdateIntakeWorkItem
from plane.models.projects import UpdateProject
from plane.models.work_items import CreateWorkItem, WorkItemForIntakeRequest

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


@pytest.fixture
def open_project(ana: PlaneClient, project: Any) -> Any:
    """One that uses its intake."""
    return ana.projects.update("acme", project.id, UpdateProject(intake_view=True))


def file(ana: PlaneClient, project: Any, name: str) -> Any:
    issue = WorkItemForIntakeRequest(name=name, description_html="<p>Since Monday</p>", priority="high")
    return ana.intake.create("acme", project.id, CreateIntakeWorkItem(issue=issue))


def decide(ana: PlaneClient, project: Any, filed: Any, **decision: Any) -> Any:
    return ana.intake.update_status("acme", project.id, filed.issue, UpdateIntakeWorkItem(**decision))


def list_names(ana: PlaneClient, project: Any) -> set[str | None]:
    return {item.name for item in ana.work_items.list("acme", project.id).results}


def test_3_a_request_waits_and_once_accepted_is_a_work_item_in_the_default_state(
    stage: Stage, ana: PlaneClient, open_project: Any
) -> None:
    filed = file(ana, open_project, "The wheel squeaks")
    assert (filed.status, filed.issue_detail.state.group, filed.issue_detail.priority) == (
        -2,
        "triage",
        "high",
    )
    listed = ana.intake.list("acme", open_project.id).results
    assert [(one.id, one.issue_detail.name) for one in listed] == [(filed.id, "The wheel squeaks")]
    assert list_names(ana, open_project) == set()
    assert ana.work_items.search("acme", "squeaks").issues == []
    change = UpdateIntakeWorkItem(issue=WorkItemForIntakeRequest(name="The front wheel squeaks"))
    assert ana.intake.update("acme", open_project.id, filed.issue, change).issue_detail.name == (
        "The front wheel squeaks"
    )
    accepted = decide(ana, open_project, filed, status=1)
    assert (accepted.status, accepted.issue_detail.state.name) == (1, "Backlog")
    assert list_names(ana, open_project) == {"The front wheel squeaks"}
    [found] = ana.work_items.search("acme", "squeaks").issues
    assert found.id == filed.issue
    recorded = [(name, data["status"]) for name, data in list_recorded(stage, "intake.workitem")]
    assert recorded == [
        ("intake.workitem.created", -2), ("intake.workitem.updated", -2), ("intake.workitem.updated", 1),
    ]  # fmt: skip
    [(name, data)] = list_recorded(stage, "workitem")
    assert (name, data["id"], data["state"]["name"]) == ("workitem.updated", filed.issue, "Backlog")
    history = ana.work_items.activities.list("acme", open_project.id, filed.issue).results
    assert [(line.field, line.new_value) for line in history[1:]] == [
        ("name", "The front wheel squeaks"), ("intake", "Accepted"), ("state", "Backlog"),
    ]  # fmt: skip


def test_3_rejected_requests_and_duplicates_stay_out(ana: PlaneClient, open_project: Any) -> None:
    known = ana.work_items.create("acme", open_project.id, CreateWorkItem(name="Known"))
    rejected, duplicate = file(ana, open_project, "Paint it"), file(ana, open_project, "Known, too")
    assert decide(ana, open_project, rejected, status=-1).status == -1
    for wrong in ({}, {"duplicate_to": duplicate.issue}):
        with pytest.raises(HttpError) as refused:
            decide(ana, open_project, duplicate, status=2, **wrong)
        assert refused.value.status_code == 400
    marked = decide(ana, open_project, duplicate, status=2, duplicate_to=known.id)
    assert (marked.status, marked.duplicate_to) == (2, known.id)
    assert list_names(ana, open_project) == {"Known"}
    ana.intake.delete("acme", open_project.id, rejected.issue)
    assert [one.id for one in ana.intake.list("acme", open_project.id).results] == [duplicate.id]
    with pytest.raises(HttpError) as gone:
        ana.work_items.retrieve("acme", open_project.id, rejected.issue)
    assert gone.value.status_code == 404


def test_3_a_snoozed_request_comes_back_at_its_time(ana: PlaneClient, open_project: Any) -> None:
    filed = file(ana, open_project, "Later")
    till = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert decide(ana, open_project, filed, status=0, snoozed_till=till).status == 0
    deadline = time.monotonic() + 30
    while (read := ana.intake.retrieve("acme", open_project.id, filed.issue)).status == 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (read.status, read.snoozed_till) == (-2, None)
    assert list_names(ana, open_project) == set()


def test_3_without_the_feature_nothing_is_filed(ana: PlaneClient, project: Any) -> None:
    with pytest.raises(HttpError) as refused:
        file(ana, project, "Nobody listens")
    assert refused.value.status_code == 400
    assert ana.intake.list("acme", project.id).results == []
