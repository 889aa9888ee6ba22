"""The page of a workspace's app policy, and how the policy is met on the other pages."""

from airside.apps.policy import change_policy, find_policy, rule_app
from airside.apps.registry import create_app
from airside.installations.read import find_installation
from airside.oauth.authorize import install_url
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import make_listed
from tests.portal.visitor import signed_in

POLICY = "/acme/settings/app-policy/"
CONSENT = "/consent/"


async def test_an_admin_chooses_rules_and_single_apps(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get(POLICY)
        done = await ana.submit(page, POLICY, registers="members", installs="listed")
        assert (done.status, done.location) == (303, POLICY)
        page = await ana.get(POLICY)
        assert "Installed, although the policy keeps it out" in page.text
        path = f"{POLICY}apps/"
        token = page.form(POLICY)["csrf_token"]
        refused = await ana.post(path, {"csrf_token": token, "client_id": "nobody", "rule": "denied"})
        assert refused.status == 422
        assert "There is no app with this client ID here." in refused.text
        await ana.post(path, {"csrf_token": token, "client_id": cast.courier["client_id"], "rule": "allowed"})
        page = await ana.get(POLICY)
        assert "Installed, although" not in page.text
        assert "Remove Courier from this list" in page.text
        assert (await ana.post(path, {"csrf_token": token, "client_id": "x", "rule": "maybe"})).status == 422
        assert (await ana.post(POLICY, {"csrf_token": token, "installs": "none"})).status == 422
    policy = await find_policy(site.db, cast.acme["id"])
    assert (policy.registers, policy.installs, policy.allowed) == ("members", "listed", (cast.courier["id"],))


async def test_what_is_kept_out_is_suspended_when_an_admin_says_so(site: Site, cast: Cast) -> None:
    await rule_app(site, cast.acme["id"], cast.ana["id"], cast.courier["client_id"], "denied")
    async with signed_in(site, "ana") as ana:
        await ana.submit(await ana.get(POLICY), f"{POLICY}suspend/")
        installed = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
        assert installed is not None
        assert installed["status"] == "suspended"
        assert "Installed, although" not in (await ana.get(POLICY)).text


async def test_consent_says_that_the_policy_keeps_an_app_out_and_takes_no_answer(
    site: Site, cast: Cast
) -> None:
    await make_listed(site, cast)
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/cb"]}
    tally = (
        await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=fields)
    ).app
    await change_policy(site, cast.acme["id"], cast.ana["id"], {"installs": "listed"})
    link = install_url(site, tally).removeprefix(site.settings.origin)
    async with signed_in(site, "ana") as ana:
        asked = (await ana.get(link)).location
        choice = await ana.get(asked)
        question = await ana.submit(choice, "/consent/workspace/", workspace="acme")
        page = await ana.get(question.location)
        assert "allows only apps from the marketplace, and Tally" in page.text
        assert POLICY in page.text
        answer = await ana.submit(page, CONSENT, decision="allow")
        assert answer.status == 403
    assert await find_installation(site.db, cast.acme["id"], tally["id"]) is None


async def test_consent_that_was_asked_before_the_policy_changed_is_held_to_it(site: Site, cast: Cast) -> None:
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/cb"]}
    tally = (
        await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    ).app
    link = install_url(site, tally).removeprefix(site.settings.origin)
    async with signed_in(site, "ana") as ana:
        page = await ana.get((await ana.get(link)).location)
        await rule_app(site, cast.acme["id"], cast.ana["id"], tally["client_id"], "denied")
        answer = await ana.submit(page, CONSENT, decision="allow")
        assert answer.status == 403
        assert "keeps Tally out" in answer.text
    assert await find_installation(site.db, cast.acme["id"], tally["id"]) is None


async def test_the_marketplace_says_so_instead_of_offering_to_install(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    await rule_app(site, cast.other["id"], cast.zoe["id"], cast.courier["client_id"], "denied")
    async with signed_in(site, "zoe") as zoe:
        page = await zoe.get("/other/marketplace/courier/")
        assert "keeps Courier out" in page.text
        assert "Install App" not in page.text
        refused = await zoe.get("/other/marketplace/courier/install/")
        assert refused.status == 403
        assert "keeps Courier out" in refused.text


async def test_apps_built_here_are_marked_where_they_could_be_installed(site: Site, cast: Cast) -> None:
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/"]}
    await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    await change_policy(site, cast.acme["id"], cast.ana["id"], {"installs": "allowed"})
    async with signed_in(site, "ana") as ana:
        for path in ("/acme/settings/integrations/", "/acme/marketplace/"):
            page = (await ana.get(path)).text
            assert "allows only the apps on its list, and Tally" in page
            assert "Install App: Tally" not in page


async def test_members_come_to_their_own_apps_where_the_policy_lets_them_register(
    site: Site, cast: Cast
) -> None:
    await change_policy(site, cast.acme["id"], cast.ana["id"], {"registers": "members"})
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/"]}
    mine = (
        await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ben["id"], fields=fields)
    ).app
    here = "/acme/settings/applications/"
    async with signed_in(site, "ben") as ben, signed_in(site, "gil") as gil:
        page = (await ben.get(here)).text
        assert "Tally" in page
        assert "Courier" not in page
        assert (await ben.get(f"{here}{mine['id']}/")).status == 200
        assert (await ben.get(f"{here}new/")).status == 200
        assert (await ben.get(f"{here}{cast.courier['id']}/")).status == 403
        assert (await ben.get(f"{here}{cast.courier['id']}/listing/")).status == 403
        assert (await ben.get(POLICY)).status == 403
        assert (await gil.get(here)).status == 403
