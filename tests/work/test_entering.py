"""Who gets into a workspace and a project, and what an app may do about who belongs there."""

import pytest

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from airside.workspaces.members import add_member, remove_member
from airside.workspaces.roles import ADMIN
from tests.cast import make_cast
from tests.support.api import serve_api
from tests.work.scene import join_project, make_project


async def test_who_left_a_workspace_is_an_outsider_at_once(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        assert (await ben.get(f"workspaces/acme/projects/{project}")).status_code == 200
        await remove_member(site, cast.acme["id"], cast.ben["id"], by_user_id=cast.ana["id"])
        for path in ("projects", f"projects/{project}", "work-items"):
            assert (await ben.get(f"workspaces/acme/{path}")).status_code == 403


async def test_tn1_a_token_works_in_its_own_workspace_only(site: Site) -> None:
    cast = await make_cast(site)
    await add_member(site, cast.other["id"], cast.ana["id"], ADMIN, by_user_id=cast.zoe["id"])
    api, own = serve_api(site, *TABLE), cast.acme["id"]
    async with api.acting_as(cast.ana["id"], kind="user", workspace_id=own) as token:
        assert (await token.get("workspaces/acme/projects")).status_code == 200
        assert (await token.get("workspaces/other/projects")).status_code == 403
    async with api.acting_as(cast.ana["id"]) as key:
        assert (await key.get("workspaces/other/projects")).status_code == 200


async def test_an_app_is_in_no_project_that_it_was_not_let_into(site: Site) -> None:
    cast = await make_cast(site)
    inside, outside = await make_project(site, cast), await make_project(site, cast, "Garage")
    async with serve_api(site, *TABLE).acting_as(
        cast.ana["id"], kind="user", projects=frozenset({inside}), installation_id=None
    ) as app:
        for tail in ("", "/states", "/work-items"):
            assert (await app.get(f"workspaces/acme/projects/{inside}{tail}")).status_code == 200
            assert (await app.get(f"workspaces/acme/projects/{outside}{tail}")).status_code == 404
        listed = (await app.get("workspaces/acme/projects")).json["results"]
        assert [one["id"] for one in listed] == [inside]


@pytest.mark.parametrize("kind", ["bot", "user"])
async def test_a_bot_writes_no_membership_of_its_own_nor_above_its_role(site: Site, kind: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    members = f"workspaces/acme/projects/{project}/project-members"
    bot = cast.installation["bot_user_id"]
    own = await join_project(site, cast, project, bot, 20)
    async with serve_api(site, *TABLE).acting_as(bot, kind=kind) as client:
        for method, body in (("PATCH", {"role": 15}), ("DELETE", None)):
            answer = await client.send(method, f"{members}/{own}", body)
            assert (answer.status_code == 403) == (kind == "bot"), method
        added = await client.post(members, {"member": cast.gil["id"], "role": 5})
        assert added.status_code == 201
