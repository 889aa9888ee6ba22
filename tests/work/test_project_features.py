"""The flags of a project's features."""

import pytest

from airside.runtime.site import Site
from airside.work.projects.features import PROJECT_FEATURE_ROUTES
from airside.work.projects.projects import PROJECTS_V1
from tests.cast import make_cast
from tests.support.api import list_events, serve_api
from tests.work.scene import archive, make_project


async def test_a_flag_of_the_project_itself_changes_the_project(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}"
    async with serve_api(site, *PROJECT_FEATURE_ROUTES, PROJECTS_V1).acting_as(cast.ana["id"]) as ana:
        answer = await ana.patch(f"{path}/features", {"cycles": True, "pages": False})
        shown = (await ana.get(path)).json
    assert answer.status_code == 200
    assert (answer.json["cycles"], shown["cycle_view"]) == (True, True)
    assert (answer.json["pages"], shown["page_view"]) == (False, False)
    (event,) = await list_events(site, "project.updated")
    assert {change["field"] for change in event["changes"]} == {"cycle_view", "page_view"}


async def test_a_flag_without_a_column_is_stored_and_in_the_event_too(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}/features"
    async with serve_api(site, *PROJECT_FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        before = (await ana.get(path)).json
        await ana.patch(path, {"epics": True})
        await ana.patch(path, {"epics": True})
        after = (await ana.get(path)).json
    assert after == before | {"epics": True}
    assert len(after) == 10
    (event,) = await list_events(site, "project.features.updated")
    assert event["previous"] == {"epics": False}
    assert await list_events(site, "project.updated") == []


async def test_what_a_client_read_it_may_send_back_whole(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}/features"
    async with serve_api(site, *PROJECT_FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        features = (await ana.get(path)).json
        answer = await ana.patch(path, features)
    assert answer.json == features
    assert await list_events(site, "project.updated") == []


@pytest.mark.parametrize("value", ["perhaps", None, 7, [], {}])
async def test_a_flag_that_is_none_is_refused_by_name(site: Site, value: object) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}/features"
    async with serve_api(site, *PROJECT_FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.patch(path, {"workflows": value})
    assert answer.status_code == 400
    assert list(answer.json) == ["workflows"]


async def test_members_and_archived_projects_change_nothing(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}/features"
    api = serve_api(site, *PROJECT_FEATURE_ROUTES)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.ana["id"]) as ana:
        assert (await ben.patch(path, {"cycles": True})).status_code == 403
        await archive(site, project)
        assert (await ana.patch(path, {"cycles": True})).status_code == 400
