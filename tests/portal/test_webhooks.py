"""The workspace's own webhooks, as its admins manage them."""

from collections.abc import AsyncIterator

import pytest

from airside.audit.tables import audit_log
from airside.db.base import Row
from airside.portal.webhooks.builder import build_condition, split_filter
from airside.runtime.site import Site
from airside.webhooks.signing import spell_whsec
from airside.workspaces.webhooks import list_webhooks
from tests.cast import PASSWORD, Cast
from tests.portal.visitor import Shown, Visitor, signed_in
from tests.support.receivers import Receiver, open_receiver
from tests.webhooks.scenes import deliveries, happen, work

PATH = "/acme/settings/webhooks/"


@pytest.fixture
async def receiver(site: Site, cast: Cast) -> AsyncIterator[Receiver]:
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    await work(site)  # the cast's events are delivered before any endpoint exists
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Visitor]:
    async with signed_in(site, "ana") as visitor:
        yield visitor


async def save(ana: Visitor, receiver: Receiver, **filled: str) -> Shown:
    page = await ana.get(f"{PATH}new/")
    filled = {"title": "Pager", "url": receiver.url, "which": "all"} | filled
    return await ana.submit(page, f"{PATH}new/", **filled)


async def only_webhook(site: Site, cast: Cast) -> Row:
    [webhook] = await list_webhooks(site.db, cast.acme["id"])
    return webhook


async def test_a_saved_webhook_shows_its_secret_and_is_pinged(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    page = await save(ana, receiver)
    secret = page.text.split('id="webhook_secret" value="')[1].split('"')[0]
    assert secret.startswith("plane_wh_")
    assert spell_whsec(secret) in page.text
    await work(site)
    ping = receiver.received[-1]
    assert ping.headers["X-Plane-Event"] == "webhook.ping"
    assert ping.is_signed_with(secret)
    webhook = await only_webhook(site, cast)
    detail = await ana.get(f"{PATH}{webhook['id']}/")
    assert secret not in detail.text
    assert secret[-4:] in detail.text
    assert "webhook.ping" in detail.text
    assert "Pager" in (await ana.get(PATH)).text


async def test_rows_of_the_builder_and_text_become_one_filter(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    await save(
        ana, receiver, filter_pql="priority = high or priority = urgent",
        field_0="state_group", operator_0="in", value_0="started, completed",
        field_1="type_id", operator_1="is null",
    )  # fmt: skip
    webhook = await only_webhook(site, cast)
    assert webhook["filter_pql"] == (
        '(priority = high or priority = urgent) and state_group in ("started", "completed") and type_id is null'
    )
    edit = await ana.get(f"{PATH}{webhook['id']}/edit/")
    assert "state_group in (&#34;started&#34;" in edit.text


async def test_a_saved_filter_stands_in_the_builder_and_either_may_be_changed(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    text = "priority in (urgent, high) and start_date is not null"
    await save(ana, receiver, filter_pql=text)
    path = f"{PATH}{(await only_webhook(site, cast))['id']}/edit/"

    async def change(**filled: str) -> tuple[Shown, str]:
        page = await ana.get(path)
        answer = await ana.submit(page, path, **filled)
        return answer, (await only_webhook(site, cast))["filter_pql"]

    page = await ana.get(path)
    assert '<option value="priority" selected>' in page.text
    assert 'value="urgent, high"' in page.text
    assert (await change(title="Pager"))[1] == text, "nothing of the filter was changed"
    assert (await change(value_0="urgent"))[1] == 'priority in ("urgent") and start_date is not null'
    assert (await change(filter_pql="priority = low"))[1] == "priority = low"
    refused, kept = await change(filter_pql="priority = high", value_0="none")
    assert (refused.status, kept) == (422, "priority = low")
    assert "not both" in refused.text
    assert 'value="none"' in refused.text, "what was typed is still there"
    assert (await change(field_0=""))[1] == ""


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("priority = high", [("priority", "=", "high")]),
        (
            "stateGroup not in (started, completed) and dueDate >= 2026-01-31 and type_id is null",
            [
                ("state_group", "not in", "started, completed"),
                ("target_date", ">=", "2026-01-31"),
                ("type_id", "is null", ""),
            ],
        ),
        ("priority = high or priority = low", []),
        ("not priority = high", []),
        ("target_date < today()", []),
        ("target_date between 2026-01-01 and 2026-02-01", []),
        (" and ".join(["priority = high"] * 5), []),
        ("priority =", []),
    ],
)
def test_rows_say_what_the_text_says_or_nothing(text: str, rows: list[tuple[str, str, str]]) -> None:
    assert split_filter(text) == rows


def test_a_value_of_the_builder_stays_a_value() -> None:
    assert build_condition("priority", "=", 'x" or priority = "y') == 'priority = "x\\" or priority = \\"y"'
    assert build_condition("priority = high or type_id", "=", "x") == ""
    assert build_condition("priority", "= high or", "x") == ""


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"url": "http://169.254.169.254/"}, "be sent to this address"),
        ({"url": ""}, "Enter a URL."),
        ({"filter_pql": "title ~ x"}, "title can"),
        ({"field_0": "priority", "operator_0": "=", "value_0": "huge"}, "is not a priority"),
        ({"which": "some"}, "Choose at least one event."),
        ({"version": "v3"}, "The version is v1 or v2."),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, filled: dict[str, str], sentence: str
) -> None:
    page = await save(ana, receiver, **filled)
    assert page.status == 422
    assert sentence in page.text
    assert await list_webhooks(site.db, cast.acme["id"]) == []


