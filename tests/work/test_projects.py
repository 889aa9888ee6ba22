"""Projects: what they begin with, what is theirs alone, and what an archive keeps. Identifiers and members have
files of their own."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<p onclick="x()">kept<script>alert(1)</script></p><a href="javascript:x()">link</a>'
CLEAN = "<p>kept</p><a>link</a>"
PROJECTS = "workspaces/acme/projects"
TAKEN = {"name": "The project name is already taken"}


async def make(workshop: Workshop, **body: Any) -> Row:
    name = unique("Project")
    fields = {"name": name, "identifier": name.replace("Project ", "P")} | body
    answer = await workshop.ana.post(PROJECTS, fields)
    assert answer.status_code == 201, answer.json
    return answer.json


async def test_a_new_project_has_its_maker_as_admin_and_states_to_work_with(workshop: Workshop) -> None:
    made = await workshop.ben.post(PROJECTS, {"name": unique("Ben's"), "identifier": unique("B")})
    project = made.json
    shown = [
        project[name] for name in ("total_members", "member_role", "is_member", "network", "archived_at")
    ]
    assert shown == [1, 20, True, 2, None]
    states = (await workshop.ben.get(f"{PROJECTS}/{project['id']}/states")).json["results"]
    groups = [state["group"] for state in states]
    assert groups == ["backlog", "unstarted", "started", "completed", "cancelled"]
    names = [event["name"] for event in await workshop.events_of(project["id"])]
    assert names == ["project.created"]


async def test_a_name_and_an_identifier_are_each_taken_once_in_a_workspace(workshop: Workshop) -> None:
    first, second = await make(workshop), await make(workshop)
    for body in (
        {"name": first["name"], "identifier": unique("N")},
        {"name": unique("New"), "identifier": first["identifier"]},
        {"name": unique("New"), "identifier": f" {first['identifier'].lower()} "},
    ):
        for answer in (
            await workshop.ana.post(PROJECTS, body),
            await workshop.ana.patch(f"{PROJECTS}/{second['id']}", body),
        ):
            assert (answer.status_code, answer.json) == (409, TAKEN), body


async def test_a_name_is_free_for_itself_in_another_workspace_and_after_a_deletion(
    workshop: Workshop,
) -> None:
    project = await make(workshop)
    body = {"name": project["name"], "identifier": project["identifier"]}
    assert (await workshop.ana.patch(f"{PROJECTS}/{project['id']}", body)).status_code == 200
    assert (await workshop.zoe.post("workspaces/other/projects", body)).status_code == 201
    assert (await workshop.ana.delete(f"{PROJECTS}/{project['id']}")).status_code == 204
    assert (await workshop.ana.post(PROJECTS, body)).status_code == 201


async def test_html_is_sanitised_when_a_project_is_made_and_when_it_is_changed(workshop: Workshop) -> None:
    made = await make(workshop, description_html=HOSTILE)
    other = await make(workshop)
    changed = await workshop.ana.patch(f"{PROJECTS}/{other['id']}", {"description_html": HOSTILE})
    assert [made["description_html"], changed.json["description_html"]] == [CLEAN, CLEAN]


async def test_a_time_zone_is_one_that_there_is(workshop: Workshop) -> None:
    project = await make(workshop, timezone="Europe/Berlin")
    for answer in (
        await workshop.ana.post(PROJECTS, {"name": "x", "identifier": "x", "timezone": "Mars/Base"}),
        await workshop.ana.patch(f"{PROJECTS}/{project['id']}", {"timezone": "Mars/Base"}),
    ):
        assert (answer.status_code, answer.json) == (
            400,
            {"timezone": ['"Mars/Base" is not a valid choice.']},
        )
    assert (await workshop.ana.get(f"{PROJECTS}/{project['id']}")).json["timezone"] == "Europe/Berlin"


async def test_lead_and_default_assignee_belong_to_the_workspace(workshop: Workshop) -> None:
    project = await make(workshop)
    for name in ("project_lead", "default_assignee"):
        refusal = {name: ["The provided user is not a member of this workspace."]}
        for user in (workshop.cast.zoe["id"], new_id()):
            body = {"name": unique("New"), "identifier": unique("N"), name: user}
            for answer in (
                await workshop.ana.post(PROJECTS, body),
                await workshop.ana.patch(f"{PROJECTS}/{project['id']}", {name: user}),
            ):
                assert (answer.status_code, answer.json) == (400, refusal)
        taken = await workshop.ana.patch(f"{PROJECTS}/{project['id']}", {name: workshop.cast.ben["id"]})
        assert taken.json[name] == workshop.cast.ben["id"]


async def test_the_default_state_is_one_of_its_own(workshop: Workshop) -> None:
    project, other = await make(workshop), await make(workshop)
    own = (await workshop.ana.get(f"{PROJECTS}/{project['id']}/states")).json["results"]
    foreign = (await workshop.ana.get(f"{PROJECTS}/{other['id']}/states")).json["results"][0]["id"]
    await workshop.ana.delete(f"{PROJECTS}/{project['id']}/states/{own[4]['id']}")
    for state in (foreign, own[4]["id"], new_id()):
        answer = await workshop.ana.patch(f"{PROJECTS}/{project['id']}", {"default_state": state})
        unknown = {"default_state": [f'Invalid pk "{state}" - object does not exist.']}
        assert (answer.status_code, answer.json) == (400, unknown)
    taken = await workshop.ana.patch(f"{PROJECTS}/{project['id']}", {"default_state": own[1]["id"]})
    assert taken.json["default_state"] == own[1]["id"]
    body = {"name": unique("New"), "identifier": unique("N"), "default_state": own[0]["id"]}
    early = await workshop.ana.post(PROJECTS, body)
    assert (early.status_code, list(early.json)) == (400, ["default_state"])


async def test_an_archived_project_is_seen_and_not_changed(workshop: Workshop) -> None:
    project = await make(workshop)
    path = f"{PROJECTS}/{project['id']}"
    for _ in range(2):  # once more changes nothing
        assert (await workshop.ana.post(f"{path}/archive")).status_code == 204
    answer = await workshop.ana.patch(path, {"name": "x"})
    assert (answer.status_code, answer.json) == (400, {"error": "Archived project cannot be updated"})
    assert (await workshop.ana.get(path)).json["archived_at"] is not None
    assert project["id"] not in await list_lite(workshop)
    assert project["id"] in await list_lite(workshop, include_archived="true")
    for _ in range(2):
        assert (await workshop.ana.delete(f"{path}/archive")).status_code == 204
    assert (await workshop.ana.patch(path, {"description": "Back"})).json["archived_at"] is None
    names = [event["name"] for event in await workshop.events_of(project["id"])]
    assert names == ["project.created", "project.archived", "project.updated", "project.updated"]


async def list_lite(workshop: Workshop, **query: str) -> list[str]:
    answer = await workshop.ana.get("workspaces/acme/projects-lite", **query)
    return [one["id"] for one in answer.json["results"]]


async def test_only_its_admins_change_archive_and_delete_a_project(workshop: Workshop) -> None:
    path = f"{PROJECTS}/{workshop.engine}"
    for client in (workshop.ben, workshop.gil):
        for method, tail, body in (
            ("PATCH", "", {"description": "x"}),
            ("DELETE", "", None),
            ("POST", "/archive", {}),
            ("DELETE", "/archive", None),
        ):
            assert (await client.send(method, path + tail, body)).status_code == 403, (method, tail)
        assert (await client.get(path)).json["archived_at"] is None
    guest = await workshop.gil.post(PROJECTS, {"name": unique("Gil's"), "identifier": unique("G")})
    assert guest.status_code == 403


async def test_a_deleted_project_is_gone_with_all_that_is_below_it(workshop: Workshop) -> None:
    project = await make(workshop)
    path = f"{PROJECTS}/{project['id']}"
    item = (await workshop.ana.post(f"{path}/work-items", {"name": "A"})).json
    assert (await workshop.ana.delete(path)).status_code == 204
    for gone in (path, f"{path}/work-items/{item['id']}", f"{path}/states"):
        assert (await workshop.ana.get(gone)).status_code == 404
    key = f"{project['identifier']}-{item['sequence_id']}"
    assert (await workshop.ana.get(f"workspaces/acme/work-items/{key}")).status_code == 404


async def test_the_states_of_a_new_project_have_their_events_after_its_own(workshop: Workshop) -> None:
    made = await workshop.ana.post("workspaces/acme/projects", {"name": unique("New"), "identifier": "NEWST"})
    states = (await workshop.ana.get(f"workspaces/acme/projects/{made.json['id']}/states")).json["results"]
    [own] = await workshop.events_of(made.json["id"])
    found = [(await workshop.events_of(state["id"]))[0] for state in states]
    assert {event["name"] for event in found} == {"state.created"}
    assert [event["data"] for event in found] == states
    assert all(event["id"] > own["id"] for event in found)
