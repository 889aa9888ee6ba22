"""Types of work items: whose they are, which is the default, and when one may go."""

import asyncio
from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACE = "workspaces/acme/work-item-types"


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("work-item-types", **({"name": unique("Type")} | body))


async def make_shared(workshop: Workshop, **body: Any) -> Row:
    """A type of the workspace."""
    made = await workshop.ana.post(WORKSPACE, {"name": unique("Shared")} | body)
    assert made.status_code == 201, made.json
    return made.json


async def list_ids(workshop: Workshop, path: str, **query: str) -> list[str]:
    answer = await workshop.ana.get(path, **query)
    assert answer.status_code == 200, answer.json
    return [one["id"] for one in answer.json]


async def test_a_level_lists_its_own_types_as_a_bare_array(workshop: Workshop) -> None:
    own, shared = await make(workshop), await make_shared(workshop)
    in_project, in_workspace = workshop.path("work-item-types"), WORKSPACE
    assert own["id"] in await list_ids(workshop, in_project)
    assert shared["id"] not in await list_ids(workshop, in_project)
    assert shared["id"] in await list_ids(workshop, in_workspace)
    assert own["id"] not in await list_ids(workshop, in_workspace)
    assert (own["project_ids"], shared["project_ids"]) == ([workshop.engine], [])
    assert (await workshop.ana.get(f"{in_workspace}/{own['id']}")).status_code == 404
    assert (await workshop.ana.get(f"{in_project}/{shared['id']}")).status_code == 404


async def test_a_part_of_the_list_is_asked_for_by_page_and_by_external_id(workshop: Workshop) -> None:
    await make(workshop)
    await make(workshop)
    path = workshop.path("issue-types")
    ids = await list_ids(workshop, path)
    assert await list_ids(workshop, path, per_page="1", cursor="1:1:0") == ids[1:2]
    made = await make(workshop, external_id="7", external_source="tracker")
    assert await list_ids(workshop, path, external_id="7", external_source="tracker") == [made["id"]]
    assert await list_ids(workshop, path, external_id="8", external_source="tracker") == []


async def test_an_imported_type_is_seen_in_the_project_and_changed_in_the_workspace(
    workshop: Workshop,
) -> None:
    shared = await make_shared(workshop)
    imported = await workshop.ana.post(
        workshop.path("import-work-item-types"), {"work_item_types": [shared["id"]]}
    )
    assert imported.status_code == 204
    path = workshop.path(f"work-item-types/{shared['id']}")
    assert (await workshop.ana.get(path)).json["project_ids"] == [workshop.engine]
    for answer in (await workshop.ana.patch(path, {"name": "Mine"}), await workshop.ana.delete(path)):
        assert answer.status_code == 400
        assert answer.json["error"].startswith("This is managed by the workspace")
    elsewhere = f"workspaces/acme/projects/{workshop.garage}/work-item-types/{shared['id']}"
    assert (await workshop.ana.get(elsewhere)).status_code == 404
    [event] = (await workshop.events_of(shared["id"]))[1:]
    assert (event["name"], event["previous"]) == ("work_item_type.updated", {"project_ids": []})
    left = await workshop.ana.patch(f"{WORKSPACE}/{shared['id']}", {"project_ids": []})
    assert (left.status_code, left.json["project_ids"]) == (200, [])
    assert (await workshop.ana.get(path)).status_code == 404


async def test_importing_twice_changes_nothing_and_a_projects_own_type_is_unknown_to_it(
    workshop: Workshop,
) -> None:
    shared, own = await make_shared(workshop, project_ids=[workshop.engine]), await make(workshop)
    path = workshop.path("import-work-item-types")
    assert (await workshop.ana.post(path, {"work_item_type_ids": [shared["id"]]})).status_code == 204
    assert len(await workshop.events_of(shared["id"])) == 1
    for unknown in (own["id"], new_id()):
        wrong = await workshop.ana.post(path, {"work_item_types": [shared["id"], unknown]})
        message = f'Invalid pk "{unknown}" - object does not exist.'
        assert (wrong.status_code, wrong.json) == (400, {"work_item_types": {"1": [message]}})
    assert (await workshop.ana.post(path, {})).json == {"work_item_types": ["This field is required."]}


async def test_each_level_has_one_default_type_which_stays(workshop: Workshop) -> None:
    for made, path in ((make, workshop.path("work-item-types")), (make_shared, WORKSPACE)):
        first, second = await made(workshop, is_default=True), await made(workshop, is_default=True)
        listed = (await workshop.ana.get(path)).json
        assert [one["id"] for one in listed if one["is_default"]] == [second["id"]]
        assert (await workshop.ana.patch(f"{path}/{second['id']}", {"is_active": False})).status_code == 400
        assert (await workshop.ana.delete(f"{path}/{second['id']}")).status_code == 400
        assert (await workshop.ana.patch(f"{path}/{first['id']}", {"is_default": True})).status_code == 200
        assert (await workshop.ana.delete(f"{path}/{second['id']}")).status_code == 204


async def test_where_the_workspace_manages_types_its_projects_define_none(workshop: Workshop) -> None:
    path = workshop.path("work-item-types")
    await workshop.ana.patch("workspaces/acme/features", {"work_item_types": True})
    try:
        refused = await workshop.ana.post(path, {"name": "Bug"})
        assert refused.status_code == 400
        assert "managed by this workspace" in refused.json["error"]
        assert (await workshop.ana.get(path)).status_code == 200
        assert (await make_shared(workshop))["id"]
    finally:
        await workshop.ana.patch("workspaces/acme/features", {"work_item_types": False})


async def test_only_admins_define_types_and_guests_see_them(workshop: Workshop) -> None:
    own = await make(workshop)
    path = workshop.path(f"work-item-types/{own['id']}")
    assert (await workshop.gil.get(path)).json["name"] == own["name"]
    assert (await workshop.ben.patch(path, {"name": "x"})).status_code == 403
    assert (await workshop.ben.post(WORKSPACE, {"name": "x"})).status_code == 403


async def test_no_work_item_takes_a_type_that_is_deleted_at_the_same_moment(workshop: Workshop) -> None:
    """Either the work item has it and the type stays, or the type is gone and the work item is refused."""
    for _ in range(5):
        made = await workshop.make("work-item-types", name=unique("Type"))
        body = {"name": unique("Item"), "type_id": made["id"]}
        created, deleted = await asyncio.gather(
            workshop.ana.post(workshop.path("work-items"), body),
            workshop.ana.delete(workshop.path(f"work-item-types/{made['id']}")),
        )
        assert (created.status_code, deleted.status_code) in ((201, 400), (400, 204)), (
            created.text,
            deleted.text,
        )
