"""Somebody leaves the workspace."""

import pytest

from airside.runtime.site import Site
from airside.work.projects.members import PROJECT_MEMBER_ROUTES
from airside.work.projects.role_distribution import ROLE_DISTRIBUTION_ROUTES
from airside.workspaces.departures import DEPARTURE_ROUTES
from airside.workspaces.members import add_member
from airside.workspaces.people import PEOPLE_ROUTES
from tests.cast import make_cast
from tests.support.api import list_events, serve_api
from tests.work.scene import archive, join_project, make_project

PATH = "workspaces/acme/members/remove"


@pytest.mark.parametrize("named_by", ["member", "member_id", "user_id", "email"])
async def test_an_admin_removes_a_member_from_the_workspace_and_its_projects(
    site: Site, named_by: str
) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    api = serve_api(site, *DEPARTURE_ROUTES, *PROJECT_MEMBER_ROUTES, *PEOPLE_ROUTES)
    body = {named_by: cast.ben["email" if named_by == "email" else "id"]}
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        assert (await ana.post(PATH, body)).status_code == 204
        assert (await ben.get("workspaces/acme/members")).status_code == 403
        assert (await ana.post(PATH, body)).status_code == 404
        await add_member(site, cast.acme["id"], cast.ben["id"], 15, by_user_id=cast.ana["id"])
        left = await ana.get(f"workspaces/acme/projects/{project}/members")
    assert [one["id"] for one in left.json] == [cast.ana["id"]]
    assert [row["name"] for row in await list_events(site) if row["name"].endswith("member.deleted")] == [
        "project.member.deleted",
        "workspace.member.deleted",
    ]


async def test_the_last_admin_stays_and_keeps_their_projects(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    api = serve_api(site, *DEPARTURE_ROUTES, *PROJECT_MEMBER_ROUTES)
    async with api.acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(PATH, {"member": cast.ana["id"]})
        members = await ana.get(f"workspaces/acme/projects/{project}/members")
    assert answer.status_code == 400
    assert answer.json == {"error": "A workspace needs an admin. Make somebody else admin first."}
    assert cast.ana["id"] in {one["id"] for one in members.json}


async def test_a_bot_leaves_by_uninstalling_its_app_only(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *DEPARTURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(PATH, {"member": cast.installation["bot_user_id"]})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"member": "nobody"}, 400),
        ({"email": "zoe@example.com"}, 404),
        ({"email": "nobody@example.com"}, 404),
    ],
)
async def test_nobody_is_removed_who_is_not_a_member(site: Site, body: dict[str, str], status: int) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *DEPARTURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        assert (await ana.post(PATH, body)).status_code == status


async def test_a_member_removes_nobody(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *DEPARTURE_ROUTES).acting_as(cast.ben["id"]) as ben:
        assert (await ben.post(PATH, {"member": cast.gil["id"]})).status_code == 403


async def test_roles_are_counted_over_the_projects_that_are_not_archived(site: Site) -> None:
    cast = await make_cast(site)
    await make_project(site, cast, "Engine")
    wings = await make_project(site, cast, "Wings")
    await join_project(site, cast, wings, cast.gil["id"], 5)
    await archive(site, await make_project(site, cast, "Tail"))
    async with serve_api(site, *ROLE_DISTRIBUTION_ROUTES).acting_as(cast.ben["id"]) as ben:
        answer = await ben.get("workspaces/acme/project-role-distribution")
    counts = {
        role["slug"]: (role["membership_count"], role["distinct_member_count"])
        for role in answer.json["roles"]
    }
    assert counts == {"admin": (2, 1), "contributor": (2, 1), "guest": (1, 1)}
    assert (answer.json["total_memberships"], answer.json["total_distinct_members"]) == (5, 3)
