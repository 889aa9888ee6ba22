"""Estimates: one of a project, its points, and what becomes of work items that have one."""

import pytest

from airside.db.base import Row, new_id
from airside.work.planning.estimate_points import MAX_POINTS
from tests.support.workshop import Workshop
from tests.work.planning_scene import add_item, estimate, make_project

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def history(workshop: Workshop, project: str, item: Row) -> list[tuple[str | None, ...]]:
    listed = await workshop.ana.get(f"{project}/work-items/{item['id']}/activities")
    return [
        (one["verb"], one["field"], one["old_value"], one["new_value"])
        for one in listed.json["results"]
        if one["field"]
    ]


async def test_a_project_has_one_estimate_and_another_after_it_is_deleted(workshop: Workshop) -> None:
    path = f"{await make_project(workshop)}/estimates"
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert (await workshop.ana.send(method, path, body)).status_code == 404
    made = await workshop.ana.post(path, {"name": "Scale", "external_id": "7", "external_source": "compose"})
    assert (made.status_code, made.json["type"], made.json["last_used"]) == (201, "categories", True)
    again = await workshop.ana.post(path, {"name": "Second"})
    sentence = "An estimate already exists for this project"
    assert (again.status_code, again.json) == (409, {"error": sentence, "id": made.json["id"]})
    changed = await workshop.ana.patch(path, {"name": "Sizes", "type": "time", "description": None})
    assert (changed.json["name"], changed.json["type"], changed.json["description"]) == ("Sizes", "time", "")
    assert (await workshop.ana.get(path)).json == changed.json
    assert (await workshop.ana.patch(path, {"type": "tshirt"})).json == {
        "type": ['"tshirt" is not a valid choice.']
    }
    assert (await workshop.ana.delete(path)).status_code == 204
    assert (await workshop.ana.get(path)).status_code == 404
    assert (await workshop.ana.post(path, {"name": "Second"})).status_code == 201


async def test_points_come_as_an_array_or_an_object_and_are_listed_by_their_keys(workshop: Workshop) -> None:
    project = await make_project(workshop)
    made = await workshop.ana.post(f"{project}/estimates", {"name": "Scale"})
    path = f"{project}/estimates/{made.json['id']}/estimate-points"
    first = await workshop.ana.post(
        path, [{"value": " M ", "key": 5}, {"value": "L", "description": "large"}]
    )
    second = await workshop.ana.post(path, {"estimate_points": [{"value": "S", "key": 0}]})
    assert (first.status_code, second.status_code) == (201, 201)
    assert [(one["value"], one["key"]) for one in first.json] == [("M", 5), ("L", 6)]
    listed = (await workshop.ana.get(path)).json
    assert [one["value"] for one in listed] == ["S", "M", "L"]
    assert {one["estimate"] for one in listed} == {made.json["id"]}
    moved = await workshop.ana.patch(f"{path}/{second.json[0]['id']}", {"key": 9, "value": "XL"})
    assert [one["value"] for one in (await workshop.ana.get(path)).json] == ["M", "L", "XL"]
    events = [event["name"] for event in await workshop.events_of(moved.json["id"])]
    assert events == ["estimate.point.created", "estimate.point.updated"]


async def test_a_wrong_point_is_refused_by_its_position_and_none_is_stored(workshop: Workshop) -> None:
    project = await make_project(workshop)
    made = await workshop.ana.post(f"{project}/estimates", {"name": "Scale"})
    path = f"{project}/estimates/{made.json['id']}/estimate-points"
    wrong = [{"value": "1"}, {"value": "x" * 21}, {"key": 1}, "3"]
    expected = {
        "1": {"value": ["Ensure this field has no more than 20 characters."]},
        "2": {"value": ["This field is required."]},
        "3": ["Invalid data. Expected a dictionary, but got str."],
    }
    for body in (wrong, {"estimate_points": wrong}):
        refused = await workshop.ana.post(path, body)
        assert (refused.status_code, refused.json) == (400, {"estimate_points": expected})
    none = await workshop.ana.post(path, [])
    assert (none.status_code, none.json) == (400, {"estimate_points": ["This list may not be empty."]})
    many = await workshop.ana.post(path, [{"value": str(n)} for n in range(MAX_POINTS + 1)])
    assert (many.status_code, many.json) == (400, {"error": f"An estimate has at most {MAX_POINTS} points"})
    assert (await workshop.ana.get(path)).json == []


