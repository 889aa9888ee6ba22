"""An installed app's last activity and health."""

from datetime import timedelta
from typing import Any

import pytest

from airside.db.base import new_id
from airside.developer.activity import Activity, find_activity
from airside.installations.read import list_installations
from airside.installations.suspend import suspend_app
from airside.oauth.tables import token_families
from airside.oauth.tokens import Bearer, issue_access_token
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints
from tests.cast import Cast, make_cast
from tests.support.clocks import FrozenClock


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def courier(site: Site, cast: Cast) -> Activity:
    installed = await list_installations(site.db, cast.acme["id"])
    return (await find_activity(site.db, cast.acme["id"], installed))[cast.installation["id"]]


async def deliver(site: Site, cast: Cast, status: str = "delivered") -> None:
    row = {
        "workspace_id": cast.acme["id"],
        "id": new_id(),
        "endpoint_id": cast.installation["webhook_id"],
        "event_id": new_id(),
        "event_name": "project",
        "version": "v1",
        "part": 0,
        "status": status,
        "attempts": 1,
        "created_at": site.clock.now(),
        "completed_at": site.clock.now(),
    }
    async with site.db.transaction() as tx:
        await tx.insert(webhook_deliveries, row)


async def change_endpoint(site: Site, cast: Cast, **changes: Any) -> None:
    async with site.db.transaction() as tx:
        await tx.update(webhook_endpoints, changes, id=cast.installation["webhook_id"])


async def test_a_new_one_has_no_activity(site: Site, cast: Cast) -> None:
    assert await courier(site, cast) == Activity(None, None, "", "Nothing sent yet")
    assert (await courier(site, cast)).last_at is None


async def test_the_latest_of_tokens_and_webhooks_counts(site: Site, cast: Cast, clock: FrozenClock) -> None:
    bot = cast.installation["bot_user_id"]
    bearer = Bearer(cast.courier["id"], cast.installation["id"], cast.acme["id"], bot, ["*:read"])
    issued = site.clock.now()
    async with site.db.transaction() as tx:
        await issue_access_token(tx, bearer, issued)
    assert (await courier(site, cast)).token_at == issued
    clock.advance(minutes=5)
    await deliver(site, cast)
    await deliver(site, cast, "failed")
    found = await courier(site, cast)
    assert (found.delivered_at, found.last_at) == (site.clock.now(), site.clock.now())
    assert (found.tone, found.health) == ("good", "Its webhooks arrive")
    clock.advance(minutes=5)
    family = {
        "id": new_id(),
        "app_id": cast.courier["id"],
        "installation_id": cast.installation["id"],
        "workspace_id": cast.acme["id"],
        "user_id": cast.ana["id"],
        "scopes": [],
        "created_at": issued,
        "last_used_at": site.clock.now(),
    }
    async with site.db.transaction() as tx:
        await tx.insert(token_families, family)
    assert (await courier(site, cast)).last_at == issued + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("changes", "tone", "health"),
    [
        ({"is_active": False, "disabled_reason": "no_url"}, "", "Has no webhook"),
        ({"is_active": False, "disabled_reason": "gone"}, "bad", "Its webhook is gone"),
        (
            {"is_active": False, "disabled_reason": "failing"},
            "bad",
            "Its webhook failed for too long and is off",
        ),
        ({"is_active": False, "disabled_reason": "off"}, "bad", "Its webhook is off"),
    ],
)
async def test_a_disabled_webhook_is_shown_with_its_reason(
    site: Site, cast: Cast, changes: dict[str, Any], tone: str, health: str
) -> None:
    await deliver(site, cast)
    await change_endpoint(site, cast, **changes)
    found = await courier(site, cast)
    assert (found.tone, found.health) == (tone, health)


async def test_one_that_does_not_respond_or_is_suspended_is_shown(site: Site, cast: Cast) -> None:
    await change_endpoint(site, cast, first_failure_at=site.clock.now())
    assert (await courier(site, cast)).health == "Its webhook doesn't answer"
    await suspend_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert (await courier(site, cast)).health == "Suspended"


async def test_what_happens_elsewhere_is_nothing_here(site: Site, cast: Cast) -> None:
    await deliver(site, cast)
    assert await find_activity(site.db, cast.other["id"], []) == {}
    [row] = await list_installations(site.db, cast.acme["id"])
    found = await find_activity(site.db, cast.other["id"], [row])
    assert found[row["id"]].delivered_at is None
