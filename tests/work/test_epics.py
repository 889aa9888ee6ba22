"""Epics: work items of the epic type, and what is below them."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop
from tests.work.planning_scene import add_item, estimate, make_project, state_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make_epic_project(workshop: Workshop) -> str:
    project = await make_project(workshop)
    assert (await workshop.ana.patch(f"{project}/features", {"epics": True})).status_code == 200
    return project


async def make_epic(workshop: Workshop, project: str, **body: Any) -> Row:
    made = await workshop.ana.post(f"{project}/epics", {"name": "Launch", **body})
    assert made.status_code == 201, made.text
    return made.json


async def progress(workshop: Workshop, project: str, epic: Row) -> tuple[int, int, int]:
    shown = (await workshop.ana.get(f"{project}/epics/{epic['id']}")).json
    return shown["total_issues"], shown["completed_issues"], shown["progress_percentage"]


async def test_the_feature_brings_the_type_and_writes_need_it(workshop: Workshop) -> None:
    project = await make_project(workshop)
    refused = await workshop.ana.post(f"{project}/epics", {"name": "Launch"})
    assert refused.status_code == 400
    assert (await workshop.ana.get(f"{project}/epics")).json["results"] == []
    for flag in (True, False, True):
        assert (await workshop.ana.patch(f"{project}/features", {"epics": flag})).status_code == 200
    types = (await workshop.ana.get(f"{project}/work-item-types")).json
    assert [(one["name"], one["is_epic"], one["level"]) for one in types] == [("Epic", True, 1)]
    epic = await make_epic(workshop, project)
    assert epic["type"] == epic["type_id"] == types[0]["id"]


async def test_an_epic_is_a_work_item_and_a_work_item_is_no_epic(workshop: Workshop) -> None:
    project = await make_epic_project(workshop)
    done, ana = await state_of(workshop, project, "completed"), workshop.cast.ana["id"]
    body = {"state_id": done, "assignee_ids": [ana], "description_html": "<p>Up</p>"}
    epic, item = await make_epic(workshop, project, **body), await add_item(workshop, project)
    assert (epic["state"], epic["assignees"], epic["description_stripped"]) == (done, [ana], "Up")
    assert epic["completed_at"] is not None
    listed = (await workshop.ana.get(f"{project}/epics")).json["results"]
    assert [one["id"] for one in listed] == [epic["id"]]
    assert (await workshop.ana.get(f"{project}/epics/{item['id']}")).status_code == 404
    assert (await workshop.ana.get(f"{project}/work-items/{epic['id']}")).json["name"] == "Launch"

    async def found(pql: str) -> set[str]:
        answer = await workshop.ana.get(f"{project}/work-items", pql=pql)
        assert answer.status_code == 200, answer.text
        return {one["id"] for one in answer.json["results"]}

    assert await found("isEpic()") == {epic["id"]}
    assert await found("NOT isEpic()") == {item["id"]}
    names = [event["name"] for event in await workshop.events_of(epic["id"])]
    assert names == ["workitem.created"]
    changed = await workshop.ana.patch(f"{project}/epics/{epic['id']}", {"name": "Land", "label_ids": []})
    assert (changed.status_code, changed.json["name"]) == (200, "Land")


async def test_progress_comes_from_everything_below(workshop: Workshop) -> None:
    project = await make_epic_project(workshop)
    points = await estimate(workshop, project, "3", "5")
    done, dropped = [await state_of(workshop, project, group) for group in ("completed", "cancelled")]
    epic, other = await make_epic(workshop, project), await make_epic(workshop, project)
    child = await add_item(workshop, project, parent=epic["id"], estimate_point=points["3"])
    deep = await add_item(workshop, project, parent=child["id"], estimate_point=points["5"], state=done)
    await add_item(workshop, project, parent=deep["id"], state=dropped)
    await add_item(workshop, project, parent=epic["id"], is_draft=True)
    await add_item(workshop, project)
    assert await progress(workshop, project, epic) == (3, 1, 67)
    assert await progress(workshop, project, other) == (0, 0, 0)
    shown = (await workshop.ana.get(f"{project}/epics/{epic['id']}")).json
    assert (shown["cancelled_issues"], shown["total_estimates"]) == (1, 8)
    listed = (await workshop.ana.get(f"{project}/epics")).json["results"]
    assert {one["id"]: one["total_issues"] for one in listed} == {epic["id"]: 3, other["id"]: 0}


async def test_work_items_are_added_by_their_parent_without_circles(workshop: Workshop) -> None:
    project, elsewhere = await make_epic_project(workshop), await make_project(workshop)
    epic, other = await make_epic(workshop, project), await make_epic(workshop, project)
    one, two = await add_item(workshop, project), await add_item(workshop, project)
    foreign = await add_item(workshop, elsewhere)
    path = f"{project}/epics/{epic['id']}/issues"
    added = await workshop.ana.post(path, {"work_item_ids": [one["id"], two["id"], one["id"]]})
    assert (added.status_code, [item["parent"] for item in added.json]) == (200, [epic["id"]] * 2)
    assert {item["id"] for item in (await workshop.ana.get(path)).json["results"]} == {one["id"], two["id"]}
    event = (await workshop.events_of(one["id"]))[-1]
    assert (event["name"], event["changes"][0]["field"]) == ("workitem.updated", "parent")
    for wrong, said in (
        (foreign["id"], f'Invalid pk "{foreign["id"]}" - object does not exist.'),
        (unknown := new_id(), f'Invalid pk "{unknown}" - object does not exist.'),
        (other["id"], "An epic cannot be below another epic."),
        (epic["id"], "An epic cannot be below another epic."),
    ):
        refused = await workshop.ana.post(path, {"work_item_ids": [two["id"], wrong]})
        assert (refused.status_code, refused.json) == (400, {"work_item_ids": {"1": [said]}})
    above = await workshop.ana.patch(f"{project}/work-items/{epic['id']}", {"parent": foreign["id"]})
    assert above.status_code == 200
    moved = await add_item(workshop, project)
    up = await workshop.ana.patch(f"{project}/work-items/{epic['id']}", {"parent": moved["id"]})
    assert up.status_code == 200
    circle = await workshop.ana.post(path, {"work_item_ids": [moved["id"]]})
    assert circle.json == {"work_item_ids": {"0": ["It cannot be below itself."]}}


async def test_a_deleted_epic_leaves_its_work_items(workshop: Workshop) -> None:
    project = await make_epic_project(workshop)
    epic = await make_epic(workshop, project)
    item = await add_item(workshop, project, parent=epic["id"])
    assert (await workshop.ana.delete(f"{project}/epics/{epic['id']}")).status_code == 204
    assert (await workshop.ana.get(f"{project}/epics/{epic['id']}/issues")).status_code == 404
    assert (await workshop.ana.get(f"{project}/work-items/{item['id']}")).json["parent"] is None
