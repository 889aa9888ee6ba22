"""The roles as API clients list them."""

from airside.runtime.site import Site
from airside.workspaces.role_definitions import ROLE_ROUTES
from tests.cast import make_cast
from tests.support.api import serve_api


async def test_roles_are_listed_by_namespace(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *ROLE_ROUTES).acting_as(cast.gil["id"]) as gil:
        every = await gil.get("workspaces/acme/roles")
        of_workspace = await gil.get("workspaces/acme/roles", namespace="workspace")
        of_nothing = await gil.get("workspaces/acme/roles", namespace="galaxy")
    assert every.json["total_count"] == 6
    assert [role["slug"] for role in of_workspace.json["results"]] == ["admin", "member", "guest"]
    assert of_nothing.status_code == 400


async def test_a_role_is_found_by_the_id_it_was_listed_with(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *ROLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        listed = (await ana.get("workspaces/acme/roles", per_page=1, cursor="1:1:0")).json["results"]
        found = await ana.get(f"workspaces/acme/roles/{listed[0]['id']}")
    assert found.json == listed[0]
    assert (found.json["namespace"], found.json["slug"]) == ("project", "contributor")


async def test_another_workspaces_role_is_not_found(site: Site) -> None:
    cast = await make_cast(site)
    api = serve_api(site, *ROLE_ROUTES)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.zoe["id"]) as zoe:
        foreign = (await zoe.get("workspaces/other/roles")).json["results"][0]["id"]
        answer = await ana.get(f"workspaces/acme/roles/{foreign}")
    assert answer.status_code == 404
