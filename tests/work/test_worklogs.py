"""Minutes that somebody spent on a work item."""

import msgspec
import pytest

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.work.work_items.work_items import WORK_ITEMS_V1
from airside.work.work_items.worklogs import WORKLOG_ROUTES, WORKLOGS_V1, WorklogOut
from tests.cast import make_cast
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import join_project, make_project

TABLE = (*WORKLOG_ROUTES, WORKLOGS_V1, WORK_ITEMS_V1)


async def make_item(client: Client, project: str, name: str = "Bolt") -> str:
    answer = await client.post(f"workspaces/acme/projects/{project}/work-items", {"name": name})
    return answer.json["id"]


@pytest.mark.parametrize("word", ["work-items", "issues"])
async def test_work_is_logged_listed_changed_and_deleted(site: Site, word: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        item = await make_item(ben, project)
        path = f"workspaces/acme/projects/{project}/{word}/{item}/worklogs"
        made = await ben.post(path, {"duration": 30, "description": "Tightened"})
        listed = await ben.get(path)
        changed = await ben.patch(f"{path}/{made.json['id']}", {"duration": 45})
        deleted = await ben.delete(f"{path}/{made.json['id']}")
        left = await ben.get(path)
    assert made.status_code == 201
    msgspec.convert(made.json, WorklogOut)
    assert (made.json["logged_by"], made.json["project_id"]) == (cast.ben["id"], project)
    assert listed.json == [made.json]
    assert (changed.status_code, changed.json["duration"]) == (200, 45)
    assert (deleted.status_code, left.json) == (204, [])
    assert [event["name"] for event in await list_events(site, "workitem.worklog")] == [
        "workitem.worklog.created",
        "workitem.worklog.deleted",
        "workitem.worklog.updated",
    ]


async def test_the_sum_leaves_out_what_was_deleted(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        base = f"workspaces/acme/projects/{project}"
        bolt, nut, gone = [await make_item(ana, project, name) for name in ("Bolt", "Nut", "Gone")]
        for item, minutes in ((bolt, 30), (bolt, 15), (nut, 5), (gone, 99)):
            await ana.post(f"{base}/work-items/{item}/worklogs", {"duration": minutes})
        mistaken = await ana.post(f"{base}/work-items/{nut}/worklogs", {"duration": 1000})
        await ana.delete(f"{base}/work-items/{nut}/worklogs/{mistaken.json['id']}")
        await ana.delete(f"{base}/work-items/{gone}")
        answer = await ana.get(f"{base}/total-worklogs")
    assert {one["issue_id"]: one["duration"] for one in answer.json} == {bolt: 45, nut: 5}


async def test_only_its_author_or_an_admin_changes_a_worklog(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        item = await make_item(ana, project)
        path = f"workspaces/acme/projects/{project}/work-items/{item}/worklogs"
        of_ana = (await ana.post(path, {"duration": 1})).json["id"]
        of_ben = (await ben.post(path, {"duration": 1})).json["id"]
        assert (await ben.patch(f"{path}/{of_ana}", {"duration": 600})).status_code == 403
        assert (await ben.delete(f"{path}/{of_ana}")).status_code == 403
        assert (await ana.delete(f"{path}/{of_ben}")).status_code == 204


async def test_a_guest_logs_nothing_and_nobody_logs_on_what_is_not_there(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    await join_project(site, cast, project, cast.gil["id"], 5)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.gil["id"]) as gil:
        item = await make_item(ana, project)
        base = f"workspaces/acme/projects/{project}/work-items"
        assert (await gil.post(f"{base}/{item}/worklogs", {"duration": 1})).status_code == 403
        for method in ("GET", "POST"):
            body = {"duration": 1} if method == "POST" else None
            assert (await ana.send(method, f"{base}/{new_id()}/worklogs", body)).status_code == 404


@pytest.mark.parametrize("minutes", [-1, 1.5, "long", 2**31, None])
async def test_a_duration_is_a_number_of_minutes(site: Site, minutes: object) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        item = await make_item(ana, project)
        path = f"workspaces/acme/projects/{project}/work-items/{item}/worklogs"
        answer = await ana.post(path, {"duration": minutes})
    assert answer.status_code == 400
    assert list(answer.json) == ["duration"]
