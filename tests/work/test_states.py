"""States of a project: their names, their order, the one that is the default, and when one may go."""

from typing import Any

import pytest

from airside.db.base import Row
from airside.rest.wires.v2.wire import V2
from airside.work.projects.states import DEFAULT_STATES
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("states", **({"name": unique("State"), "color": "#fff"} | body))


async def list_states(workshop: Workshop, **query: str) -> list[Row]:
    return (await workshop.ana.get(workshop.path("states"), **query)).json["results"]


async def test_a_new_project_has_planes_five_states_and_the_first_is_its_default(workshop: Workshop) -> None:
    path = f"workspaces/acme/projects/{workshop.garage}/states"
    listed = (await workshop.ana.get(path)).json["results"]
    shown = [(one["name"], one["color"], one["sequence"], one["group"]) for one in listed]
    assert shown == list(DEFAULT_STATES)
    assert [one["name"] for one in listed if one["default"]] == ["Backlog"]


async def test_a_taken_name_is_refused_with_the_id_of_who_has_it(workshop: Workshop) -> None:
    first, second = await make(workshop), await make(workshop)
    refusal = {"error": "State with the same name already exists in the project", "id": first["id"]}
    again = await workshop.ana.post(workshop.path("states"), {"name": first["name"], "color": "#000"})
    renamed = await workshop.ana.patch(workshop.path(f"states/{second['id']}"), {"name": first["name"]})
    assert [(one.status_code, one.json) for one in (again, renamed)] == [(409, refusal)] * 2


async def test_a_name_is_free_in_another_project_for_itself_and_after_a_deletion(workshop: Workshop) -> None:
    state = await make(workshop)
    body, path = {"name": state["name"], "color": "#000"}, workshop.path(f"states/{state['id']}")
    elsewhere = await workshop.ana.post(f"workspaces/acme/projects/{workshop.garage}/states", body)
    itself = await workshop.ana.patch(path, {"name": state["name"]})
    assert (elsewhere.status_code, itself.status_code) == (200, 200)
    await workshop.ana.delete(path)
    assert (await workshop.ana.post(workshop.path("states"), body)).status_code == 200


async def test_the_slug_follows_the_name(workshop: Workshop) -> None:
    state = await make(workshop, name="Waiting for Ben & Gil!")
    renamed = await workshop.ana.patch(workshop.path(f"states/{state['id']}"), {"name": "Waiting: nobody"})
    assert (state["slug"], renamed.json["slug"]) == ("waiting-for-ben-gil", "waiting-nobody")


async def test_a_new_state_stands_behind_the_last_unless_it_says_where(workshop: Workshop) -> None:
    last = (await list_states(workshop))[-1]["sequence"]
    behind, between = await make(workshop), await make(workshop, sequence=20_000)
    assert (behind["sequence"], between["sequence"]) == (last + 15_000, 20_000)
    sequences = [one["sequence"] for one in await list_states(workshop)]
    assert sequences == sorted(sequences)
    nowhere = await workshop.ana.patch(workshop.path(f"states/{behind['id']}"), {"sequence": None})
    assert nowhere.json == {"sequence": ["This field may not be null."]}


async def test_states_are_listed_by_group(workshop: Workshop) -> None:
    state = await make(workshop, group="started")
    listed = await list_states(workshop, group="started")
    assert state["id"] in [one["id"] for one in listed]
    assert {one["group"] for one in listed} == {"started"}
    strange = await workshop.ana.post(
        workshop.path("states"), {"name": "x", "color": "#0", "group": "paused"}
    )
    assert strange.status_code == 400
    assert list(strange.json) == ["group"]


