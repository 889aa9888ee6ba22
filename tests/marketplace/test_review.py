"""A listing's lifecycle: draft, review, listed, changed, delisted; permissions, and the audit log."""

import asyncio
from typing import Any

import pytest

from airside.assets.logos import forget_logo, store_logo
from airside.assets.storage import read_file
from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.marketplace.browse import get_listed, list_listed
from airside.marketplace.checks import run_checks, unmet
from airside.marketplace.drafts import add_screenshot, remove_screenshot, save_listing
from airside.marketplace.find import count_submitted, find_listing, list_reviewed, list_submitted
from airside.marketplace.publishers import is_app_verified, set_verified
from airside.marketplace.purge import purge_orphaned
from airside.marketplace.review import approve_listing, delist_listing, request_changes, version_of
from airside.marketplace.snapshot import changed_since, read_snapshot
from airside.marketplace.submit import preview_listing, submit_listing, take_back_listing, withdraw_listing
from airside.runtime.site import Site
from tests.cast import Cast
from tests.marketplace.scenes import audited, get_courier, make_listed, make_ready, make_submitted
from tests.support.pictures import make_png


async def test_an_approved_listing_is_seen_and_each_step_is_on_record_once(
    site: Site, cast: Cast, olga: Row
) -> None:
    app = await make_ready(site, cast)
    assert await list_listed(site.db, limit=10) == []
    listing = await submit_listing(site, app, cast.ana["id"])
    assert [row["id"] for row in await list_submitted(site.db, limit=10)] == [listing["id"]]
    assert await list_listed(site.db, limit=10) == []
    approved = await approve_listing(site, listing["slug"], olga["id"], version_of(listing))
    assert (approved["state"], approved["standing"]) == ("approved", "listed")
    [seen] = await list_listed(site.db, limit=10)
    assert read_snapshot(seen["published"]).tagline == "Posts every change to the chat room that cares"
    assert (await get_courier(site, cast))["listed_at"] == site.clock.now()
    assert await count_submitted(site.db) == 0
    assert [row["id"] for row in await list_reviewed(site.db, limit=10)] == [listing["id"]]
    assert await audited(site) == ["listing.approved", "listing.saved", "listing.submitted"]


