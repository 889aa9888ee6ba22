"""An app's log over all its installations: looked into, sent again, tried, switched on again."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from airside.apps.registry import create_app
from airside.db.base import new_id
from airside.developer.deliveries import (
    get_app_delivery,
    list_app_deliveries,
    list_app_endpoints,
    redeliver_to_app,
    redeliver_to_app_since,
    send_app_sample,
    switch_on_app_endpoint,
)
from airside.developer.registration import update_app
from airside.developer.webhook_routes import APP_WEBHOOK_ROUTES
from airside.developer.webhook_secret import renew_webhook_secret, switch_webhook_secret
from airside.errors import Invalid, NotFound, Refused
from airside.installations.install import install_app
from airside.runtime.site import Site
from airside.webhooks.deliveries import Search
from airside.workspaces.create import create_workspace
from tests.cast import REDIRECT_URI, Cast, make_cast
from tests.support.api import Client, serve_api
from tests.support.receivers import Receiver
from tests.webhooks.scenes import deliveries, happen, work


@pytest.fixture
async def cast(site: Site, receiver: Receiver) -> Cast:
    """Courier is installed in both workspaces, and has received that event."""
    cast = await make_cast(site, webhook_url=receiver.url)
    await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    await work(site)
    receiver.received.clear()
    return cast


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Client]:
    async with serve_api(site, *APP_WEBHOOK_ROUTES).acting_as(cast.ana["id"]) as client:
        yield client


async def test_the_log_is_one_over_all_workspaces_and_searched_in_one(site: Site, cast: Cast) -> None:
    app_id = cast.courier["id"]
    here = await happen(site, "state.created", workspace_id=cast.acme["id"])
    there = await happen(site, "state.created", workspace_id=cast.other["id"])
    await work(site)
    found = await list_app_deliveries(site.db, app_id, search=Search(event="state.created"))
    assert {row["event_id"] for row in found} == {here, there}
    search = Search(event="state.created")
    [one] = await list_app_deliveries(site.db, app_id, search=search, workspace_id=cast.other["id"])
    assert one["event_id"] == there
    assert (await get_app_delivery(site.db, app_id, one["id"]))["event_id"] == there
    for unknown in (new_id(), "zz"):
        with pytest.raises(NotFound):
            await get_app_delivery(site.db, app_id, unknown)


async def test_another_apps_deliveries_are_neither_shown_nor_sent_again(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    fields = {"name": "Second", "redirect_uris": [REDIRECT_URI], "webhook_url": receiver.url}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    [first, *_] = await deliveries(site)
    with pytest.raises(NotFound):
        await get_app_delivery(site.db, made.app["id"], first["id"])
    assert await redeliver_to_app(site, made.app, cast.ana["id"], [first["id"]]) == 0


async def test_a_selection_over_workspaces_is_sent_again_with_its_event_ids(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    happened = [
        await happen(site, "state.created", workspace_id=workspace["id"])
        for workspace in (cast.acme, cast.other)
    ]
    await work(site)
    chosen = [row["id"] for row in await deliveries(site) if row["event_id"] in happened]
    receiver.received.clear()
    sent = await redeliver_to_app(site, cast.courier, cast.ana["id"], [*chosen, new_id(), "zz"])
    assert sent == 2
    await work(site)
    assert {got.headers["webhook-id"] for got in receiver.received} == set(happened)
    with pytest.raises(NotFound):
        await redeliver_to_app(site, cast.courier, cast.zoe["id"], chosen)


async def test_everything_that_failed_since_a_time_is_sent_again(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    [here] = [
        row
        for row in await list_app_endpoints(site.db, cast.courier["id"])
        if row["workspace_id"] == cast.acme["id"]
    ]
    receiver.answers = [410]
    lost = await happen(site, "state.created", workspace_id=cast.acme["id"])
    await work(site)
    since = site.clock.now() - timedelta(hours=1)
    asked = (site, cast.courier, cast.ana["id"], since)
    with pytest.raises(Refused):
        await redeliver_to_app_since(*asked, cast.acme["id"])
    assert await redeliver_to_app_since(*asked) == 0, "the other workspace's endpoint missed nothing"
    await switch_on_app_endpoint(site, cast.courier, cast.ana["id"], here["id"])
    await switch_on_app_endpoint(site, cast.courier, cast.ana["id"], here["id"])
    receiver.received.clear()
    assert await redeliver_to_app_since(*asked) == 1
    await work(site)
    delivered_events = sorted(
        (got.headers["X-Plane-Event"], got.headers["webhook-id"]) for got in receiver.received
    )
    assert [name for name, _ in delivered_events] == ["ping", "state"]
    assert delivered_events[1][1] == lost
    with pytest.raises(NotFound):
        await switch_on_app_endpoint(site, cast.courier, cast.ana["id"], new_id())


async def test_a_sample_reaches_one_workspace(site: Site, cast: Cast, receiver: Receiver) -> None:
    by = cast.ana["id"]
    assert len(await send_app_sample(site, cast.courier, by, "workitem.created")) == 1
    assert len(await send_app_sample(site, cast.courier, by, "workitem.created", cast.other["id"])) == 1
    await work(site)
    delivered_events = sorted(got.body["workspace_id"] for got in receiver.received)
    assert delivered_events == sorted([cast.acme["id"], cast.other["id"]])
    with pytest.raises(Invalid):
        await send_app_sample(site, cast.courier, by, "workitem.exploded")
    with pytest.raises(Refused):
        await send_app_sample(site, cast.courier, by, "workitem.created", new_id())


async def test_a_saved_webhook_url_is_pinged_once(site: Site, cast: Cast, receiver: Receiver) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": receiver.url + "/new"})
    await work(site)
    assert [(got.path, got.headers["X-Plane-Event"]) for got in receiver.received] == [("/hook/new", "ping")]
    receiver.received.clear()
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_version": "v2"})
    await work(site)
    assert [got.body["event"] for got in receiver.received] == ["webhook.ping"], "in its new shape"
    receiver.received.clear()
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": receiver.url + "/new"})
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": None})
    await work(site)
    assert receiver.received == []


async def test_the_api_says_the_same(site: Site, cast: Cast, ana: Client, receiver: Receiver) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}"
    made = (await ana.post(f"{base}/test", {"event": "cycle.created", "workspace": cast.other["id"]})).json
    await work(site)
    [row] = (await ana.get(f"{base}/deliveries", event="cycle.created")).json["results"]
    assert [row["event_id"]] == made["event_ids"]
    assert (row["workspace"], row["state"], row["http_status"]) == (cast.other["id"], "delivered", 200)
    assert (await ana.get(f"{base}/deliveries", workspace=cast.acme["id"], event="cycle.created")).json == {
        "results": []
    }
    assert (await ana.post(f"{base}/redeliver", {"deliveries": [row["id"]]})).json == {"redelivered": 1}
    await work(site)
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert (await ana.post(f"{base}/redeliver", {})).status_code == 400
    assert (await ana.get(f"{base}/deliveries", workspace="zz")).status_code == 400


async def test_who_installs_while_both_secrets_sign_is_signed_with_both(
    site: Site, cast: Cast, ana: Client, receiver: Receiver
) -> None:
    """The app's server is one for all workspaces: it has the old secret until its author says otherwise."""
    fresh = await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    third = await create_workspace(site, name="Third", slug="third", owner_id=cast.zoe["id"])
    await install_app(site, cast.courier, third["id"], cast.zoe["id"])
    await work(site)
    got = receiver.received[-1]
    assert got.is_signed_with(cast.webhook_secret)
    headers = {name.lower(): value for name, value in got.headers.items()}
    assert len(headers["webhook-signature"].split()) == 2
    await switch_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    receiver.received.clear()
    await happen(site, "state.created", workspace_id=third["id"])
    await work(site)
    assert receiver.received[0].is_signed_with(fresh)


