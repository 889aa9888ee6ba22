"""Estimates: points of a project's scale, counted wherever work items are."""

from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.estimates import CreateEstimate, CreateEstimatePoint
from plane.models.milestones import CreateMilestone
from plane.models.query_params import WorkItemCountQueryParams
from plane.models.work_items import CreateWorkItem, UpdateWorkItem

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


def make_scale(client: PlaneClient, project: Any, kind: str, *values: str) -> dict[str, str]:
    """The project's estimate, in use; value → id of its point."""
    estimate = client.estimates.create("acme", project.id, CreateEstimate(name="Scale", type=kind))
    client.estimates.link_to_project("acme", project.id, estimate.id)
    points = [CreateEstimatePoint(value=value) for value in values]
    made = client.estimates.create_points("acme", project.id, estimate.id, points)
    return {one.value: one.id for one in made}


def make_item(client: PlaneClient, project: Any, point: str | None, **fields: Any) -> str:
    data = CreateWorkItem(name="Wheel", estimate_point=point, **fields)
    return client.work_items.create("acme", project.id, data).id


def test_5_points_count_in_milestones_and_groups(ana: PlaneClient, project: Any) -> None:
    points = make_scale(ana, project, "points", "3", "5", "8")
    groups = {state.group: state.id for state in ana.states.list("acme", project.id).results}
    done = make_item(ana, project, points["3"], state=groups["completed"], priority="high")
    begun = make_item(ana, project, points["5"], state=groups["started"], priority="low")
    bare = make_item(ana, project, None, priority="low")
    milestone = ana.milestones.create("acme", project.id, CreateMilestone(title="Beta"))
    ana.milestones.add_work_items("acme", project.id, milestone.id, [done, begun, bare])
    held = ana.milestones.retrieve("acme", project.id, milestone.id).model_dump()
    sums = [held[f"{which}_estimates"] for which in ("total", "completed", "started")]
    assert sums == [8, 3, 5]

    pql = f'project = "{project.id}"'
    params = WorkItemCountQueryParams(group_by="priority", pql=pql)
    counted = ana.work_items.count_workspace("acme", params).model_dump()
    assert counted["total_estimates"] == 8
    sums = {group: one.get("total_estimates") for group, one in counted["grouped_counts"].items()}
    assert sums == {"high": 3, "low": 5}


def test_5_a_deleted_point_leaves_its_work_items_and_their_history_says_so(
    stage: Stage, ana: PlaneClient, project: Any
) -> None:
    points = make_scale(ana, project, "categories", "S", "M")
    item = make_item(ana, project, points["S"])
    ana.work_items.update("acme", project.id, item, UpdateWorkItem(estimate_point=points["M"]))
    estimate = ana.estimates.retrieve("acme", project.id)
    ana.estimates.delete_point("acme", project.id, estimate.id, points["M"])
    assert ana.work_items.retrieve("acme", project.id, item).estimate_point is None
    history = ana.work_items.activities.list("acme", project.id, item).results
    assert [(line.verb, line.field, line.old_value, line.new_value) for line in history[1:]] == [
        ("updated", "estimate_categories", "S", "M"),
        ("removed", "estimate_categories", "M", None),
    ]
    changed = [data for name, data in list_recorded(stage, "workitem") if name == "workitem.updated"]
    assert [one["estimate_point"] for one in changed if one["id"] == item] == [points["M"], None]
    with pytest.raises(HttpError) as refused:
        ana.work_items.update("acme", project.id, item, UpdateWorkItem(estimate_point=points["M"]))
    assert refused.value.status_code == 400
