"""The states of all projects in one list, and why they aren't written there."""

import pytest

from tests.support.api import Client
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "workspaces/acme/states"


async def listed_projects(client: Client, **query: str) -> set[str]:
    answer = await client.get(PATH, **query)
    assert answer.status_code == 200, answer.json
    return {state["project"] for state in answer.json["results"]}


async def test_a_member_sees_the_states_of_all_projects_they_belong_to(workshop: Workshop) -> None:
    assert await listed_projects(workshop.ana) == {workshop.engine, workshop.garage}
    assert await listed_projects(workshop.gil) == {workshop.engine}
    assert (await workshop.zoe.get(PATH)).status_code == 403


async def test_states_of_all_projects_are_filtered_and_ordered(workshop: Workshop) -> None:
    assert await listed_projects(workshop.ana, project=workshop.garage) == {workshop.garage}
    answer = await workshop.ana.get(PATH, group="started")
    assert {state["name"] for state in answer.json["results"]} == {"In Progress"}
    sequences = [state["sequence"] for state in (await workshop.ana.get(PATH)).json["results"]]
    assert sequences == sorted(sequences)


async def test_a_state_is_found_by_its_id_and_by_its_external_id(workshop: Workshop) -> None:
    external = {"external_id": unique("S"), "external_source": "tracker"}
    made = await workshop.make("states", name=unique("State"), color="#fff", **external)
    assert (await workshop.gil.get(f"{PATH}/{made['id']}")).json == made
    assert (await workshop.gil.get(PATH, **external)).json == made
    path = f"workspaces/acme/projects/{workshop.garage}/states"
    hidden = (await workshop.ana.post(path, {"name": unique("State"), "color": "#fff"})).json
    assert (await workshop.gil.get(f"{PATH}/{hidden['id']}")).status_code == 404


async def test_projects_own_their_states_so_that_the_workspace_changes_none(workshop: Workshop) -> None:
    state = await workshop.state_of("started")
    body = {"name": unique("State"), "color": "#fff", "group": "started"}
    refused = [
        await workshop.ana.post(PATH, body),
        await workshop.ana.patch(f"{PATH}/{state}", {"name": body["name"]}),
        await workshop.ana.delete(f"{PATH}/{state}"),
    ]
    assert [answer.status_code for answer in refused] == [400] * 3
    assert {answer.json["code"] for answer in refused} == {"workspace_not_managed"}
    assert (await workshop.ana.get("workspaces/acme/features")).json["states_owned_by_workspace"] is False
    assert (await workshop.ana.post(PATH, {"name": "x", "color": "#fff"})).json == {
        "group": ["This field is required."]
    }
    assert (await workshop.gil.post(PATH, body)).status_code == 403
    missing = await workshop.ana.delete(f"{PATH}/{workshop.engine}")
    assert missing.status_code == 404
    assert (await workshop.ana.get(f"{PATH}/{state}")).json["name"] != body["name"]
