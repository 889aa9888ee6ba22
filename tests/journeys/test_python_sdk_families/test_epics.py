"""Epics: their progress comes from everything below them."""

from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.epics import AddEpicWorkItems, CreateEpic
from plane.models.projects import ProjectFeature
from plane.models.work_items import CreateWorkItem, UpdateWorkItem

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


def make_item(client: PlaneClient, project: Any, name: str, **fields: Any) -> str:
    return client.work_items.create("acme", project.id, CreateWorkItem(name=name, **fields)).id


def test_2_an_epics_progress_comes_from_its_children_and_theirs(
    stage: Stage, ana: PlaneClient, project: Any
) -> None:
    with pytest.raises(HttpError) as refused:
        ana.epics.create("acme", project.id, CreateEpic(name="Launch"))
    assert refused.value.status_code == 400
    ana.projects.update_features("acme", project.id, ProjectFeature(epics=True))
    epic = ana.epics.create("acme", project.id, CreateEpic(name="Launch", priority="high"))
    engine, hull = make_item(ana, project, "Engine"), make_item(ana, project, "Hull")
    pump = make_item(ana, project, "Pump", parent=engine)
    added = ana.epics.add_issues("acme", project.id, epic.id, AddEpicWorkItems(work_item_ids=[engine, hull]))
    assert [one.parent for one in added] == [epic.id] * 2

    def progress() -> tuple[int, int, int]:
        shown = ana.epics.retrieve("acme", project.id, epic.id).model_dump()
        return shown["total_issues"], shown["completed_issues"], shown["progress_percentage"]

    assert progress() == (3, 0, 0)
    done = next(one.id for one in ana.states.list("acme", project.id).results if one.group == "completed")
    ana.work_items.update("acme", project.id, pump, UpdateWorkItem(state=done))
    assert progress() == (3, 1, 33)
    ana.work_items.delete("acme", project.id, hull)
    assert progress() == (2, 1, 50)
    listed = ana.epics.list_issues("acme", project.id, epic.id).results
    assert [one.id for one in listed] == [engine]
    assert [one.id for one in ana.epics.list("acme", project.id).results] == [epic.id]

    with pytest.raises(HttpError) as circle:
        ana.work_items.update("acme", project.id, epic.id, UpdateWorkItem(parent=pump))
    assert circle.value.status_code == 400
    changed = [data for name, data in list_recorded(stage, "workitem") if name == "workitem.updated"]
    assert [one["id"] for one in changed if one["parent"] == epic.id][:2] == [engine, hull]
    ana.epics.delete("acme", project.id, epic.id)
    assert ana.work_items.retrieve("acme", project.id, engine).parent is None