async def test_a_project_always_has_one_default_state(workshop: Workshop) -> None:
    made = await make(workshop, default=True)
    assert [one["id"] for one in await list_states(workshop) if one["default"]] == [made["id"]]
    path = workshop.path(f"states/{await workshop.state_of('backlog')}")
    chosen = await workshop.ana.patch(path, {"default": True})
    assert chosen.json["default"]
    assert [one["id"] for one in await list_states(workshop) if one["default"]] == [chosen.json["id"]]
    ended = await workshop.ana.patch(path, {"default": False})
    assert (ended.status_code, list(ended.json)) == (400, ["error"])
    assert [one["id"] for one in await list_states(workshop) if one["default"]] == [chosen.json["id"]]
    garage = await workshop.ana.get(f"workspaces/acme/projects/{workshop.garage}/states")
    assert [one["name"] for one in garage.json["results"] if one["default"]] == ["Backlog"]


async def test_the_default_state_is_not_deleted(workshop: Workshop) -> None:
    path = workshop.path(f"states/{await workshop.state_of('backlog')}")
    answer = await workshop.ana.delete(path)
    assert (answer.status_code, answer.json) == (400, {"error": "Default state cannot be deleted"})
    assert (await workshop.ana.get(path)).status_code == 200


async def test_a_state_is_deleted_only_while_no_work_item_is_in_it(workshop: Workshop) -> None:
    state = await make(workshop, group="completed")
    path = workshop.path(f"states/{state['id']}")
    item = workshop.path(
        f"work-items/{(await workshop.make('work-items', name='A', state=state['id']))['id']}"
    )
    refusal = {"error": "The state is not empty, only empty states can be deleted"}
    answer = await workshop.ana.delete(path)
    assert (answer.status_code, answer.json) == (400, refusal)
    await workshop.ana.post(f"{item}/archive")
    assert (await workshop.ana.delete(path)).json == refusal  # an archived one may come back
    await workshop.ana.delete(item)
    assert (await workshop.ana.delete(path)).status_code == 204
    assert (await workshop.ana.get(path)).status_code == 404


async def test_guests_read_states_and_write_none(workshop: Workshop) -> None:
    path = workshop.path(f"states/{(await make(workshop))['id']}")
    assert (await workshop.gil.get(path)).status_code == 200
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        assert (await workshop.gil.send(method, path, body)).status_code == 403
    assert (await workshop.gil.post(workshop.path("states"), {"name": "x", "color": "#0"})).status_code == 403


async def test_the_lists_of_v1_leave_the_triage_state_out(workshop: Workshop) -> None:
    body = {"name": unique("Inbox"), "color": "#0", "group": "triage"}
    made = (await workshop.ana.post(workshop.path("states"), body)).json
    for path in (workshop.path("states"), "workspaces/acme/states"):
        listed = (await workshop.ana.get(path, per_page=100)).json["results"]
        assert listed
        assert made["id"] not in {one["id"] for one in listed}
        assert (await workshop.ana.get(f"{path}/{made['id']}")).json["group"] == "triage"
    on_v2 = (await workshop.ana.on(V2).get(workshop.path("states"), group="triage")).json["data"]
    assert made["id"] in {one["id"] for one in on_v2}


async def test_a_state_of_the_group_triage_is_triage_on_both_wires(workshop: Workshop) -> None:
    body = {"name": unique("Inbox"), "color": "#0", "group": "triage"}
    made = await workshop.ana.on(V2).post(workshop.path("states"), body)
    assert (made.status_code, made.json["group"], made.json["is_triage"]) == (201, "triage", True)
    path = workshop.path(f"states/{made.json['id']}")
    assert (await workshop.ana.get(path)).json["is_triage"] is True
    assert (await workshop.ana.patch(path, {"is_triage": False})).json["is_triage"] is True
    accepted = await workshop.ana.on(V2).patch(path, {"group": "backlog"})
    assert (accepted.json["group"], accepted.json["is_triage"]) == ("backlog", False)
    flagged = await workshop.ana.patch(path, {"is_triage": True, "group": "started"})
    assert (flagged.json["group"], flagged.json["is_triage"]) == ("started", True)
    assert (await workshop.ana.patch(path, {"group": "unstarted"})).json["is_triage"] is True
