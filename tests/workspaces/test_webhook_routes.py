"""The workspace's webhooks over the API, with the wire's fields."""

from collections.abc import AsyncIterator

import pytest

from airside.events.catalog import list_kinds
from airside.runtime.site import Site
from airside.workspaces.webhook_routes import WEBHOOK_ROUTES
from tests.cast import Cast, make_cast
from tests.support.api import Client, serve_api
from tests.support.receivers import Receiver, open_receiver
from tests.webhooks.scenes import deliveries, happen, work

HOOKS = "workspaces/acme/webhooks"
URL = "https://courier.example/hook"
BUG = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5a"


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Client]:
    async with serve_api(site, *WEBHOOK_ROUTES).acting_as(cast.ana["id"]) as client:
        yield client


async def test_the_secret_is_in_the_answer_that_made_it_and_in_no_other(ana: Client) -> None:
    made = await ana.post(HOOKS, {"url": URL, "name": "Pager"})
    assert made.status_code == 201
    assert made.json["secret_key"].startswith("plane_wh_")
    one = (await ana.get(f"{HOOKS}/{made.json['id']}")).json
    assert "secret_key" not in one
    assert one == {name: value for name, value in made.json.items() if name != "secret_key"}
    assert (await ana.get(HOOKS)).json["results"] == [one]
    again = await ana.post(f"{HOOKS}/{one['id']}/regenerate")
    assert again.json["secret_key"] not in ("", made.json["secret_key"])


async def test_without_a_choice_it_receives_everything(ana: Client) -> None:
    made = (await ana.post(HOOKS, {"url": URL})).json
    assert made["scopes"] is None
    assert all(made[flag] for flag in ("project", "issue", "module", "cycle", "issue_comment"))


async def test_flags_and_names_choose_the_same_events(ana: Client) -> None:
    made = (await ana.post(HOOKS, {"url": URL, "issue": True, "scopes": ["state.created"]})).json
    issues = [name for name, kind in list_kinds().items() if kind.v1_event == "issue"]
    assert set(made["scopes"]) == {*issues, "state.created"}
    assert (made["issue"], made["project"]) == (True, False)
    changed = (await ana.patch(f"{HOOKS}/{made['id']}", {"issue": False})).json
    assert changed["scopes"] == ["state.created"]
    assert (await ana.patch(f"{HOOKS}/{made['id']}", {"name": "x"})).json["scopes"] == ["state.created"]
    none_left = await ana.patch(f"{HOOKS}/{made['id']}", {"scopes": []})
    assert (none_left.status_code, list(none_left.json)) == (400, ["scopes"])
    unknown = await ana.patch(f"{HOOKS}/{made['id']}", {"scopes": ["workitem.exploded"]})
    assert unknown.json == {"scopes": ["There is no event workitem.exploded."]}


async def test_a_filter_is_checked_when_it_is_saved_and_given_back(ana: Client) -> None:
    sent = {"stripped": f"label_id = {BUG}", "json": {"type": "doc"}}
    made = (await ana.post(HOOKS, {"url": URL, "pql_filters": sent})).json
    assert made["pql_filters"] == sent
    assert made["rich_filters"] == {}
    for body in (
        {"pql_filters": {"stripped": "title = x"}},
        {"pql_filters": {"stripped": 7}},
        {"pql_filters": {"json": "x"}},
        {"rich_filters": {"priority": "high"}},
        {"content_type": "XML"},
        {"version": "v9"},
        {"url": "ftp://courier.example/"},
    ):
        refused = await ana.patch(f"{HOOKS}/{made['id']}", body)
        assert (refused.status_code, list(refused.json)) == (400, list(body)), body
    cleared = await ana.patch(f"{HOOKS}/{made['id']}", {"pql_filters": None})
    assert cleared.json["pql_filters"] == {"json": {}, "stripped": ""}


async def test_only_admins_in_person_manage_webhooks(site: Site, cast: Cast) -> None:
    api = serve_api(site, *WEBHOOK_ROUTES)
    bot = cast.installation["bot_user_id"]
    for user_id, caller in (
        (cast.ben["id"], {}),
        (cast.gil["id"], {}),
        (bot, {"kind": "bot"}),
        (cast.ana["id"], {"kind": "user", "scopes": frozenset({"projects:read"})}),
    ):
        async with api.acting_as(user_id, **caller) as client:
            assert (await client.get(HOOKS)).status_code == 403
            assert (await client.post(HOOKS, {"url": URL})).status_code == 403


