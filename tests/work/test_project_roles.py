"""The role in a project counts: what its admins, its lead and guests of the workspace may do there."""

from functools import partial

import pytest

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from airside.workspaces.members import add_member, remove_member, set_member_role
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from tests.cast import Cast, make_cast
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import join_project, make_project

FORBIDDEN = {"detail": "You do not have permission to perform this action."}


async def try_managing(client: Client, project: str, somebody: str) -> list[int]:
    """What only admins of a project may do, in an order in which all of it can succeed."""
    path = f"workspaces/acme/projects/{project}"
    answers = [
        await client.patch(path, {"description": "Steam"}),
        await client.post(f"{path}/members", {"member": somebody, "role": GUEST}),
        await client.delete(f"{path}/members/{somebody}"),
        await client.patch(f"{path}/features", {"cycles": True}),
        await client.post(f"{path}/archive"),
        await client.delete(f"{path}/archive"),
        await client.delete(path),
    ]
    return [answer.status_code for answer in answers]


MANAGED = [200, 201, 204, 200, 204, 204, 204]


async def role_of(site: Site, client: Client, project: str, user_id: str) -> int:
    return (await client.get(f"workspaces/acme/projects/{project}/members/{user_id}")).json["role"]


async def test_a_member_who_makes_a_project_is_its_admin(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        made = await ben.post("workspaces/acme/projects", {"name": "Boat", "identifier": "BOAT"})
        assert (made.json["member_role"], made.json["is_member"]) == (ADMIN, True)
        assert await try_managing(ben, made.json["id"], cast.gil["id"]) == MANAGED


async def test_an_admin_makes_a_member_admin_of_a_project(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        assert (
            await ben.patch(f"workspaces/acme/projects/{project}", {"description": "x"})
        ).json == FORBIDDEN
        raised = await ana.patch(
            f"workspaces/acme/projects/{project}/members/{cast.ben['id']}", {"role": ADMIN}
        )
        assert (raised.status_code, raised.json["role"]) == (200, ADMIN)
        assert await try_managing(ben, project, cast.gil["id"]) == MANAGED


async def test_an_admin_of_the_workspace_is_one_of_every_project(site: Site) -> None:
    cast = await make_cast(site)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        made = await ben.post(
            "workspaces/acme/projects", {"name": "Boat", "identifier": "BOAT", "network": 0}
        )
        assert await try_managing(ana, made.json["id"], cast.gil["id"]) == MANAGED


@pytest.mark.parametrize("named_at", ["creation", "change"])
async def test_a_project_lead_is_an_admin_of_it(site: Site, named_at: str) -> None:
    cast = await make_cast(site)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        body = {"name": "Boat", "identifier": "BOAT", "network": 0}
        lead = {"project_lead": cast.ben["id"]}
        made = await ana.post("workspaces/acme/projects", body | (lead if named_at == "creation" else {}))
        project = made.json["id"]
        if named_at == "change":
            assert (await ana.patch(f"workspaces/acme/projects/{project}", lead)).status_code == 200
            (joined,) = await list_events(site, "project.member")
            assert (joined["name"], joined["data"]["role"]) == ("project.member.created", ADMIN)
        assert await role_of(site, ana, project, cast.ben["id"]) == ADMIN
        assert await try_managing(ben, project, cast.gil["id"]) == MANAGED


async def test_a_member_who_becomes_the_lead_becomes_an_admin_and_stays_one(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}"
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        await ana.patch(path, {"project_lead": cast.ben["id"]})
        (event,) = await list_events(site, "project.member")
        lowered = await ana.patch(f"{path}/members/{cast.ben['id']}", {"role": MEMBER})
        removed = await ana.delete(f"{path}/members/{cast.ben['id']}")
        assert (event["name"], event["previous"]) == ("project.member.updated", {"role": MEMBER})
        assert (lowered.status_code, removed.status_code) == (400, 400)
        assert await role_of(site, ana, project, cast.ben["id"]) == ADMIN
        await ana.patch(path, {"project_lead": cast.ana["id"]})
        assert (await ana.delete(f"{path}/members/{cast.ben['id']}")).status_code == 204


@pytest.mark.parametrize("kind", ["bot", "user"])
async def test_id2_an_app_names_a_lead_only_with_the_scope_that_writes_memberships(
    site: Site, kind: str
) -> None:
    """Else `projects:write` would be enough to make anybody admin of any project."""
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path, lead = f"workspaces/acme/projects/{project}", {"project_lead": cast.ben["id"]}
    bot_id, api = cast.installation["bot_user_id"], serve_api(site, *TABLE)
    before = await list_events(site, "project")
    of_app = {"workspace_id": cast.acme["id"], "kind": kind, "app_id": cast.courier["id"]}
    of_app |= {"installation_id": cast.installation["id"]}
    acting = partial(api.acting_as, bot_id if kind == "bot" else cast.ana["id"], **of_app)
    async with acting(scopes=frozenset({"projects:write"})) as narrow, api.acting_as(cast.ana["id"]) as ana:
        assert (await narrow.patch(path, lead)).status_code == 403
        body = {"name": "Boat", "identifier": "BOAT"} | lead
        assert (await narrow.post("workspaces/acme/projects", body)).status_code == 403
        assert await role_of(site, ana, project, cast.ben["id"]) == MEMBER
        assert await list_events(site, "project") == before
        async with acting(scopes=frozenset({"projects:write", "projects.members:write"})) as wide:
            assert (await wide.patch(path, lead)).status_code == 200
        assert (await narrow.patch(path, {"project_lead": None})).status_code == 200
        assert (await narrow.patch(path, lead)).status_code == 200, "they are an admin of it already"


async def test_a_guest_of_the_workspace_stays_a_guest_even_as_lead(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    path = f"workspaces/acme/projects/{project}"
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.gil["id"]) as gil:
        for role in (MEMBER, ADMIN):
            refused = await ana.post(f"{path}/members", {"member": cast.gil["id"], "role": role})
            assert refused.status_code == 400
        assert (await ana.patch(path, {"project_lead": cast.gil["id"]})).status_code == 200
        assert await role_of(site, ana, project, cast.gil["id"]) == GUEST
        assert (await gil.patch(path, {"description": "Mine"})).status_code == 403
        assert (await gil.post(f"{path}/labels", {"name": "bug"})).status_code == 403


@pytest.mark.parametrize("role", [MEMBER, ADMIN])
async def test_a_member_who_becomes_a_guest_is_one_in_every_project(site: Site, role: int) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    await join_project(site, cast, project, cast.gil["id"], GUEST)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        await ana.patch(f"workspaces/acme/projects/{project}/members/{cast.ben['id']}", {"role": role})
        await set_member_role(site, cast.acme["id"], cast.ben["id"], GUEST, by_user_id=cast.ana["id"])
        assert (await ben.get(f"workspaces/acme/projects/{project}")).status_code == 200
        assert (
            await ben.post(f"workspaces/acme/projects/{project}/labels", {"name": "a"})
        ).status_code == 403


async def test_a_returning_member_has_no_role_in_earlier_projects(site: Site, cast: Cast) -> None:
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ben["id"]) as ben:
        body = {"name": "Boat", "identifier": "BOAT", "network": 0}
        made = (await ben.post("workspaces/acme/projects", body)).json["id"]
        await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
        await add_member(site, cast.acme["id"], cast.ben["id"], MEMBER, by_user_id=cast.ana["id"])
        assert (await ben.get(f"workspaces/acme/projects/{made}")).status_code == 404
    (event,) = await list_events(site, "project.member")
    assert (event["name"], event["project_id"], event["data"]) == (
        "project.member.deleted",
        made,
        {"id": event["entity_id"]},
    )
    assert event["actor"]["email"] == "ana@example.com"


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)
