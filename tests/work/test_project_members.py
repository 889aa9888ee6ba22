"""Who belongs to a project, at both paths that clients use for it."""

import msgspec
import pytest

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.work.projects.members import PROJECT_MEMBER_ROUTES, ProjectMemberOut
from airside.workspaces.people import MemberOut
from tests.cast import make_cast
from tests.support.api import list_events, serve_api
from tests.work.scene import join_project, make_project

both_paths = pytest.mark.parametrize("path", ["members", "project-members"])


def below(project_id: str, path: str, *more: str) -> str:
    return "/".join(("workspaces/acme/projects", project_id, path, *more))


@both_paths
async def test_members_are_a_bare_list_of_people_with_their_role(site: Site, path: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ben["id"]) as ben:
        answer = await ben.get(below(project, path), order_by="first_name")
    assert [(one["first_name"], one["role"], one["role_slug"]) for one in answer.json] == [
        ("Ana", 20, "admin"),
        ("Ben", 15, "contributor"),
    ]
    msgspec.convert(answer.json, list[MemberOut])


async def test_the_light_list_is_paged(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.get(below(project, "project-members-lite"), per_page=1, role_slug="admin")
    assert answer.json["next_cursor"] == "1:1:0"
    assert [one["id"] for one in answer.json["results"]] == [cast.ana["id"]]
    assert answer.json["total_count"] == 1


@both_paths
async def test_an_admin_adds_a_member_and_the_event_is_recorded(site: Site, path: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(below(project, path), {"member": cast.gil["id"], "role": 5})
    assert answer.status_code == 201
    assert answer.json == {"id": answer.json["id"], "member": cast.gil["id"], "role": 5}
    (event,) = await list_events(site, "project.member")
    assert (event["name"], event["project_id"]) == ("project.member.created", project)
    assert event["data"] == answer.json


async def test_somebody_added_without_a_role_is_a_guest(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(below(project, "members"), {"member": cast.gil["id"]})
    assert answer.json["role"] == 5


@pytest.mark.parametrize(
    ("who", "role", "error"),
    [
        ("zoe", 15, {"member": ["Member not found in workspace"]}),
        ("gil", 3, {"role": ['"3" is not a valid choice.']}),
        ("gil", 15, {"role": ["A guest of the workspace cannot have a higher role in a project."]}),
        ("ben", 15, {"error": "The payload is not valid"}),
    ],
)
async def test_who_cannot_be_added_so_is_refused_as_plane_does(
    site: Site, who: str, role: int, error: dict[str, object]
) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(below(project, "members"), {"member": getattr(cast, who)["id"], "role": role})
        empty = await ana.post(below(project, "members"), {})
    assert (answer.status_code, answer.json) == (400, error)
    assert (empty.status_code, empty.json) == (400, {"member": ["This field is required."]})
    assert await list_events(site, "project.member") == []


@both_paths
async def test_a_member_is_found_by_membership_and_by_user(site: Site, path: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    membership = await join_project(site, cast, project, cast.gil["id"], 5)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        by_membership = await ana.get(below(project, path, membership))
        by_user = await ana.get(below(project, path, cast.gil["id"]))
        missing = await ana.get(below(project, path, new_id()))
    assert by_membership.json == by_user.json
    assert by_user.json["id"] == by_user.json["member"] == cast.gil["id"]
    msgspec.convert(by_user.json, ProjectMemberOut)
    assert (missing.status_code, missing.json) == (404, {"error": "The requested resource does not exist."})


async def test_a_role_changes_up_to_that_of_the_workspace(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    membership = await join_project(site, cast, project, cast.gil["id"], 5)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ana["id"]) as ana:
        lowered = await ana.patch(below(project, "project-members", cast.ben["id"]), {"role": 5})
        raised = await ana.patch(below(project, "members", membership), {"role": 20})
    assert (lowered.status_code, lowered.json["role"]) == (200, 5)
    assert raised.status_code == 400
    (event,) = await list_events(site, "project.member.updated")
    assert event["previous"] == {"role": 15}


async def test_a_removed_member_is_out_and_can_be_added_again(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast, network=0)
    api = serve_api(site, *PROJECT_MEMBER_ROUTES)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        path = below(project, "members", cast.ben["id"])
        assert (await ana.delete(path)).status_code == 204
        assert (await ana.delete(path)).status_code == 404
        assert (await ben.get(below(project, "members"))).status_code == 404
        again = await ana.post(below(project, "members"), {"member": cast.ben["id"], "role": 15})
    assert again.status_code == 201
    assert [row["name"] for row in await list_events(site, "project.member")] == [
        "project.member.created",
        "project.member.deleted",
    ]


@both_paths
async def test_only_admins_of_the_project_change_who_belongs_to_it(site: Site, path: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.ben["id"]) as ben:
        answers = [
            await ben.post(below(project, path), {"member": cast.gil["id"], "role": 5}),
            await ben.patch(below(project, path, cast.ben["id"]), {"role": 20}),
            await ben.delete(below(project, path, cast.ana["id"])),
        ]
    assert {answer.status_code for answer in answers} == {403}


async def test_another_workspaces_project_is_as_good_as_none(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *PROJECT_MEMBER_ROUTES).acting_as(cast.zoe["id"]) as zoe:
        answer = await zoe.get(f"workspaces/other/projects/{project}/members")
    assert answer.status_code == 404