async def test_an_app_s_endpoint_is_not_among_them(cast: Cast, ana: Client) -> None:
    assert (await ana.get(HOOKS)).json["results"] == []
    assert (await ana.get(f"{HOOKS}/{cast.installation['webhook_id']}")).status_code == 404
    assert (await ana.delete(f"{HOOKS}/{cast.installation['webhook_id']}")).status_code == 404


async def test_what_did_not_arrive_is_found_and_sent_again(site: Site, cast: Cast, ana: Client) -> None:
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    await work(site)
    async with open_receiver() as receiver:
        hook = await _lose_one(site, cast, ana, receiver)
        log = f"{HOOKS}/{hook}/deliveries"
        [lost] = (await ana.get(log, status="failed")).json["results"]
        assert (lost["state"], lost["http_status"]) == ("failed", 410)
        assert (await ana.get(log, id=lost["event_id"])).json["results"] == [lost]
        for query in (
            {"status": "zz"},
            {"id": "zz"},
            {"since": "zz"},
            {"until": "0001-01-01T00:00:00+09:00"},
        ):
            assert (await ana.get(log, **query)).status_code == 400
        off = await ana.post(f"{HOOKS}/{hook}/redeliver", {"since": "2026-01-01T00:00:00Z"})
        assert off.status_code == 400
        await ana.patch(f"{HOOKS}/{hook}", {"is_active": True})
        for body in ({"since": "2026-01-01T00:00:00Z"}, {"deliveries": [lost["id"]]}):
            assert (await ana.post(f"{HOOKS}/{hook}/redeliver", body)).json == {"redelivered": 1}
            await work(site)
        received_ids = [
            got.body["event_id"] for got in receiver.received if got.body["event"] != "webhook.ping"
        ]
        assert received_ids == [lost["event_id"]] * 3
        for body in ({}, {"since": "2026-01-01T00:00:00Z", "deliveries": []}):
            assert (await ana.post(f"{HOOKS}/{hook}/redeliver", body)).status_code == 400


async def _lose_one(site: Site, cast: Cast, ana: Client, receiver: Receiver) -> str:
    hook = (await ana.post(HOOKS, {"url": receiver.url, "version": "v2"})).json["id"]
    await work(site)
    receiver.answers = [410]
    await happen(site, workspace_id=cast.acme["id"], name="state.created")
    await work(site)
    assert [row["status"] for row in await deliveries(site) if row["endpoint_id"] == hook].count(
        "failed"
    ) == 1
    return hook


async def test_switching_off_is_kept_apart_from_failing(site: Site, ana: Client) -> None:
    hook = (await ana.post(HOOKS, {"url": URL, "is_active": False})).json
    assert (hook["is_active"], hook["disabled_reason"]) == (False, "off")
    on = (await ana.patch(f"{HOOKS}/{hook['id']}", {"is_active": True})).json
    assert (on["is_active"], on["disabled_reason"]) == (True, None)


async def test_whatever_changes_how_it_is_sent_is_pinged_when_it_is_saved(
    site: Site, cast: Cast, ana: Client
) -> None:
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    await work(site)
    async with open_receiver() as receiver:
        hook = f"{HOOKS}/{(await ana.post(HOOKS, {'url': receiver.url, 'version': 'v2'})).json['id']}"
        for changes in (
            {"is_active": False},
            {"is_active": True},
            {"version": "v1"},
            {"name": "Pager"},
            {"version": "v1"},
            {"scopes": ["state.created"]},
            {"content_type": "FORM_DATA"},
            {"url": receiver.url + "/new"},
        ):
            assert (await ana.patch(hook, changes)).status_code == 200
            await work(site)
        pings = [(got.headers["X-Plane-Event"], got.headers["Content-Type"]) for got in receiver.received]
    assert pings == [
        ("webhook.ping", "application/json"),
        ("webhook.ping", "application/json"),
        ("ping", "application/json"),
        ("ping", "application/x-www-form-urlencoded"),
        ("ping", "application/x-www-form-urlencoded"),
    ], "made, switched on, another version, another shape, another address"
