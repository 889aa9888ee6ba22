"""States that the workspace owns: turned on and off, copied to its projects, changed in one place."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.db.base import Row
from airside.rest.wires.v2.wire import V2
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import make_project

FLAG = "states_owned_by_workspace"
STATES = "workspaces/acme/states"


@dataclass
class Board:
    site: Site
    cast: Cast
    ana: Client
    ben: Client
    first: str  # paths of two projects
    second: str

    async def turn(self, on: bool) -> None:
        answer = await self.ana.patch("workspaces/acme/features", {FLAG: on})
        assert (answer.status_code, answer.json[FLAG]) == (200, on)

    async def states(self, path: str = "workspaces/acme") -> dict[str, Row]:
        """By name."""
        return {one["name"]: one for one in (await self.ana.get(f"{path}/states")).json["results"]}

    async def add(self, path: str, name: str, group: str = "started", **more: object) -> Row:
        made = await self.ana.post(
            f"{path}/states", {"name": name, "color": "#123456", "group": group, **more}
        )
        assert made.status_code in (200, 201), made.text
        return made.json


@pytest.fixture
async def board(site: Site) -> AsyncIterator[Board]:
    cast = await make_cast(site)
    projects = [await make_project(site, cast, name) for name in ("Engine", "Garage")]
    api = serve_api(site, *TABLE, *TABLE_V2)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        yield Board(site, cast, ana, ben, *(f"workspaces/acme/projects/{one}" for one in projects))


async def test_turned_on_the_states_of_the_projects_become_the_workspace_s(board: Board) -> None:
    own = await board.add(board.first, "Review", "started")
    other = await board.add(board.second, "Review", "completed")
    item = (await board.ana.post(f"{board.first}/work-items", {"name": "A", "state": own["id"]})).json
    await board.turn(True)
    catalog = await board.states()
    assert {name: one["group"] for name, one in catalog.items()} == {
        "Backlog": "backlog", "Todo": "unstarted", "In Progress": "started", "Done": "completed",
        "Cancelled": "cancelled", "Review": "started", "Review (completed)": "completed",
    }  # fmt: skip
    assert {one["project"] for one in catalog.values()} == {None}
    assert {(one["default"], one["is_triage"]) for one in catalog.values()} == {(False, False)}
    assert (await board.states(board.second))["Review (completed)"]["id"] == other["id"]
    assert len(await board.states(board.first)) == len(await board.states(board.second)) == 6
    assert (await board.ana.get(f"{board.first}/work-items/{item['id']}")).json == item
    events = await list_events(board.site, "state.")
    made = [one for one in events if one["name"] == "state.created" and one["project_id"] is None]
    assert sorted(one["data"]["name"] for one in made) == sorted(catalog)
    [renamed] = [one for one in events if one["name"] == "state.updated"]
    assert (renamed["entity_id"], renamed["previous"]["name"]) == (other["id"], "Review")
    await board.turn(True)
    assert await board.states() == catalog


async def test_a_project_does_not_change_what_the_workspace_owns(board: Board) -> None:
    await board.turn(True)
    todo = (await board.states(board.first))["Todo"]["id"]
    body = {"name": "Mine", "color": "#fff"}
    refused = [
        await board.ana.post(f"{board.first}/states", body),
        await board.ana.post(f"{board.first}/states", body | {"group": "triage"}),
        await board.ana.patch(f"{board.first}/states/{todo}", {"name": "Mine"}),
        await board.ana.delete(f"{board.first}/states/{todo}"),
    ]
    assert [one.status_code for one in refused] == [400] * 4
    assert {one.json["code"] for one in refused} == {"workspace_managed"}
    v2 = board.ana.on(V2)
    assert (await v2.post(f"{board.first}/states", body)).status_code in (400, 409)
    assert set(await board.states(board.first)) == set(await board.states())
    await board.turn(False)
    assert (await board.ana.patch(f"{board.first}/states/{todo}", {"name": "Mine"})).status_code == 200


async def test_a_change_in_the_workspace_is_one_in_every_project(board: Board) -> None:
    await board.turn(True)
    external = {"external_id": "1", "external_source": "tracker"}
    made = await board.add("workspaces/acme", "Review", **external)
    copies = [(await board.states(path))["Review"] for path in (board.first, board.second)]
    assert {(one["color"], one["group"], one["default"]) for one in copies} == {("#123456", "started", False)}
    assert (await board.ana.get(STATES, **external)).json == made
    for path in (f"{STATES}/{made['id']}", f"{STATES}/{copies[0]['id']}"):
        assert (await board.ben.get(path)).json["name"] == "Review", "in the workspace and in a project"
    changed = await board.ana.patch(f"{STATES}/{made['id']}", {"name": "Check", "group": "completed"})
    assert (changed.json["name"], changed.json["slug"]) == ("Check", "check")
    for path in (board.first, board.second):
        copy = (await board.states(path))["Check"]
        assert (copy["group"], copy["slug"]) == ("completed", "check")
    events = await list_events(board.site, "state.updated")
    assert sorted(str(one["project_id"]) for one in events) == sorted(
        str(one["project"]) for one in (*copies, {"project": None})
    )
    assert (await board.ana.delete(f"{STATES}/{made['id']}")).status_code == 204
    assert (await board.ana.get(f"{STATES}/{made['id']}")).status_code == 404
    for path in (board.first, board.second):
        assert set(await board.states(path)) == set(await board.states())
    assert len(await list_events(board.site, "state.deleted")) == 3


async def test_what_is_needed_stays(board: Board) -> None:
    await board.turn(True)
    catalog = await board.states()
    used = (await board.states(board.second))["Done"]["id"]
    await board.ana.post(f"{board.second}/work-items", {"name": "A", "state": used})
    for name, said in (("Backlog", "Default state"), ("Done", "The state is not empty")):
        answer = await board.ana.delete(f"{STATES}/{catalog[name]['id']}")
        assert (answer.status_code, answer.json["error"].startswith(said)) == (400, True)
    taken = await board.ana.post(STATES, {"name": "Todo", "color": "#fff", "group": "started"})
    assert (taken.status_code, taken.json["code"]) == (409, "state_name_in_use")
    assert taken.json["id"] == catalog["Todo"]["id"]
    reserved = await board.ana.post(STATES, {"name": "triage", "color": "#fff", "group": "started"})
    assert (reserved.status_code, list(reserved.json)) == (400, ["name"])
    for query in ({"project": board.first.rpartition("/")[2]}, {"default": "true"}):
        assert (await board.ana.get(STATES, **query)).status_code == 400
    assert set(await board.states()) == set(catalog)


async def test_a_work_item_is_given_a_state_of_the_workspace_in_its_project(board: Board) -> None:
    await board.add(board.first, "Review")
    await board.turn(True)
    catalog = await board.states()
    made = await board.ana.post(f"{board.first}/work-items", {"name": "A", "state": catalog["Done"]["id"]})
    done = (await board.states(board.first))["Done"]["id"]
    assert (made.json["state"], made.json["completed_at"] is not None) == (done, True)
    other = (await board.ana.post(f"{board.second}/work-items", {"name": "B"})).json["id"]
    moved = await board.ana.patch(f"{board.second}/work-items/{other}", {"state": catalog["Review"]["id"]})
    copy = (await board.states(board.second))["Review"]
    assert (moved.status_code, moved.json["state"], copy["color"]) == (200, copy["id"], "#123456")
    await board.turn(False)
    refused = await board.ana.patch(f"{board.second}/work-items/{other}", {"state": catalog["Done"]["id"]})
    assert (refused.status_code, list(refused.json)) == (400, ["state"])


async def test_a_new_project_begins_with_the_states_of_the_workspace(board: Board) -> None:
    await board.turn(True)
    await board.add("workspaces/acme", "Review")
    new = {"name": "New", "identifier": "NEW", "intake_view": True}
    project = f"workspaces/acme/projects/{(await board.ana.post('workspaces/acme/projects', new)).json['id']}"
    found = await board.states(project)
    assert set(found) == set(await board.states())
    assert [name for name, one in found.items() if one["default"]] == ["Backlog"]
    await board.ana.patch(f"{project}/features", {"intakes": True})
    filed = await board.ana.post(f"{project}/intake-issues", {"issue": {"name": "Noise"}})
    assert filed.json["issue_detail"]["state"]["group"] == "triage"


async def test_turned_off_every_project_keeps_its_states(board: Board) -> None:
    await board.turn(True)
    before = await board.states(board.first)
    catalog = await board.states()
    await board.turn(False)
    assert await board.states(board.first) == before
    assert {one["project"] for one in (await board.states()).values()} != {None}
    assert len(await list_events(board.site, "state.deleted")) == len(catalog)
    for one in catalog.values():
        answer = await board.ana.patch(f"{STATES}/{one['id']}", {"name": "X"})
        assert answer.status_code == 404
    await board.turn(True)
    assert set(await board.states()) == set(catalog)
    assert (
        await board.ben.post(STATES, {"name": "X", "color": "#fff", "group": "started"})
    ).status_code == 403
    assert (await board.ben.patch("workspaces/acme/features", {FLAG: False})).status_code == 403


async def test_a_workspace_without_projects_owns_plane_s_states(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.zoe["id"]) as zoe:
        await zoe.patch("workspaces/other/features", {FLAG: True})
        names = [one["name"] for one in (await zoe.get("workspaces/other/states")).json["results"]]
    assert names == ["Backlog", "Todo", "In Progress", "Done", "Cancelled"]


async def test_states_that_come_while_the_workspace_takes_them_over_are_not_left_out(board: Board) -> None:
    """Either the workspace has it, or the project refuses it."""
    names = [f"State {number}" for number in range(5)]
    answers = await asyncio.gather(
        *(board.ana.post(f"{board.first}/states", {"name": one, "color": "#fff"}) for one in names),
        board.ana.patch("workspaces/acme/features", {FLAG: True}),
    )
    assert {one.status_code for one in answers} <= {200, 400}
    assert set(await board.states(board.first)) == set(await board.states())
