"""The estimate of a project, and its points."""

from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.estimates import CreateEstimate, CreateEstimatePoint, UpdateEstimate, UpdateEstimatePoint
from plane.models.projects import CreateProject

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import row


def make_project(place: Place) -> str:
    name = unique("Scales")
    data = CreateProject(name=name, identifier=f"SC{name.split()[1]}")
    return place.client.projects.create(SLUG, data).id


def make_estimate(place: Place) -> tuple[str, Any]:
    """A new project, and its estimate."""
    project = make_project(place)
    data = CreateEstimate(name="Story points", type="points", description="Of effort")
    return project, place.client.estimates.create(SLUG, project, data)


def make_points(place: Place, *values: str) -> tuple[str, str, list[Any]]:
    """Project, estimate, and its points."""
    project, estimate = make_estimate(place)
    data = [CreateEstimatePoint(value=value, key=key) for key, value in enumerate(values)]
    return project, estimate.id, place.client.estimates.create_points(SLUG, project, estimate.id, data)


@row("estimates.create")
@row("estimates.retrieve")
def create_and_retrieve(place: Place) -> None:
    project, made = make_estimate(place)
    read = place.client.estimates.retrieve(SLUG, project)
    assert (read.id, read.name, read.type, read.description) == (
        made.id,
        "Story points",
        "points",
        "Of effort",
    )
    linked = place.client.estimates.link_to_project(SLUG, project, made.id)
    assert linked.estimate == made.id


@row("estimates.update")
def update(place: Place) -> None:
    project, made = make_estimate(place)
    data = UpdateEstimate(name="Sizes", external_id="7", external_source="compose")
    place.client.estimates.update(SLUG, project, data)
    read = place.client.estimates.retrieve(SLUG, project)
    assert (read.id, read.name, read.external_id, read.type) == (made.id, "Sizes", "7", "points")


@row("estimates.delete")
def delete(place: Place) -> None:
    project, _ = make_estimate(place)
    place.client.estimates.delete(SLUG, project)
    with pytest.raises(HttpError) as gone:
        place.client.estimates.retrieve(SLUG, project)
    assert gone.value.status_code == 404


@row("estimates.create_points")
@row("estimates.list_points")
def create_and_list_points(place: Place) -> None:
    project, estimate, made = make_points(place, "1", "2", "3")
    listed = place.client.estimates.list_points(SLUG, project, estimate)
    assert [(one.id, one.value, one.key) for one in listed] == [
        (one.id, value, key) for key, (one, value) in enumerate(zip(made, "123", strict=True))
    ]


@row("estimates.update_point")
def update_point(place: Place) -> None:
    project, estimate, (first, second) = make_points(place, "1", "2")
    data = UpdateEstimatePoint(value="5", key=9, description="Large")
    place.client.estimates.update_point(SLUG, project, estimate, first.id, data)
    listed = place.client.estimates.list_points(SLUG, project, estimate)
    assert [(one.id, one.value, one.description) for one in listed] == [
        (second.id, "2", ""),
        (first.id, "5", "Large"),
    ]


@row("estimates.delete_point")
def delete_point(place: Place) -> None:
    project, estimate, (first, second) = make_points(place, "1", "2")
    place.client.estimates.delete_point(SLUG, project, estimate, first.id)
    assert [one.id for one in place.client.estimates.list_points(SLUG, project, estimate)] == [second.id]
