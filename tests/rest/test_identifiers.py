"""Paths that take ENG and ENG-12 besides ids: for the record itself and for its parents."""

from dataclasses import replace
from typing import Any

import pytest

from airside.rest.archive import archive_routes
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.states import STATES_V1
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.work_items import WORK_ITEMS_V1
from tests.support.api import ServedApi, serve_api
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMED = [replace(face, identifiers=True) for face in (PROJECTS_V1, STATES_V1, WORK_ITEMS_V1, COMMENTS_V1)]
MISSING = {"error": "The requested resource does not exist."}


def named_api(workshop: Workshop) -> ServedApi:
    return serve_api(workshop.site, *NAMED, *archive_routes(NAMED[0], "project"))


async def project_of(workshop: Workshop, **body: Any) -> Any:
    fields = {"name": unique("Project"), "identifier": unique("I").replace(" ", "")} | body
    return (await workshop.ana.post("workspaces/acme/projects", fields)).json


async def test_an_identifier_is_as_good_as_the_id_for_a_record_and_its_parents(workshop: Workshop) -> None:
    project = await project_of(workshop)
    name = project["identifier"]
    async with named_api(workshop).acting_as(workshop.cast.ana["id"]) as ana:
        by_id = await ana.get(f"workspaces/acme/projects/{project['id']}")
        assert (await ana.get(f"workspaces/acme/projects/{name}")).json == by_id.json
        assert (await ana.get(f"workspaces/acme/projects/{name.lower()}")).json == by_id.json
        assert (await ana.get(f"workspaces/acme/projects/{name}/states")).json["total_count"] == 5
        item = (await ana.post(f"workspaces/acme/projects/{name}/work-items", {"name": "A"})).json
        assert item["project"] == project["id"]
        path = f"workspaces/acme/projects/{name}/work-items/{name}-{item['sequence_id']}"
        assert (await ana.get(path)).json["id"] == item["id"]
        assert (await ana.patch(path, {"name": "B"})).json["name"] == "B"
        comment = await ana.post(f"{path}/comments", {"comment_html": "<p>x</p>"})
        assert (comment.status_code, comment.json["issue"]) == (201, item["id"])
        assert (await ana.get(f"{path}/comments/{comment.json['id']}")).json["id"] == comment.json["id"]
        assert (await ana.delete(path)).status_code == 204
        assert (await ana.get(path)).json == MISSING
        assert (await ana.post(f"workspaces/acme/projects/{name}/archive")).status_code == 204


async def test_tn1_an_identifier_of_another_workspace_or_project_is_as_unknown_as_any(
    workshop: Workshop,
) -> None:
    ours, beside = await project_of(workshop), await project_of(workshop)
    item = (
        await workshop.ana.post(f"workspaces/acme/projects/{beside['id']}/work-items", {"name": "A"})
    ).json
    theirs = (await workshop.zoe.get(f"workspaces/other/projects/{workshop.elsewhere}")).json["identifier"]
    there = f"workspaces/other/projects/{workshop.elsewhere}/work-items"
    await workshop.zoe.post(there, {"name": "Theirs"})
    base, key = "workspaces/acme/projects", f"{beside['identifier']}-{item['sequence_id']}"
    async with named_api(workshop).acting_as(workshop.cast.ana["id"]) as ana:
        for path in (
            f"{base}/NOWHERE",
            f"{base}/{theirs}",
            f"{base}/{theirs}/states",
            f"{base}/{ours['identifier']}/work-items/{key}",
            f"{base}/{ours['identifier']}/work-items/{theirs}-1",
            f"{base}/{ours['identifier']}/work-items/{ours['identifier']}-999",
            f"{base}/{ours['identifier']}/work-items/{ours['identifier']}",
            f"{base}/{'x' * 300}",
            f"{base}/a%0Ab",
        ):
            answer = await ana.get(path)
            assert (answer.status_code, answer.json) == (404, MISSING), path
        assert (await ana.get(f"{base}/a%00b/states")).status_code == 404


async def test_who_cannot_see_a_project_cannot_name_it_either(workshop: Workshop) -> None:
    secret = await project_of(workshop, network=0)
    async with named_api(workshop).acting_as(workshop.cast.ben["id"]) as ben:
        for name in (secret["identifier"], secret["id"]):
            answer = await ben.get(f"workspaces/acme/projects/{name}")
            assert (answer.status_code, answer.json) == (404, MISSING)


async def test_a_renamed_project_is_found_by_its_new_identifier_at_once(workshop: Workshop) -> None:
    project = await project_of(workshop)
    async with named_api(workshop).acting_as(workshop.cast.ana["id"]) as ana:
        old, new = project["identifier"], f"{project['identifier']}X"
        assert (await ana.patch(f"workspaces/acme/projects/{old}", {"identifier": new})).status_code == 200
        assert (await ana.get(f"workspaces/acme/projects/{old}")).status_code == 404
        assert (await ana.get(f"workspaces/acme/projects/{new}")).json["id"] == project["id"]


async def test_without_the_scope_nobody_learns_which_keys_there_are(workshop: Workshop) -> None:
    project = await project_of(workshop)
    base = f"workspaces/acme/projects/{project['identifier']}/work-items"
    api = named_api(workshop)
    async with api.acting_as(workshop.cast.ana["id"], kind="user", scopes=frozenset[str]()) as scopeless:
        answers = [await scopeless.get(f"{base}/{project['identifier']}-{number}") for number in (1, 999)]
    assert {answer.status_code for answer in answers} == {403}


async def test_a_path_that_takes_ids_only_has_no_page_for_an_identifier(workshop: Workshop) -> None:
    project = await project_of(workshop)
    for path in (f"projects/{project['identifier']}", f"projects/{project['identifier']}/states"):
        answer = await workshop.ana.get(f"workspaces/acme/{path}")
        assert (answer.status_code, answer.json) == (404, {"error": "Page not found."})
