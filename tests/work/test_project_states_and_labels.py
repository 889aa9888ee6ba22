"""What a workspace has for its projects: their states and their labels."""

from typing import Any

import pytest

from airside.db.base import Row
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ("project-states", "project-labels")
both = pytest.mark.parametrize("kind", KINDS)


async def make(workshop: Workshop, kind: str, **body: Any) -> Row:
    made = await workshop.ana.post(f"workspaces/acme/{kind}", {"name": unique("Thing")} | body)
    assert made.status_code == 201, made.json
    return made.json


async def list_all(workshop: Workshop, kind: str) -> list[Row]:
    answer = await workshop.gil.get(f"workspaces/acme/{kind}")
    assert isinstance(answer.json, list)
    return answer.json


@both
async def test_a_bare_list_has_them_in_their_order(workshop: Workshop, kind: str) -> None:
    first, second = await make(workshop, kind), await make(workshop, kind)
    order = "sequence" if kind == "project-states" else "sort_order"
    between = await make(workshop, kind, **{order: (first[order] + second[order]) / 2})
    ids = [one["id"] for one in await list_all(workshop, kind)]
    assert [one for one in ids if one in (first["id"], second["id"], between["id"])] == [
        first["id"], between["id"], second["id"],
    ]  # fmt: skip
    cut = await workshop.ana.get(f"workspaces/acme/{kind}", per_page=1, cursor="1:1:0", fields="id")
    assert cut.json == [{"id": ids[1]}]


@both
async def test_a_taken_name_is_refused_with_the_id_of_who_has_it(workshop: Workshop, kind: str) -> None:
    first, second = await make(workshop, kind), await make(workshop, kind)
    noun = {"project-states": "Project state", "project-labels": "Project label"}[kind]
    refusal = {"error": f"{noun} with the same name already exists in the workspace", "id": first["id"]}
    path = f"workspaces/acme/{kind}"
    again = await workshop.ana.post(path, {"name": first["name"]})
    renamed = await workshop.ana.patch(f"{path}/{second['id']}", {"name": first["name"]})
    assert [(one.status_code, one.json) for one in (again, renamed)] == [(409, refusal)] * 2
    assert (await workshop.ana.delete(f"{path}/{first['id']}")).status_code == 204
    assert (await workshop.ana.post(path, {"name": first["name"]})).status_code == 201


@both
async def test_each_change_has_its_event_and_a_deleted_one_is_gone(workshop: Workshop, kind: str) -> None:
    made = await make(workshop, kind)
    path = f"workspaces/acme/{kind}/{made['id']}"
    changed = await workshop.ben.patch(path, {"color": "#ff0000", "description": "Seen by all"})
    assert (changed.json["color"], changed.json["updated_by"]) == ("#ff0000", workshop.cast.ben["id"])
    assert (await workshop.ben.delete(path)).status_code == 204
    assert (await workshop.ben.patch(path, {"color": ""})).status_code == 404
    assert made["id"] not in [one["id"] for one in await list_all(workshop, kind)]
    word = kind.replace("-", "_").rstrip("s")
    names = [event["name"] for event in await workshop.events_of(made["id"])]
    assert names == [f"{word}.created", f"{word}.updated", f"{word}.deleted"]


async def test_at_most_one_project_state_is_the_default(workshop: Workshop) -> None:
    first = await make(workshop, "project-states", default=True)
    second = await make(workshop, "project-states", default=True)
    defaults = [one["id"] for one in await list_all(workshop, "project-states") if one["default"]]
    assert defaults == [second["id"]]
    await workshop.ana.patch(f"workspaces/acme/project-states/{first['id']}", {"default": True})
    defaults = [one["id"] for one in await list_all(workshop, "project-states") if one["default"]]
    assert defaults == [first["id"]]


@pytest.mark.parametrize("group", ["draft", "planning", "execution", "monitoring", "unstarted", "completed"])
async def test_a_project_state_has_one_of_the_groups(workshop: Workshop, group: str) -> None:
    assert (await make(workshop, "project-states", group=group))["group"] == group
    wrong = await workshop.ana.post("workspaces/acme/project-states", {"name": "x", "group": "paused"})
    assert (wrong.status_code, list(wrong.json)) == (400, ["group"])
