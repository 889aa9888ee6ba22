"""The lifecycle events an app receives about itself, from its installation to its uninstallation: each once."""

import pytest

from airside.developer.delete_app import delete_app
from airside.developer.deliveries import redeliver_to_app
from airside.developer.registration import update_app
from airside.errors import Refused
from airside.installations.scope_requests import approve_scopes
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.uninstall import uninstall_app
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries
from tests.cast import Cast, make_cast
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import happen, wait_until_due, work


@pytest.fixture
async def cast(site: Site, receiver: Receiver) -> Cast:
    return await make_cast(
        site,
        scopes=["projects:read"],
        webhook_url=receiver.url,
        webhook_version="v2",
        webhook_event_names=["workitem.created"],
    )


def received_names(receiver: Receiver) -> list[str]:
    """The events in the order of their arrival."""
    return [got.body["event"] for got in receiver.received]


async def test_an_app_receives_each_lifecycle_event_once_whatever_its_subscriptions(
    site: Site, cast: Cast, receiver: Receiver, clock: FrozenClock
) -> None:
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await work(site)
    await suspend_app(*where)
    await happen(site, "workitem.created", workspace_id=cast.acme["id"])
    await work(site)
    await unsuspend_app(*where)
    await work(site)
    await update_app(
        site, cast.courier["id"], cast.ana["id"], {"scopes": ["projects:read", "projects:write"]}
    )
    await approve_scopes(*where)
    await work(site)
    receiver.answers = [500]
    await uninstall_app(*where)
    await work(site)
    await happen(site, "workitem.created", workspace_id=cast.acme["id"])
    await wait_until_due(site, clock)
    await work(site)
    steps = ["app.installed", "app.suspended", "app.unsuspended", "app.scopes_changed"]
    assert received_names(receiver) == [*steps, "app.uninstalled", "app.uninstalled"], (
        "the last one was answered 500"
    )
    last, again = receiver.received[-2:]
    assert last.body["event_id"] == again.body["event_id"]
    assert again.is_signed_with(cast.webhook_secret)
    assert (again.body["data"], again.body["previous_attributes"]["status"]) == ({}, "uninstalled")
    suspended = receiver.received[1].body
    assert suspended["previous_attributes"] == {"status": "installed"}
    rows = await site.db.find_all(webhook_deliveries)
    with pytest.raises(Refused):
        await redeliver_to_app(site, cast.courier, cast.ana["id"], [row["id"] for row in rows])


async def test_a_suspended_app_receives_its_uninstallation(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await suspend_app(*where)
    await uninstall_app(*where)
    await work(site)
    assert set(received_names(receiver)) == {"app.installed", "app.suspended", "app.uninstalled"}
    assert len(receiver.received) == 3


async def test_a_deleted_app_receives_its_uninstallation(site: Site, cast: Cast, receiver: Receiver) -> None:
    await work(site)
    await delete_app(site, cast.acme["id"], cast.courier["id"], cast.ana["id"])
    await work(site)
    assert received_names(receiver) == ["app.installed", "app.uninstalled"]
