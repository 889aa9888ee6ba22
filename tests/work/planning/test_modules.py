"""Modules: their people and status, and their work items, which may be in several."""

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import unique
from tests.work.planning.scene import MISSING, Project

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_module_is_planned_and_comes_before_the_others(project: Project) -> None:
    ana, ben = project.workshop.cast.ana["id"], project.workshop.cast.ben["id"]
    first = await project.make("modules", lead=ben, members=[ben, ana, ben], description=None)
    assert (first["status"], first["lead"], first["members"]) == ("planned", ben, [ben, ana])
    assert (first["description"], first["total_issues"], first["sort_order"]) == ("", 0, 65535.0)
    second = await project.make("modules", status="in-progress", target_date="2026-02-01")
    assert (second["sort_order"], second["members"], second["target_date"]) == (55535.0, [], "2026-02-01")
    assert await project.ids("modules", members=ana) == [first["id"]]
    assert await project.ids("modules", status="in-progress") == [second["id"]]
    [shown] = (await project.get("modules", lead=ben, expand="lead,members"))["results"]
    assert (shown["lead"]["id"], [one["id"] for one in shown["members"]]) == (ben, [ben, ana])
    lite = (await project.get("modules-lite"))["results"]
    assert [one["id"] for one in lite] == [second["id"], first["id"]]
    assert "total_issues" not in lite[0]


async def test_members_change_with_their_event(project: Project) -> None:
    ana, ben = project.workshop.cast.ana["id"], project.workshop.cast.ben["id"]
    module = await project.make("modules", members=[ana])
    path = f"{project.path}/modules/{module['id']}"
    assert (await project.ana.patch(path, {"members": [ben]})).json["members"] == [ben]
    assert (await project.ana.patch(path, {"members": [ben]})).status_code == 200
    events = await project.workshop.events_of(module["id"])
    assert [event["name"] for event in events] == ["module.created", "module.updated"]
    assert events[1]["previous"] == {"member_ids": [ana]}
    stranger = await project.ana.patch(path, {"members": [ben, project.workshop.cast.zoe["id"]]})
    assert (stranger.status_code, list(stranger.json["members"])) == (400, ["1"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status": "in_progress"}, {"status": ['"in_progress" is not a valid choice.']}),
        (
            {"start_date": "2026-02-02", "target_date": "2026-02-01"},
            {"non_field_errors": ["Start date cannot exceed target date"]},
        ),
    ],
)
async def test_a_wrong_module_is_refused(project: Project, body: Row, said: Row) -> None:
    answer = await project.post("modules", name=unique("Wrong"), **body)
    assert (answer.status_code, answer.json) == (400, said)


async def test_a_name_is_taken_once_in_a_project(project: Project) -> None:
    module, other = await project.make("modules", name="Wheels"), await project.make("modules")
    taken = {
        "error": "Module with the same name already exists in the project",
        "id": module["id"],
    }
    assert (await project.post("modules", name="Wheels")).json == taken
    renamed = await project.ana.patch(f"{project.path}/modules/{other['id']}", {"name": "Wheels"})
    assert (renamed.status_code, renamed.json) == (409, taken)


async def test_only_finished_modules_are_archived_and_they_are_closed_then(project: Project) -> None:
    module, [item] = await project.make("modules"), await project.items("backlog")
    path = f"{project.path}/modules/{module['id']}"
    refused = await project.ana.post(f"{path}/archive")
    assert refused.json == {"error": "Only completed or cancelled modules can be archived"}
    assert (await project.ana.patch(path, {"status": "cancelled"})).status_code == 200
    assert (await project.ana.post(f"{path}/archive")).status_code == 204
    assert await project.ids("modules") == []
    assert await project.ids("archived-modules") == [module["id"]]
    closed = {"error": "Archived module cannot be edited"}
    assert (await project.ana.patch(path, {"name": "Renamed"})).json == closed
    archived = {"error": "Archived module cannot be updated"}
    assert (await project.ana.post(f"{path}/module-issues", {"issues": [item]})).json == archived
    assert (await project.post("work-items", name="New", module=module["id"])).json == archived
    restored = await project.ana.delete(f"{project.path}/archived-modules/{module['id']}/unarchive")
    assert restored.status_code == 204
    assert await project.ids("modules") == [module["id"]]