async def test_a_work_item_takes_the_points_of_its_own_projects_estimate(workshop: Workshop) -> None:
    project, other = await make_project(workshop), await make_project(workshop)
    own, foreign = await estimate(workshop, project, "1", "2"), await estimate(workshop, other, "3")
    item = await add_item(workshop, project, estimate_point=own["1"])
    assert item["estimate_point"] == own["1"]
    for unknown in (foreign["3"], new_id()):
        for answer in (
            await workshop.ana.patch(f"{project}/work-items/{item['id']}", {"estimate_point": unknown}),
            await workshop.ana.post(f"{project}/work-items", {"name": "x", "estimate_point": unknown}),
        ):
            message = f'Invalid pk "{unknown}" - object does not exist.'
            assert (answer.status_code, answer.json) == (400, {"estimate_point": [message]})
    path = f"{project}/work-items/{item['id']}"
    assert (await workshop.ana.patch(path, {"estimate_point": own["2"]})).json["estimate_point"] == own["2"]
    assert (await workshop.ana.patch(path, {"estimate_point": None})).json["estimate_point"] is None
    assert await history(workshop, project, item) == [
        ("updated", "estimate_points", "1", "2"),
        ("removed", "estimate_points", "2", None),
    ]


async def test_work_items_lose_a_deleted_point_with_history_and_event(workshop: Workshop) -> None:
    project = await make_project(workshop)
    points = await estimate(workshop, project, "S", "M", kind="categories")
    small, medium = [await add_item(workshop, project, estimate_point=points[one]) for one in "SM"]
    at = (await workshop.ana.get(f"{project}/estimates")).json["id"]
    deleted = await workshop.ana.delete(f"{project}/estimates/{at}/estimate-points/{points['S']}")
    assert deleted.status_code == 204
    shown = (await workshop.ana.get(f"{project}/work-items/{small['id']}")).json
    assert (shown["estimate_point"], shown["updated_by"]) == (None, workshop.cast.ana["id"])
    kept = (await workshop.ana.get(f"{project}/work-items/{medium['id']}")).json
    assert kept["estimate_point"] == points["M"]
    assert await history(workshop, project, small) == [("removed", "estimate_categories", "S", None)]
    event = (await workshop.events_of(small["id"]))[-1]
    assert (event["name"], event["changes"][0]["field"]) == ("workitem.updated", "estimate_point")
    refused = await workshop.ana.patch(f"{project}/work-items/{small['id']}", {"estimate_point": points["S"]})
    assert refused.status_code == 400


async def test_a_deleted_estimate_takes_its_points_and_leaves_project_and_work_items(
    workshop: Workshop,
) -> None:
    project = await make_project(workshop)
    points = await estimate(workshop, project, "1", "2")
    item = await add_item(workshop, project, estimate_point=points["2"])
    at = (await workshop.ana.get(f"{project}/estimates")).json["id"]
    linked = await workshop.ana.patch(project, {"estimate": at})
    assert (linked.status_code, linked.json["estimate"]) == (200, at)
    assert (await workshop.ana.delete(f"{project}/estimates")).status_code == 204
    assert (await workshop.ana.get(project)).json["estimate"] is None
    assert (await workshop.ana.get(f"{project}/work-items/{item['id']}")).json["estimate_point"] is None
    names = [event["name"] for event in await workshop.events_of(project.rpartition("/")[2])]
    assert names == ["project.created", "project.updated", "project.updated"]
    assert [event["name"] for event in await workshop.events_of(points["1"])][-1] == "estimate.point.deleted"
    assert (await workshop.ana.get(f"{project}/estimates/{at}/estimate-points")).status_code == 404


async def test_a_project_uses_its_own_estimate_and_no_other(workshop: Workshop) -> None:
    project, other = await make_project(workshop), await make_project(workshop)
    await estimate(workshop, other, "1")
    foreign = (await workshop.ana.get(f"{other}/estimates")).json["id"]
    refused = await workshop.ana.patch(project, {"estimate": foreign})
    message = f'Invalid pk "{foreign}" - object does not exist.'
    assert (refused.status_code, refused.json) == (400, {"estimate": [message]})
    body = {"name": "Early", "identifier": "EARLY", "estimate": foreign}
    early = await workshop.ana.post("workspaces/acme/projects", body)
    sentence = "A project that is being created has no estimate yet."
    assert (early.status_code, early.json) == (400, {"estimate": [sentence]})


async def test_lists_are_filtered_and_ordered_by_the_point(workshop: Workshop) -> None:
    project = await make_project(workshop)
    points = await estimate(workshop, project, "8", "13", "5")
    names: dict[str, str] = {}
    for value in ("13", "8", "5", ""):
        item = await add_item(workshop, project, estimate_point=points.get(value))
        names[item["id"]] = value

    async def listed(**query: str) -> list[str]:
        answer = await workshop.ana.get(f"{project}/work-items", **query)
        assert answer.status_code == 200, answer.text
        return [names[one["id"]] for one in answer.json["results"]]

    assert await listed(order_by="estimate_point__key") == ["8", "13", "5", ""]
    assert await listed(order_by="-estimate_point__key") == ["5", "13", "8", ""]
    assert await listed(order_by="estimate_point__value") == ["13", "5", "8", ""]
    assert await listed(estimate_point=points["5"]) == ["5"]
    assert await listed(pql=f'estimatePoint = "{points["8"]}"') == ["8"]
    assert await listed(pql="estimatePoint IS NULL") == [""]
    assert set(await listed(filters=f'{{"estimate_point__in": "{points["8"]},{points["5"]}"}}')) == {"8", "5"}
