"""Milestones: the work items that are due together, and how far they are."""

from typing import Any

from plane import PlaneClient
from plane.models.milestones import CreateMilestone, UpdateMilestone
from plane.models.work_items import CreateWorkItem, UpdateWorkItem

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


def test_2_a_milestone_shows_how_far_its_work_items_are(stage: Stage, ana: PlaneClient, project: Any) -> None:
    data = CreateMilestone(title="Beta", target_date="2026-03-31")
    milestone = ana.milestones.create("acme", project.id, data)
    items = [
        ana.work_items.create("acme", project.id, CreateWorkItem(name=name)).id for name in ("Bolt", "Nut")
    ]
    ana.milestones.add_work_items("acme", project.id, milestone.id, items)

    def progress() -> tuple[int, int, int]:
        shown = ana.milestones.retrieve("acme", project.id, milestone.id).model_dump()
        return shown["total_issues"], shown["completed_issues"], shown["progress_percentage"]

    assert progress() == (2, 0, 0)
    done = next(one.id for one in ana.states.list("acme", project.id).results if one.group == "completed")
    ana.work_items.update("acme", project.id, items[0], UpdateWorkItem(state=done))
    assert progress() == (2, 1, 50)
    ana.milestones.remove_work_items("acme", project.id, milestone.id, items[1:])
    assert progress() == (1, 1, 100)
    history = ana.work_items.activities.list("acme", project.id, items[1]).results
    assert [line.comment for line in history[1:]] == ["added milestone Beta", "removed this issue from Beta"]
    ana.milestones.update("acme", project.id, milestone.id, UpdateMilestone(title="Final"))
    ana.work_items.delete("acme", project.id, items[0])
    assert progress() == (0, 0, 0)
    ana.milestones.delete("acme", project.id, milestone.id)
    names = [name for name, data in list_recorded(stage, "milestone") if data["id"] == milestone.id]
    assert names == ["milestone.created", "milestone.updated", "milestone.deleted"]
