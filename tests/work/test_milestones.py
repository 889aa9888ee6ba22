"""Milestones: which work items they hold, and what becomes of both."""

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop
from tests.work.planning_scene import add_item, make_project

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make_milestone(workshop: Workshop, project: str, title: str = "Beta") -> Row:
    made = await workshop.ana.post(f"{project}/milestones", {"title": title, "target_date": "2026-03-31"})
    assert made.status_code == 201, made.text
    return made.json


async def held(workshop: Workshop, project: str, milestone: Row) -> set[str]:
    listed = await workshop.ana.get(f"{project}/milestones/{milestone['id']}/work-items")
    assert {one["milestone"] for one in listed.json["results"]} <= {milestone["id"]}
    return {one["issue"] for one in listed.json["results"]}


async def history(workshop: Workshop, project: str, item: Row) -> list[tuple[str, str, str, str]]:
    listed = await workshop.ana.get(f"{project}/work-items/{item['id']}/activities")
    found = [one for one in listed.json["results"] if one["field"] == "milestone"]
    return [(one["verb"], one["old_value"], one["new_value"], one["comment"]) for one in found]


async def test_work_items_come_into_a_milestone_once_and_leave_it(workshop: Workshop) -> None:
    project = await make_project(workshop)
    beta = await make_milestone(workshop, project)
    one, other = await add_item(workshop, project), await add_item(workshop, project)
    path = f"{project}/milestones/{beta['id']}/work-items"
    for ids in ([one["id"], other["id"]], [one["id"]]):
        added = await workshop.ana.post(path, {"issues": ids})
        assert (added.status_code, added.text) == (204, "")
    assert await held(workshop, project, beta) == {one["id"], other["id"]}
    gone = await workshop.ana.send("DELETE", path, {"issues": [one["id"]]})
    assert (gone.status_code, await held(workshop, project, beta)) == (204, {other["id"]})
    again = await workshop.ana.send("DELETE", path, {"issues": [one["id"]]})
    message = f'Invalid pk "{one["id"]}" - object does not exist.'
    assert (again.status_code, again.json) == (400, {"issues": {"0": [message]}})
    assert await history(workshop, project, one) == [
        ("created", "", "Beta", "added milestone Beta"),
        ("deleted", "Beta", "", "removed this issue from Beta"),
    ]
    events = (await workshop.events_of(one["id"]))[1:]
    assert [(event["name"], event["changes"][0]["field"]) for event in events] == [
        ("workitem.updated", "milestone")
    ] * 2
    assert [event["changes"][0]["new_value"] for event in events] == [beta["id"], None]


async def test_a_work_item_has_one_milestone_and_moves_to_another(workshop: Workshop) -> None:
    project = await make_project(workshop)
    beta, final = [await make_milestone(workshop, project, title) for title in ("Beta", "Final")]
    item = await add_item(workshop, project)
    for milestone in (beta, final):
        path = f"{project}/milestones/{milestone['id']}/work-items"
        assert (await workshop.ana.post(path, {"issues": [item["id"]]})).status_code == 204
    assert await held(workshop, project, beta) == set()
    assert await held(workshop, project, final) == {item["id"]}
    assert (await history(workshop, project, item))[-1] == (
        "updated",
        "Beta",
        "Final",
        "updated milestone from Beta to Final",
    )


async def test_only_work_items_of_the_project_come_into_a_milestone(workshop: Workshop) -> None:
    project, other = await make_project(workshop), await make_project(workshop)
    beta = await make_milestone(workshop, project)
    own, foreign = await add_item(workshop, project), await add_item(workshop, other)
    path = f"{project}/milestones/{beta['id']}/work-items"
    for unknown in (foreign["id"], new_id()):
        refused = await workshop.ana.post(path, {"issues": [own["id"], unknown]})
        message = f'Invalid pk "{unknown}" - object does not exist.'
        assert (refused.status_code, refused.json) == (400, {"issues": {"1": [message]}})
    assert await held(workshop, project, beta) == set()


async def test_a_deleted_milestone_releases_its_work_items_and_a_deleted_work_item_leaves(
    workshop: Workshop,
) -> None:
    project = await make_project(workshop)
    beta = await make_milestone(workshop, project)
    one, other = await add_item(workshop, project), await add_item(workshop, project)
    path = f"{project}/milestones/{beta['id']}"
    await workshop.ana.post(f"{path}/work-items", {"issues": [one["id"], other["id"]]})
    assert (await workshop.ana.delete(f"{project}/work-items/{other['id']}")).status_code == 204
    assert await held(workshop, project, beta) == {one["id"]}
    assert (await workshop.ana.delete(path)).status_code == 204
    assert (await workshop.ana.get(f"{path}/work-items")).status_code == 404
    assert (await history(workshop, project, one))[-1][0] == "deleted"
    found = await workshop.ana.get(f"{project}/work-items", milestone=beta["id"])
    assert found.json["results"] == []


async def test_work_items_are_found_and_counted_by_their_milestone(workshop: Workshop) -> None:
    project = await make_project(workshop)
    beta = await make_milestone(workshop, project)
    inside, outside = await add_item(workshop, project), await add_item(workshop, project)
    await workshop.ana.post(f"{project}/milestones/{beta['id']}/work-items", {"issues": [inside["id"]]})

    async def listed(**query: str) -> set[str]:
        answer = await workshop.ana.get(f"{project}/work-items", **query)
        assert answer.status_code == 200, answer.text
        return {one["id"] for one in answer.json["results"]}

    assert await listed(milestone=beta["id"]) == {inside["id"]}
    assert await listed(pql=f'milestone = "{beta["id"]}"') == {inside["id"]}
    assert await listed(pql="milestone IS NULL") == {outside["id"]}
    assert await listed(filters=f'{{"milestone_id__in": ["{beta["id"]}"]}}') == {inside["id"]}
    count = "workspaces/acme/work-items/count"
    mine = project.rpartition("/")[2]
    grouped = await workshop.ana.get(count, group_by="milestone_id", pql=f'project = "{mine}"')
    assert grouped.json["grouped_counts"] == {beta["id"]: {"count": 1}, "None": {"count": 1}}
