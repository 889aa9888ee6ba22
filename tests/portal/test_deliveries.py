"""The delivery log of an app, and sending something again."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from aiohttp import web

from airside.apps.registry import create_app
from airside.db.base import new_id
from airside.developer.registration import update_app
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.tables import webhook_endpoints
from tests.cast import Cast
from tests.portal.visitor import FORM, Visitor, signed_in
from tests.support.receivers import Receiver, open_receiver
from tests.webhooks.scenes import deliveries, happen, work


@pytest.fixture
async def receiver(site: Site, cast: Cast) -> AsyncIterator[Receiver]:
    """Courier's server."""
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    async with open_receiver() as opened:
        await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": opened.url})
        await work(site)
        opened.received.clear()
        yield opened


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Visitor]:
    async with signed_in(site, "ana") as visitor:
        yield visitor


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/acme/settings/applications/{cast.courier['id']}/"


async def deliver_one(site: Site, cast: Cast) -> str:
    """Something happens and is sent; the delivery's id."""
    before = {row["id"] for row in await deliveries(site)}
    await happen(site, workspace_id=cast.acme["id"], name="workitem.created")
    await work(site)
    [row] = [row for row in await deliveries(site) if row["id"] not in before]
    return row["id"]


async def test_request_and_answer_stand_side_by_side(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    assert delivery_id in (await ana.get(path)).text
    page = await ana.get(f"{path}deliveries/{delivery_id}/")
    for words in ("X-Plane-Signature", "Write tests", "thank you", "Delivered", ">200</span>", receiver.url):
        assert words in page.text


async def test_an_answer_is_shown_as_text(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    receiver.answers = [web.Response(text="</pre><script>alert(1)</script>", headers={"X-Odd": "<b>"})]
    delivery_id = await deliver_one(site, cast)
    page = await ana.get(f"{path}deliveries/{delivery_id}/")
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text
    assert "&lt;script&gt;alert" in page.text


async def test_redelivering_sends_it_again(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    here = f"{path}deliveries/{delivery_id}/"
    answer = await ana.submit(await ana.get(here), f"{here}redeliver/")
    assert (answer.status, answer.location) == (303, here)
    await work(site)
    assert len(receiver.received) == 2
    page = await ana.get(here)
    assert "Attempt 2" in page.text
    assert (await ana.get(f"{here}?attempt=1")).text.count('aria-current="true"') == 1
    for odd in ("0", "99", "-1", "x", "%00"):
        assert (await ana.get(f"{here}?attempt={odd}")).status == 200


async def test_nothing_is_redelivered_for_an_app_that_was_uninstalled(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    page = await ana.get(f"{path}deliveries/{delivery_id}/")
    gone = f"/acme/settings/integrations/{cast.installation['id']}/uninstall/"
    await ana.submit(await ana.get(gone), gone)
    assert (await ana.submit(page, f"{path}deliveries/{delivery_id}/redeliver/")).status == 400
    assert delivery_id in (await ana.get(path)).text  # the log is kept


async def test_a_delivery_that_waits_has_no_attempt_to_show(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    await happen(site, workspace_id=cast.acme["id"], name="workitem.created")
    await fan_out(site, DatabaseQueue(site))
    [row] = [row for row in await deliveries(site) if row["status"] == "pending"]
    assert "Nothing has been sent yet." in (await ana.get(f"{path}deliveries/{row['id']}/")).text


async def test_the_log_lists_all_by_the_page_and_follows_the_newest(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    for _ in range(55):
        await happen(site, workspace_id=cast.acme["id"], name="workitem.created")
    await work(site)
    page = await ana.get(f"{path}deliveries/")
    assert page.text.count("<tr>") == 51
    endpoint = cast.installation["webhook_id"]
    assert f'data-live="app:{cast.courier["id"]} deliveries:{endpoint}"' in page.text
    older = page.text.split('rel="next" href="')[1].split('"')[0]
    earlier = await ana.get(older)
    assert 'rel="prev"' in earlier.text
    assert 'data-live=""' in earlier.text, "what is old doesn't move"
    assert (await ana.get(f"{path}deliveries/?before=nonsense")).status == 200


async def test_another_apps_delivery_is_not_found(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    fields = {"name": "Tally", "redirect_uris": ["https://tally.example/"]}
    tally = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    there = f"/acme/settings/applications/{tally.app['id']}/deliveries/{delivery_id}/"
    assert (await ana.get(there)).status == 404
    token = (await ana.get("/profile/")).form("/profile/")["csrf_token"]
    assert (await ana.post(f"{there}redeliver/", {"csrf_token": token})).status == 404


async def test_the_log_is_searched_and_sent_again_by_choice_and_by_time(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    receiver.answers = [410]
    lost = await deliver_one(site, cast)
    [row] = [row for row in await deliveries(site) if row["id"] == lost]
    log = f"{path}deliveries/"
    for query, is_found in (
        ("status=failed", True),
        ("status=delivered", False),
        ("event=workitem.created", True),
        ("event=project.created", False),
        (f"id={lost}", True),
        (f"id={row['event_id']}", True),
        (f"workspace={cast.acme['id']}", True),
        (f"workspace={cast.other['id']}", False),
        ("since=2020-01-01T00:00", True),
        ("until=2020-01-01T00:00", False),
    ):
        page = await ana.get(f"{log}?{query}")
        assert (lost in page.text) is is_found, query
    for odd in ("status=zz&event=%00&id=zz&since=zz&until=%ff&workspace=zz", "before=zz", "id=%27&event=é"):
        assert (await ana.get(f"{log}?{odd}")).status == 200, odd
    page = await ana.get(log)
    assert (await ana.submit(page, f"{path}redeliver/", delivery=lost)).status == 400, "it is switched off"
    webhooks = await ana.get(f"{path}webhooks/")
    assert "It answered 410, gone, and is switched off." in webhooks.text
    on = f"{path}webhooks/{cast.installation['webhook_id']}/switch-on/"
    assert (await ana.submit(webhooks, on)).location == f"{path}webhooks/"
    await work(site)
    token = page.form(f"{path}redeliver/")["csrf_token"]
    assert (await ana.post(f"{path}redeliver/", {"csrf_token": token})).status == 400
    receiver.received.clear()
    for body in ({"delivery": lost}, {"since": "2020-01-01T00:00"}, {"since": "2020-01-01"}):
        receiver.answers = [410]
        answer = await ana.post(f"{path}redeliver/", {"csrf_token": token, **body})
        assert (answer.status, answer.location) == (303, log)
        await work(site)
        await ana.submit(await ana.get(f"{path}webhooks/"), on)
        await work(site)
    sent_ids = [got.headers["webhook-id"] for got in receiver.received]
    assert sent_ids.count(row["event_id"]) == 3


async def test_a_sample_of_any_event_can_be_sent(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    page = await ana.get(f"{path}webhooks/")
    for name in ("workitem.updated", "project.deleted"):
        answer = await ana.submit(page, f"{path}webhooks/test/", event=name)
        assert (answer.status, answer.location) == (303, f"{path}webhooks/")
    await work(site)
    assert {got.headers["X-Plane-Event"] for got in receiver.received} == {"issue", "project"}
    assert (await ana.submit(page, f"{path}webhooks/test/", event="nonsense")).status == 400
    there = await ana.submit(page, f"{path}webhooks/test/", event="state.created", workspace=cast.other["id"])
    assert there.status == 400


async def test_only_the_chosen_events_are_sent_in_the_chosen_version(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    where = f"{path}webhooks/edit/"
    form = FORM["Content-Type"]
    chosen = {"which": "some", "event_names": "state.created", "webhook_content_type": form}
    assert (await ana.submit(await ana.get(where), where, **chosen)).location == f"{path}webhooks/"
    for name in ("workitem.created", "state.created"):
        await happen(site, workspace_id=cast.acme["id"], name=name)
    await work(site)
    assert {got.headers["X-Plane-Event"] for got in receiver.received} == {"ping", "state"}
    assert all(got.headers["Content-Type"] == form for got in receiver.received)
    assert all(got.is_signed_with(cast.webhook_secret) for got in receiver.received)
    assert "state.created" in (await ana.get(f"{path}webhooks/")).text
    page = await ana.get(where)
    assert page.form(where)["event_names"] == "state.created"
    for wrong in ({"which": "some", "event_names": "nonsense"}, {"webhook_content_type": "text/html"}):
        refused = await ana.submit(page, where, **wrong)
        assert refused.status == 422, wrong
    none = {name: value for name, value in page.form(where).items() if name != "event_names"}
    assert "Choose at least one event." in (await ana.post(where, none)).text
    assert (await ana.submit(page, where, which="all")).status == 303
    await happen(site, workspace_id=cast.acme["id"], name="workitem.created")
    await work(site)
    assert len(receiver.received) == 3


async def test_a_search_for_what_is_no_id_or_no_time_is_reported_and_finds_nothing(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    for query, said in (
        ({"id": delivery_id[:8]}, "This isn&#39;t an id."),
        ({"id": "Courier"}, "This isn&#39;t an id."),
        ({"since": "yesterday"}, "This isn&#39;t a time."),
        ({"until": "2026-02-30T12:00"}, "This isn&#39;t a time."),
    ):
        page = await ana.get(f"{path}deliveries/?{urlencode(query)}")
        assert page.status == 200
        assert said in page.text
        assert delivery_id not in re.sub(r"<input[^>]*>", "", page.text)
    found = await ana.get(f"{path}deliveries/?{urlencode({'id': delivery_id.upper()})}")
    assert f"deliveries/{delivery_id}/" in found.text
    assert "This isn" not in found.text


async def test_times_are_typed_in_the_zone_in_which_times_are_shown(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    await deliver_one(site, cast)
    page = await ana.get(f"{path}deliveries/?since=2026-01-05T10:00:00%2B02:00")
    assert (
        page.form(f"{path}deliveries/")["since"] == "2026-01-05T08:00"
    )  # which scripts turn into the reader's
    inputs = re.findall(r'<input[^>]* type="datetime-local"[^>]*>', page.text)
    assert len(inputs) == 3
    assert all("data-utc" in one for one in inputs)
    assert page.text.count("<span data-zone>UTC</span>") == 3


@pytest.mark.parametrize(
    ("version", "chosen", "other"),
    [("v1", "issue · created", "issue · deleted"), ("v2", "workitem.created", "workitem.deleted")],
)
async def test_a_log_and_its_search_use_the_words_of_the_version(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str, version: str, chosen: str, other: str
) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_version": version})
    await work(site)  # a ping is sent to what has changed
    delivery_id = await deliver_one(site, cast)
    page = await ana.get(f"{path}deliveries/")
    assert f">{chosen}</a>" in page.text
    options = re.findall(
        r"<option[^>]*>([^<]+)</option>", page.text.split('name="event"')[1].split("</select>")[0]
    )
    assert chosen in options
    assert other in options
    assert len(options) == len(set(options))
    assert all((" · " in one) == (version == "v1") for one in options[1:])
    for asked, is_found in ((chosen, True), (other, False)):
        found = await ana.get(f"{path}deliveries/?{urlencode({'event': asked})}")
        assert (f"deliveries/{delivery_id}/" in found.text) is is_found


async def test_the_log_says_what_was_left_out_as_the_apps_own_change_and_how_to_have_it_sent(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    delivery_id = await deliver_one(site, cast)
    own = await happen(
        site, workspace_id=cast.acme["id"], name="label.created", actor_id=cast.installation["bot_user_id"]
    )
    await work(site)
    for page in (path, f"{path}webhooks/", f"{path}deliveries/", f"{path}deliveries/?status=left_out"):
        text = (await ana.get(page)).text
        assert text.count(own) == 1, "its id, and neither a link nor a box to send it again"
        for words in (
            "Left out</span>",
            "own change</p>",
            f'href="{path}webhooks/edit/#receives_own_events"',
        ):
            assert words in text, (page, words)
        assert (delivery_id in text) == ("left_out" not in page)
    assert 'id="receives_own_events"' in (await ana.get(f"{path}webhooks/edit/")).text
    await update_app(site, cast.courier["id"], cast.ana["id"], {"receives_own_events": True})
    assert "Left out</span>" not in (await ana.get(f"{path}deliveries/")).text


async def test_a_log_without_anything_of_its_own_says_nothing_of_it(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    await deliver_one(site, cast)
    for page in (path, f"{path}webhooks/", f"{path}deliveries/"):
        assert "Events about changes by the app" not in (await ana.get(page)).text, page


async def test_what_listen_took_is_marked(
    site: Site, cast: Cast, receiver: Receiver, ana: Visitor, path: str
) -> None:
    await deliver_one(site, cast)
    assert "airside listen</span>" not in (await ana.get(f"{path}deliveries/")).text
    async with site.db.transaction() as tx:
        for delivery in await deliveries(site):
            keys = {"workspace_id": delivery["workspace_id"], "id": delivery["endpoint_id"]}
            await tx.update(webhook_endpoints, {"listener_id": new_id()}, **keys)
    assert "airside listen</span>" in (await ana.get(f"{path}deliveries/")).text