async def test_the_secret_is_shown_again_and_replaced_with_the_password_only(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    made = await save(ana, receiver)
    first = made.text.split('id="webhook_secret" value="')[1].split('"')[0]
    here = f"{PATH}{(await only_webhook(site, cast))['id']}/"
    for path in (f"{here}secret/", f"{here}replace-secret/"):
        refused = await ana.submit(await ana.get(path), path, password="a wrong one")
        assert refused.status == 422
        assert first not in refused.text
    shown = await ana.submit(await ana.get(f"{here}secret/"), f"{here}secret/", password=PASSWORD)
    assert first in shown.text
    replaced = await ana.submit(
        await ana.get(f"{here}replace-secret/"), f"{here}replace-secret/", password=PASSWORD
    )
    second = replaced.text.split('id="webhook_secret" value="')[1].split('"')[0]
    assert second != first
    await happen(site, workspace_id=cast.acme["id"], name="state.created")
    await work(site)
    got = receiver.received[-1]
    assert got.is_signed_with(first)
    assert len(got.headers["webhook-signature"].split()) == 2
    switched = await ana.submit(await ana.get(here), f"{here}switch-secret/")
    assert switched.location == here
    assert "switch-secret" not in (await ana.get(here)).text
    await happen(site, workspace_id=cast.acme["id"], name="state.created")
    await work(site)
    got = receiver.received[-1]
    assert got.is_signed_with(second)
    assert len(got.headers["webhook-signature"].split()) == 1
    acts = {row["action"] for row in await site.db.find_all(audit_log)}
    assert {
        "webhook.created",
        "webhook_secret.revealed",
        "webhook_secret.replaced",
        "webhook_secret.switched",
    } <= acts


async def test_the_log_is_searched_and_sent_again_by_choice_and_by_time(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    await save(ana, receiver)
    webhook = await only_webhook(site, cast)
    here = f"{PATH}{webhook['id']}/"
    await work(site)
    receiver.answers = [410]
    lost = await happen(site, workspace_id=cast.acme["id"], name="state.created")
    await work(site)
    own = [row for row in await deliveries(site) if row["endpoint_id"] == webhook["id"]]
    ping, failed = sorted(own, key=lambda row: row["event_name"], reverse=True)
    for query, found in (
        ("status=failed", failed),
        ("event=webhook.ping", ping),
        (f"id={lost}", failed),
        (f"id={ping['id']}", ping),
    ):
        page = await ana.get(f"{here}deliveries/?{query}")
        assert [row["id"] in page.text for row in (ping, failed)] == [found is ping, found is failed], query
    for odd in ("status=zz&event=%00&id=zz&since=zz&until=%ff", "before=zz", "since=0001-01-01", "id=%27"):
        assert (await ana.get(f"{here}deliveries/?{odd}")).status == 200
    page = await ana.get(f"{here}deliveries/{failed['id']}/")
    assert "X-Plane-Signature" in page.text
    log = await ana.get(f"{here}deliveries/")
    refused = await ana.post(f"{here}redeliver/", {**log.form(f"{here}redeliver/"), "since": "2026-01-01"})
    assert refused.status == 400, "it is switched off"
    edit = await ana.get(f"{here}edit/")
    await ana.submit(edit, f"{here}edit/", is_active="on", which="all")
    await work(site)
    receiver.received.clear()  # of the ping
    token = log.form(f"{here}redeliver/")["csrf_token"]
    for body in (
        [("csrf_token", token), ("since", "2026-01-01")],
        [("csrf_token", token), ("delivery", ping["id"]), ("delivery", failed["id"])],
    ):
        assert (await ana.post(f"{here}redeliver/", body)).status == 303
        await work(site)
    ids = [got.headers["webhook-id"] for got in receiver.received]
    assert sorted(ids) == sorted([lost, lost, ping["event_id"]])


async def test_a_sample_of_any_event_can_be_sent(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    await save(ana, receiver, which="some", event_names="state.created")
    here = f"{PATH}{(await only_webhook(site, cast))['id']}/"
    page = await ana.get(here)
    for name in ("workitem.updated", "project.deleted", "app.suspended"):
        assert (await ana.submit(page, f"{here}test/", event=name)).location == here
    await work(site)
    event_names = [got.headers["X-Plane-Event"] for got in receiver.received]
    assert set(event_names) == {"webhook.ping", "workitem.updated", "project.deleted", "app.suspended"}
    assert (await ana.submit(page, f"{here}test/", event="nonsense")).status == 400


async def test_a_deleted_webhook_receives_nothing(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor
) -> None:
    await save(ana, receiver)
    here = f"{PATH}{(await only_webhook(site, cast))['id']}/"
    await ana.submit(await ana.get(f"{here}delete/"), f"{here}delete/")
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    assert receiver.received == []
    assert (await ana.get(here)).status == 404


async def test_an_app_s_endpoint_is_not_the_workspaces(site: Site, cast: Cast, ana: Visitor) -> None:
    assert (await ana.get(f"{PATH}{cast.installation['webhook_id']}/")).status == 404
