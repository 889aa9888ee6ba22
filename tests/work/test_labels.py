"""Labels of a project: their names, and labels below labels."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("labels", **({"name": unique("Label")} | body))


async def test_a_label_needs_only_a_name(workshop: Workshop) -> None:
    label = await make(workshop)
    assert [label[name] for name in ("color", "description", "sort_order", "parent")] == [
        "",
        "",
        65535.0,
        None,
    ]
    assert (label["project"], label["workspace"]) == (workshop.engine, workshop.cast.acme["id"])
    assert (await workshop.ana.post(workshop.path("labels"))).json == {"name": ["This field is required."]}


async def test_a_taken_name_is_refused_with_the_id_of_who_has_it(workshop: Workshop) -> None:
    first, second = await make(workshop), await make(workshop)
    refusal = {"error": "Label with the same name already exists in the project", "id": first["id"]}
    again = await workshop.ana.post(workshop.path("labels"), {"name": first["name"]})
    renamed = await workshop.ana.patch(workshop.path(f"labels/{second['id']}"), {"name": first["name"]})
    assert [(one.status_code, one.json) for one in (again, renamed)] == [(409, refusal)] * 2


async def test_a_name_is_free_in_another_project_for_itself_and_after_a_deletion(workshop: Workshop) -> None:
    label = await make(workshop)
    body, path = {"name": label["name"]}, workshop.path(f"labels/{label['id']}")
    elsewhere = await workshop.ana.post(f"workspaces/acme/projects/{workshop.garage}/labels", body)
    itself = await workshop.ana.patch(path, body)
    assert (elsewhere.status_code, itself.status_code) == (201, 200)
    await workshop.ana.delete(path)
    assert (await workshop.ana.post(workshop.path("labels"), body)).status_code == 201


async def test_a_parent_is_a_label_of_the_same_project(workshop: Workshop) -> None:
    parent = await make(workshop)
    assert (await make(workshop, parent=parent["id"]))["parent"] == parent["id"]
    path = f"workspaces/acme/projects/{workshop.garage}/labels"
    for one in (parent["id"], new_id()):
        answer = await workshop.ana.post(path, {"name": unique("Label"), "parent": one})
        unknown = {"parent": [f'Invalid pk "{one}" - object does not exist.']}
        assert (answer.status_code, answer.json) == (400, unknown)


async def test_a_deleted_label_leaves_its_children_and_its_work_items(workshop: Workshop) -> None:
    parent = await make(workshop)
    child = await make(workshop, parent=parent["id"])
    item = await workshop.make("work-items", name="A", labels=[parent["id"], child["id"]])
    assert (await workshop.ana.delete(workshop.path(f"labels/{parent['id']}"))).status_code == 204
    assert (await workshop.ana.get(workshop.path(f"labels/{child['id']}"))).json["parent"] is None
    left = await workshop.ana.get(workshop.path(f"work-items/{item['id']}"))
    assert left.json["labels"] == [child["id"]]


async def test_guests_read_labels_and_write_none(workshop: Workshop) -> None:
    path = workshop.path(f"labels/{(await make(workshop))['id']}")
    assert (await workshop.gil.get(path)).status_code == 200
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        assert (await workshop.gil.send(method, path, body)).status_code == 403
    assert (await workshop.gil.post(workshop.path("labels"), {"name": "x"})).status_code == 403