async def test_a_work_item_is_in_several_modules_and_counts_in_each(project: Project) -> None:
    wheels, doors = await project.make("modules", name="Wheels"), await project.make("modules", name="Doors")
    one, two = await project.items("started", "completed", point=3)
    links = await project.add(wheels, one, two)
    assert [(link["issue"], link["module"]) for link in links] == [(one, wheels["id"]), (two, wheels["id"])]
    await project.add(doors, one)
    assert set(await project.ids(f"modules/{wheels['id']}/module-issues")) == {one, two}
    shown = await project.get(f"modules/{wheels['id']}")
    assert (shown["total_issues"], shown["started_issues"], shown["completed_issues"]) == (2, 1, 1)
    assert (shown["total_estimates"], shown["completed_estimates"]) == (6, 3)
    assert (await project.get(f"modules/{doors['id']}"))["total_issues"] == 1
    path = f"{project.path}/modules/{wheels['id']}/module-issues/{one}"
    assert (await project.ana.delete(path)).status_code == 204
    assert (await project.ana.delete(path)).json == MISSING
    assert await project.history(one, "modules") == [
        ("created", "", "Wheels", "added module Wheels"),
        ("created", "", "Doors", "added module Doors"),
        ("deleted", "Wheels", "", "removed this issue from Wheels"),
    ]
    recorded = await project.workshop.events_of(links[0]["id"])
    assert [event["name"] for event in recorded] == ["module.workitem.created", "module.workitem.deleted"]


async def test_lists_orders_counts_and_queries_know_the_modules(project: Project) -> None:
    wheels, doors = await project.make("modules", name="Wheels"), await project.make("modules", name="Doors")
    one, two, three = await project.items("backlog", "backlog", "backlog")
    await project.add(wheels, one, two)
    await project.add(doors, two)
    assert await project.ids("work-items", module=doors["id"]) == [two]
    assert set(await project.ids("work-items", pql=f'module IN ("{wheels["id"]}")')) == {one, two}
    assert await project.ids("work-items", pql="module IS NULL") == [three]
    assert await project.ids("work-items", order_by="issue_module__module__name") == [two, one, three]
    own = {"project": project.path.rsplit("/", 1)[1], "group_by": "issue_module__module_id"}
    counted = (await project.ana.get("workspaces/acme/work-items/count", **own)).json
    assert counted["total_count"] == 3
    assert {key: one["count"] for key, one in counted["grouped_counts"].items()} == {
        wheels["id"]: 2,
        doors["id"]: 1,
        "None": 1,
    }
    shown = (await project.ana.get(project.path)).json
    assert (shown["total_modules"], shown["total_cycles"]) == (2, 0)


async def test_a_work_item_that_names_a_module_is_put_there(project: Project) -> None:
    wheels, doors = await project.make("modules"), await project.make("modules")
    item = await project.make("work-items", module=wheels["id"])
    path = f"{project.path}/work-items/{item['id']}"
    for _ in range(2):
        assert (await project.ana.patch(path, {"module": doors["id"]})).status_code == 200
    assert (await project.ana.patch(path, {"module": None})).status_code == 200
    for module in (wheels, doors):
        assert await project.ids(f"modules/{module['id']}/module-issues") == [item["id"]]
    gone = new_id()
    refused = await project.ana.patch(path, {"module": gone})
    assert refused.json == {"module": [f'Invalid pk "{gone}" - object does not exist.']}
    await project.ana.patch(f"{project.path}/features", {"modules": False})
    off = await project.post("work-items", name="New", module=wheels["id"])
    assert (off.status_code, "not enabled" in off.json["error"]) == (400, True)


async def test_a_deleted_module_leaves_its_work_items(project: Project) -> None:
    module, [item] = await project.make("modules", name="Wheels"), await project.items("backlog")
    await project.add(module, item)
    assert (await project.ana.delete(f"{project.path}/modules/{module['id']}")).status_code == 204
    assert await project.ids("work-items", module=module["id"]) == []
    assert (await project.history(item, "modules"))[1:] == [
        ("deleted", "Wheels", "", "removed this issue from Wheels")
    ]
