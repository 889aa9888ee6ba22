"""The pages of a workspace: installed apps, members, projects."""

from airside.apps.registry import create_app
from airside.db.base import new_id
from airside.installations.read import find_installation
from airside.installations.tables import installations
from airside.oauth.tables import access_tokens
from airside.oauth.tokens import Bearer, issue_access_token
from airside.runtime.site import Site
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.states import STATES_V1
from tests.cast import Cast
from tests.portal.visitor import signed_in
from tests.support.api import serve_api

LIST = "/acme/settings/integrations/"


async def test_what_can_be_installed_is_what_is_registered_here_and_not_installed(
    site: Site, cast: Cast
) -> None:
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/"]}
    await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    fields = {"name": "Stranger", "redirect_uris": ["https://tally.example/"]}
    await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
    async with signed_in(site, "ana") as ana, signed_in(site, "ben") as ben:
        page = await ana.get(LIST)
        assert "Install App: Tally" in page.text
        assert "Install App: Courier" not in page.text
        assert "Stranger" not in page.text
        assert "Install App:" not in (await ben.get(LIST)).text


async def test_one_installed_app_says_what_it_can_do(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = await ben.get(f"{LIST}{cast.installation['id']}/")
        for words in (
            "See everything in the workspace",
            "Ana",
            "https://courier.example/hooks",
            cast.installation["id"],
        ):
            assert words in page.text


async def test_uninstalling_ends_its_tokens_and_says_so(site: Site, cast: Cast) -> None:
    bearer = Bearer(
        cast.courier["id"],
        cast.installation["id"],
        cast.acme["id"],
        cast.installation["bot_user_id"],
        ["*:read"],
    )
    async with site.db.transaction() as tx:
        await issue_access_token(tx, bearer, site.clock.now())
    path = f"{LIST}{cast.installation['id']}/uninstall/"
    async with signed_in(site, "ana") as ana:
        answer = await ana.submit(await ana.get(path), path)
        assert (answer.status, answer.location) == (303, LIST)
        assert "The app is uninstalled." in (await ana.get(LIST)).text
        assert (await ana.get(path)).status == 404
    assert await find_installation(site.db, cast.acme["id"], cast.courier["id"]) is None
    assert all(token["revoked_at"] for token in await site.db.find_all(access_tokens))


async def test_members_are_people_first_then_bots(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = (await ben.get("/acme/settings/members/")).text
        places = [page.index(f">{name}</", page.index("<main")) for name in ("Ana", "Ben", "Gil", "Courier")]
        assert places == sorted(places)
        assert "bots.airside.invalid" not in page
        assert "zoe@example.com" not in page


async def test_projects_are_those_that_the_person_may_see(site: Site, cast: Cast) -> None:
    async with serve_api(site, PROJECTS_V1, STATES_V1).acting_as(cast.ana["id"]) as api:
        for name, network in (("Engine", 2), ("Secret", 0)):
            made = await api.post(
                "workspaces/acme/projects", {"name": name, "identifier": name[:3].upper(), "network": network}
            )
            assert made.status_code == 201, made.text
    seen = {}
    for name in ("ana", "ben", "gil"):
        async with signed_in(site, name) as visitor:
            page = (await visitor.get("/acme/projects/")).text
            seen[name] = [project for project in ("Engine", "Secret") if project in page]
            assert (await visitor.get("/acme/projects/?page=9")).status == 200
            assert (await visitor.get("/acme/projects/?page=-1%00")).status == 200
    assert seen == {"ana": ["Engine", "Secret"], "ben": ["Engine"], "gil": []}


async def test_home_counts_people_and_apps_of_each_workspace(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = (await ana.get("/")).text
        assert "Admin · 3 members · 1 app<" in page
        assert "Other" not in page
        assert (await ana.get("/acme/")).location == "/acme/projects/"


async def test_a_suspended_app_is_shown_as_such(site: Site, cast: Cast) -> None:
    async with site.db.transaction() as tx:
        await tx.update(installations, {"status": "suspended"}, id=cast.installation["id"])
    async with signed_in(site, "ana") as ana:
        assert "Suspended" in (await ana.get(LIST)).text
        assert (await ana.get(f"{LIST}{new_id()}/")).status == 404
