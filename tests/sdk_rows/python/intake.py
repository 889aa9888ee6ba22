"""The intake of a project: what waits there, and what is decided on it."""

from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.enums import IntakeWorkItemStatusEnum
from plane.models.intake import CreateIntakeWorkItem, UpdateIntakeWorkItem
from plane.models.work_items import WorkItemForIntakeRequest

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import row


def file(place: Place) -> Any:
    issue = WorkItemForIntakeRequest(name=unique("The wheel squeaks"), priority="high")
    return place.client.intake.create(SLUG, place.project_id, CreateIntakeWorkItem(issue=issue))


def read(place: Place, filed: Any) -> Any:
    return place.client.intake.retrieve(SLUG, place.project_id, filed.issue)


@row("intake.create")
def create(place: Place) -> None:
    filed = file(place)
    found = read(place, filed)
    assert (found.id, found.issue_detail.name) == (filed.id, filed.issue_detail.name)
    assert found.issue_detail.priority == "high"


@row("intake.retrieve")
def retrieve(place: Place) -> None:
    filed, other = file(place), file(place)
    assert read(place, filed).id == filed.id != other.id


@row("intake.list")
def list_filed(place: Place) -> None:
    made = [file(place).id for _ in range(2)]
    listed = [one.id for one in place.client.intake.list(SLUG, place.project_id).results]
    assert set(made) <= set(listed)


@row("intake.update")
def update(place: Place) -> None:
    filed = file(place)
    change = UpdateIntakeWorkItem(issue=WorkItemForIntakeRequest(name="The front wheel squeaks"))
    place.client.intake.update(SLUG, place.project_id, filed.issue, change)
    assert read(place, filed).issue_detail.name == "The front wheel squeaks"


@row("intake.update_status")
def update_status(place: Place) -> None:
    filed = file(place)
    change = UpdateIntakeWorkItem(status=IntakeWorkItemStatusEnum(1))
    place.client.intake.update_status(SLUG, place.project_id, filed.issue, change)
    found = place.client.work_items.retrieve(SLUG, place.project_id, filed.issue)
    assert found.name == filed.issue_detail.name
    assert filed.issue in [one.id for one in place.client.work_items.list(SLUG, place.project_id).results]


@row("intake.delete")
def delete(place: Place) -> None:
    filed, left = file(place), file(place)
    place.client.intake.delete(SLUG, place.project_id, filed.issue)
    with pytest.raises(HttpError) as gone:
        read(place, filed)
    assert gone.value.status_code == 404
    assert read(place, left).id == left.id
