"""A renamed app is called by its new name wherever its bot shows."""

from airside.api.v1 import TABLE
from airside.developer.registration import update_app
from airside.identity.users import get_user
from airside.installations.install import install_app
from airside.installations.uninstall import uninstall_app
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_endpoints
from tests.cast import make_cast
from tests.portal.visitor import signed_in
from tests.support.api import list_events, serve_api
from tests.work.scene import make_project


async def test_renaming_an_app_renames_its_bot_wherever_it_shows(site: Site) -> None:
    cast = await make_cast(site, is_mentionable=True)
    bot_id, ana = cast.installation["bot_user_id"], cast.ana["id"]
    project = f"workspaces/acme/projects/{await make_project(site, cast)}"
    there = await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    api = serve_api(site, *TABLE)
    async with api.acting_as(bot_id, kind="bot") as bot, api.acting_as(ana) as admin:
        item = (await bot.post(f"{project}/work-items", {"name": "Wheel"})).json
        await bot.post(f"{project}/work-items/{item['id']}/comments", {"comment_html": "<p>Turned.</p>"})
        await admin.patch(f"{project}/work-items/{item['id']}", {"assignees": [bot_id]})
        await update_app(site, cast.courier["id"], ana, {"name": "Rider"})
        members = await admin.get("workspaces/acme/members")
        shown = await admin.get(f"{project}/work-items/{item['id']}", expand="assignees,created_by")
        comments = await admin.get(f"{project}/work-items/{item['id']}/comments", expand="actor")
        await bot.patch(f"{project}/work-items/{item['id']}", {"name": "Axle"})
    assert "Rider" in {member["display_name"] for member in members.json}
    assert [one["display_name"] for one in shown.json["assignees"]] == ["Rider"]
    assert shown.json["created_by"]["display_name"] == "Rider"
    assert comments.json["results"][0]["actor"]["display_name"] == "Rider"
    assert (await list_events(site, "workitem.updated"))[-1]["actor"]["display_name"] == "Rider"
    assert (await get_user(site.db, there["bot_user_id"]))["display_name"] == "Rider"
    assert {row["title"] for row in await site.db.find_all(webhook_endpoints)} == {"Rider"}
    async with signed_in(site, "ana") as visitor:
        for path in (
            "/acme/settings/members/",
            "/acme/settings/integrations/",
            "/acme/agents/",
            "/acme/browse/ENGIN-1/",
        ):
            text = (await visitor.get(path)).text
            assert "Rider" in text, path
            assert "Courier" not in text, path


async def test_what_an_uninstalled_bot_wrote_carries_the_new_name_too(site: Site) -> None:
    cast = await make_cast(site)
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await update_app(site, cast.courier["id"], cast.ana["id"], {"name": "Rider"})
    bot = await get_user(site.db, cast.installation["bot_user_id"])
    assert (bot["display_name"], bot["email"]) == ("Rider", f"bot-{bot['id']}@bots.airside.invalid")


async def test_another_apps_bot_keeps_its_name(site: Site) -> None:
    cast = await make_cast(site)
    await update_app(site, cast.courier["id"], cast.ana["id"], {"name": "Rider"})
    for person in (cast.ana, cast.ben, cast.gil, cast.zoe):
        assert (await get_user(site.db, person["id"]))["display_name"] == person["display_name"]