async def test_a_secret_replaced_twice_keeps_the_one_that_the_server_surely_has(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    """Somebody who closes the page too early replaces it once more, and the first replacement is nowhere."""
    await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    fresh = await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    for secret in (cast.webhook_secret, fresh):
        receiver.received.clear()
        await happen(site, "state.created", workspace_id=cast.other["id"])
        await work(site)
        assert receiver.received[0].is_signed_with(secret)
        await switch_webhook_secret(site, cast.courier["id"], cast.ana["id"])


async def test_a_secret_replaced_before_anything_is_sent_signs_alone(site: Site, cast: Cast) -> None:
    fields = {"name": "Scout", "redirect_uris": [REDIRECT_URI], "webhook_url": "https://courier.example/"}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    await renew_webhook_secret(site, made.app["id"], cast.ana["id"])
    await install_app(site, made.app, cast.acme["id"], cast.ana["id"])
    [endpoint] = await list_app_endpoints(site.db, made.app["id"])
    assert endpoint["previous_secret_sealed"] is None


async def test_the_old_webhook_secret_signs_until_the_author_switches(
    site: Site, cast: Cast, ana: Client, receiver: Receiver
) -> None:
    fresh = await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    for secret in (cast.webhook_secret, fresh):
        receiver.received.clear()
        await happen(site, "state.created", workspace_id=cast.other["id"])
        await work(site)
        [got] = receiver.received
        assert got.is_signed_with(secret)
        switch = f"workspaces/acme/applications/{cast.client_id}/switch-secret"
        assert (await ana.post(switch)).status_code == 204