async def test_what_is_missing_is_said_and_nothing_is_sent(site: Site, cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        await submit_listing(site, cast.courier, cast.ana["id"])
    assert set(refused.value.fields) == {
        "category", "tagline", "description", "logo", "contact_email", "privacy_policy", "terms",
    }  # fmt: skip
    assert await find_listing(site.db, cast.acme["id"], cast.courier["id"]) is None
    assert await audited(site) == []


async def test_among_colleagues_no_privacy_policy_is_needed(site: Site, cast: Cast) -> None:
    app = await make_ready(site, cast, audience="instance")
    app = await update_app(
        site, app["id"], cast.ana["id"], {"privacy_policy_url": "", "terms_of_service_url": ""}
    )
    assert (await submit_listing(site, app, cast.ana["id"]))["state"] == "submitted"


async def test_checks_find_what_an_operator_would_ask_about(site: Site, cast: Cast) -> None:
    app = await make_ready(site, cast)
    odd = {"redirect_uris": ["com.example.courier:/callback"], "setup_url": "http://courier.example/setup"}
    app = await update_app(site, app["id"], cast.ana["id"], odd | {"scopes": []})
    listing = await find_listing(site.db, cast.acme["id"], app["id"])
    assert listing is not None
    checks = {
        each.name: each for each in await run_checks(site, await preview_listing(site, app, listing), app)
    }
    assert not checks["redirect_uris"].is_met
    assert "com.example.courier" in checks["redirect_uris"].detail
    assert not checks["setup_url"].is_met
    assert not checks["scopes"].is_met
    assert "no scope" in checks["scopes"].detail
    assert not checks["webhook"].is_met
    assert not checks["screenshots"].is_met
    assert {check.name for check in unmet(list(checks.values()))} == {"redirect_uris", "setup_url", "logo"}


async def test_people_see_the_approved_version_until_another_is_approved(site: Site, cast: Cast) -> None:
    listing = await make_listed(site, cast)
    app = await get_courier(site, cast)
    await save_listing(site, app, cast.ana["id"], {"tagline": "Something quite different"})
    app = await update_app(
        site, app["id"], cast.ana["id"], {"name": "Mole", "setup_url": "https://mole.example"}
    )
    await submit_listing(site, app, cast.ana["id"])
    seen = read_snapshot((await get_listed(site.db, listing["slug"]))["published"])
    assert (seen.name, seen.tagline) == ("Courier", "Posts every change to the chat room that cares")
    assert seen.setup_url is None
    assert changed_since(seen, app, "Acme") == ["its name", "its setup URL"]
    await approve_listing(site, listing["slug"], None)
    seen = read_snapshot((await get_listed(site.db, listing["slug"]))["published"])
    assert (seen.name, seen.tagline, seen.setup_url) == (
        "Mole",
        "Something quite different",
        "https://mole.example",
    )


async def test_an_operator_approves_only_the_version_that_was_looked_at(
    site: Site, cast: Cast, olga: Row, clock: Any
) -> None:
    listing = await make_submitted(site, cast)
    app = await get_courier(site, cast)
    looked_at = version_of(listing)
    await take_back_listing(site, app, cast.ana["id"])
    await save_listing(site, app, cast.ana["id"], {"tagline": "Buy now"})
    clock.advance(seconds=1)
    await submit_listing(site, app, cast.ana["id"])
    with pytest.raises(Refused, match="isn't in review any more"):
        await approve_listing(site, listing["slug"], olga["id"], looked_at)
    assert await list_listed(site.db, limit=10) == []


async def test_what_is_in_review_stands_still_until_it_is_taken_back(site: Site, cast: Cast) -> None:
    await make_submitted(site, cast)
    app = await get_courier(site, cast)
    for change in (
        save_listing(site, app, cast.ana["id"], {"tagline": "Other"}),
        submit_listing(site, app, cast.ana["id"]),
        add_screenshot(site, app, cast.ana["id"], make_png()),
        remove_screenshot(site, app, cast.ana["id"], app["id"]),
    ):
        with pytest.raises(Refused):
            await change
    assert (await take_back_listing(site, app, cast.ana["id"]))["state"] == "draft"
    with pytest.raises(Refused):
        await take_back_listing(site, app, cast.ana["id"])
    assert (await audited(site)).count("listing.taken_back") == 1


async def test_the_author_reads_what_should_change_and_sends_again(site: Site, cast: Cast, olga: Row) -> None:
    listing = await make_submitted(site, cast)
    app = await get_courier(site, cast)
    with pytest.raises(Invalid):
        await request_changes(site, listing["slug"], olga["id"], "  ")
    sent_back = await request_changes(site, listing["slug"], olga["id"], "Say what it costs.")
    assert (sent_back["state"], sent_back["review_words"]) == ("changes_requested", "Say what it costs.")
    saved = await save_listing(site, app, cast.ana["id"], {"tagline": "Free for ten people"})
    assert saved["state"] == "changes_requested"
    again = await submit_listing(site, app, cast.ana["id"])
    await approve_listing(site, again["slug"], olga["id"])
    assert await audited(site) == [
        "listing.approved",
        "listing.changes_requested",
        "listing.saved",
        "listing.saved",
        "listing.submitted",
        "listing.submitted",
    ]


async def test_a_delisted_app_is_gone_with_its_reason_and_stays_installed(
    site: Site, cast: Cast, olga: Row
) -> None:
    listing = await make_listed(site, cast)
    out = await delist_listing(site, listing["slug"], olga["id"], "It reads more than it says.")
    assert (out["standing"], out["review_words"]) == ("delisted", "It reads more than it says.")
    with pytest.raises(NotFound):
        await get_listed(site.db, listing["slug"])
    assert (await get_courier(site, cast))["listed_at"] is None
    with pytest.raises(Refused):
        await delist_listing(site, listing["slug"], olga["id"], "Again.")
    assert (await audited(site)).count("listing.delisted") == 1
    app = await get_courier(site, cast)
    await submit_listing(site, app, cast.ana["id"])
    await approve_listing(site, listing["slug"], olga["id"])
    assert len(await list_listed(site.db, limit=10)) == 1


async def test_an_author_withdraws_what_is_listed(site: Site, cast: Cast) -> None:
    listing = await make_listed(site, cast)
    app = await get_courier(site, cast)
    assert (await withdraw_listing(site, app, cast.ana["id"]))["standing"] == "withdrawn"
    assert await list_listed(site.db, limit=10) == []
    with pytest.raises(Refused):
        await withdraw_listing(site, app, cast.ana["id"])
    assert (await audited(site)).count("listing.withdrawn") == 1
    assert (await get_courier(site, cast))["listed_at"] is None
    assert listing["slug"] == "courier"


async def test_only_admins_of_the_apps_workspace_are_authors(site: Site, cast: Cast) -> None:
    await make_listed(site, cast)
    app = await get_courier(site, cast)
    for person, error in ((cast.ben, Forbidden), (cast.gil, Forbidden), (cast.zoe, NotFound)):
        for act in (
            save_listing(site, app, person["id"], {"tagline": "Mine"}),
            add_screenshot(site, app, person["id"], make_png()),
            submit_listing(site, app, person["id"]),
            take_back_listing(site, app, person["id"]),
            withdraw_listing(site, app, person["id"]),
        ):
            with pytest.raises(error):
                await act


async def test_only_operators_decide(site: Site, cast: Cast) -> None:
    listing = await make_listed(site, cast)
    await submit_listing(site, await get_courier(site, cast), cast.ana["id"])
    for person in (cast.ana, cast.ben, cast.gil, cast.zoe):
        for act in (
            approve_listing(site, listing["slug"], person["id"]),
            request_changes(site, listing["slug"], person["id"], "No."),
            delist_listing(site, listing["slug"], person["id"], "No."),
            set_verified(site, cast.acme["id"], "Acme", person["id"], is_verified=True),
        ):
            with pytest.raises(Forbidden):
                await act


async def test_a_publisher_is_verified_under_one_name_only(site: Site, cast: Cast, olga: Row) -> None:
    app = await make_ready(site, cast)
    for _ in range(2):
        await set_verified(site, cast.acme["id"], "Courier & Sons", olga["id"], is_verified=True)
    assert await is_app_verified(site.db, app)
    app = await update_app(site, app["id"], cast.ana["id"], {"organization_name": "A Bank"})
    assert not await is_app_verified(site.db, app)
    await set_verified(site, cast.acme["id"], "Courier & Sons", olga["id"], is_verified=False)
    app = await update_app(site, app["id"], cast.ana["id"], {"organization_name": "Courier & Sons"})
    assert not await is_app_verified(site.db, app)
    assert await audited(site, "publisher.") == ["publisher.unverified", "publisher.verified"]


async def test_the_listing_keeps_its_logo_when_the_app_gets_another(site: Site, cast: Cast) -> None:
    listing = await make_listed(site, cast)
    app = await get_courier(site, cast)
    logo_id = read_snapshot(listing["published"]).logo_id
    assert logo_id is not None
    await forget_logo(site, app["logo_url"])
    other = await store_logo(site, app["id"], make_png(80, 80))
    app = await update_app(site, app["id"], cast.ana["id"], {"logo_url": other})
    assert await read_file(site, logo_id) == make_png(64, 64)
    await submit_listing(site, app, cast.ana["id"])
    await approve_listing(site, listing["slug"], None)
    assert await read_file(site, logo_id) is None, "what nothing shows any more is dropped"


async def test_a_deleted_app_is_listed_nowhere(site: Site, cast: Cast) -> None:
    from airside.developer.delete_app import delete_app

    listing = await make_listed(site, cast)
    await submit_listing(site, await get_courier(site, cast), cast.ana["id"])
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    assert await list_listed(site.db, limit=10) == []
    assert await list_submitted(site.db, limit=10) == []
    with pytest.raises(NotFound):
        await approve_listing(site, listing["slug"], None)


async def test_pictures_of_a_deleted_app_are_dropped(site: Site, cast: Cast) -> None:
    from airside.developer.delete_app import delete_app

    app = await make_ready(site, cast)
    await add_screenshot(site, app, cast.ana["id"], make_png())
    await submit_listing(site, app, cast.ana["id"])
    await approve_listing(site, "courier", None)
    kept = site.settings.data / "uploads"
    assert await purge_orphaned(site) == 0
    assert len([path for path in kept.iterdir() if path.is_file()]) == 2
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    assert await purge_orphaned(site) == 1
    assert [path for path in kept.iterdir() if path.is_file()] == []
    assert await purge_orphaned(site) == 0


async def test_two_operators_at_once_approve_once(site: Site, cast: Cast, olga: Row) -> None:
    listing = await make_submitted(site, cast)
    outcomes = await asyncio.gather(
        *(approve_listing(site, listing["slug"], olga["id"]) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "dict"]
    assert (await audited(site)).count("listing.approved") == 1
