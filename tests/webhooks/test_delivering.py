"""From a committed change to a signed POST at a real receiver."""

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from airside.db.base import new_id
from airside.db.large_values import LARGE_TEXT, count_characters
from airside.runtime.site import Site
from airside.system.credentials import Sealer
from airside.webhooks import deliver
from airside.webhooks.deliver import (
    FORM,
    LARGE_FORM,
    UNSIGNED,
    build_request,
    list_deliveries_to_send,
    prepare_request,
)
from airside.webhooks.endpoints import end_endpoint, update_endpoints_of
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue import NewDelivery
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.signing import SECRET
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import (
    ANA,
    PLAIN_SECRET,
    WORKSPACE,
    attempts,
    changed,
    deliveries,
    happen,
    listen,
    wait_until_due,
    work,
)


async def test_a_change_arrives_signed_with_exactly_the_wire_headers(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site, "workitem.created")
    await work(site)
    [got] = receiver.received
    assert got.is_signed_with(PLAIN_SECRET)
    assert not got._replace(raw=got.raw[:-1] + b" ").is_signed_with(PLAIN_SECRET)
    assert set(got.headers) == {
        "Host", "Content-Length", "Content-Type", "User-Agent",
        "X-Plane-Delivery", "X-Plane-Event", "X-Plane-Signature",
        "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["User-Agent"] == "Autopilot"
    assert got.headers["X-Plane-Event"] == "issue"
    assert got.body["activity"]["actor"] == ANA


async def test_the_secret_is_nowhere_in_what_is_sent_or_kept(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site)
    await work(site)
    assert PLAIN_SECRET not in repr(receiver.received)
    assert PLAIN_SECRET not in repr(await attempts(site))


async def test_without_the_key_of_its_secret_nothing_is_sent_and_it_is_retried_on_the_schedule(
    site: Site, receiver: Receiver, clock: FrozenClock
) -> None:
    """After the instance's key was lost, the log says so, and pending deliveries are sent with a new secret."""
    endpoint_id = await listen(site, receiver.url)
    keys = {"workspace_id": WORKSPACE, "id": endpoint_id}
    async with site.db.transaction() as tx:
        lost = Sealer("1" * 64).seal(PLAIN_SECRET, SECRET)
        await tx.update(webhook_endpoints, {"secret_sealed": lost}, **keys)
    event_id = await happen(site)
    await work(site)
    [made] = await attempts(site)
    assert (made["outcome"], made["error"], made["request_headers"], made["request_body"]) == (
        "retry", UNSIGNED, [], "",
    )  # fmt: skip
    assert receiver.received == []
    async with site.db.transaction() as tx:
        await tx.update(webhook_endpoints, {"secret_sealed": site.sealer.seal(PLAIN_SECRET, SECRET)}, **keys)
    await work(site)
    assert receiver.received == [], "it isn't due again yet"
    await wait_until_due(site, clock)
    await work(site)
    [got] = receiver.received
    assert got.headers["webhook-id"] == event_id
    assert got.is_signed_with(PLAIN_SECRET)


async def test_v1_sends_one_payload_for_each_changed_field(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site, changes=changed("name", "priority", "state"))
    await work(site)
    assert {got.body["activity"]["field"] for got in receiver.received} == {"name", "priority", "state"}
    assert len({got.headers["X-Plane-Delivery"] for got in receiver.received}) == 3


async def test_v2_sends_one_payload_whatever_changed(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url, version="v2")
    event_id = await happen(site, changes=changed("name", "priority"), previous={"name": "old"})
    await work(site)
    [got] = receiver.received
    assert got.headers["X-Plane-Event"] == "workitem.updated"
    assert got.body["event_id"] == event_id
    assert got.body["delivery_id"] == got.headers["X-Plane-Delivery"]
    assert got.body["previous_attributes"] == {"name": "old"}


async def test_every_endpoint_of_the_workspace_receives_the_event_and_no_other(
    site: Site, receiver: Receiver
) -> None:
    await listen(site, receiver.url + "/a")
    await listen(site, receiver.url + "/b", installation_id=None)
    await listen(site, receiver.url + "/other", workspace_id=new_id())
    await happen(site)
    await work(site)
    assert {got.path for got in receiver.received} == {"/hook/a", "/hook/b"}


async def test_an_app_receives_events_of_its_own_installation_only(site: Site, receiver: Receiver) -> None:
    installation_id = new_id()
    await listen(site, receiver.url + "/its", installation_id=installation_id)
    await listen(site, receiver.url + "/another")
    await happen(site, "app.suspended", entity_id=installation_id)
    await work(site)
    assert [got.path for got in receiver.received] == ["/hook/its"]


async def test_an_attempt_is_kept_with_its_request_and_answer(site: Site, receiver: Receiver) -> None:
    endpoint_id = await listen(site, receiver.url)
    receiver.answers = [web.Response(status=201, text="made", headers={"X-Trace": "7"})]
    await happen(site)
    await work(site)
    [attempt], [delivery] = await attempts(site), await deliveries(site)
    [got] = receiver.received
    assert attempt["id"] == got.headers["X-Plane-Delivery"]
    assert attempt["endpoint_id"] == endpoint_id
    assert attempt["request_body"].encode() == got.raw
    assert ["X-Plane-Signature", got.headers["X-Plane-Signature"]] in attempt["request_headers"]
    assert (attempt["outcome"], attempt["response_status"]) == ("delivered", 201)
    assert attempt["response_body"] == "made"
    assert ["X-Trace", "7"] in attempt["response_headers"]
    assert (delivery["status"], delivery["attempts"], delivery["next_attempt_at"]) == ("delivered", 1, None)
    assert delivery["completed_at"] == site.clock.now()


async def test_the_process_s_log_has_neither_the_receivers_url_nor_a_secret(
    site: Site, receiver: Receiver
) -> None:
    """A path or query may hold the receiver's secret; only the delivery log, which its owner reads, has it."""
    await listen(site, f"{receiver.url}?key=of-the-receiver")
    await happen(site)
    with capture_logs() as logs:
        await work(site)
    assert [one["event"] for one in logs if one["event"] == "webhook_attempt"]
    assert not re.search("of-the-receiver|http://|plane_wh_|whsec_", repr(logs))


async def test_retries_come_when_due_with_the_same_event_id_and_a_new_delivery_id(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url, version="v2")
    event_id = await happen(site)
    receiver.answers = [500, 503]
    await work(site)
    clock.advance(seconds=3.9)
    await work(site)
    assert len(receiver.received) == 1, "not before 5 s less 20 %"
    clock.advance(seconds=2.2)
    await work(site)
    assert len(receiver.received) == 2
    clock.advance(seconds=73)
    await work(site)
    assert len(receiver.received) == 3
    assert {got.body["event_id"] for got in receiver.received} == {event_id}
    assert len({got.headers["X-Plane-Delivery"] for got in receiver.received}) == 3
    assert [row["outcome"] for row in await attempts(site)] == ["retry", "retry", "delivered"]
    clock.advance(days=9)
    await work(site)
    assert len(receiver.received) == 3


async def test_retry_after_is_waited_for(site: Site, clock: FrozenClock, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site)
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "300"})]
    await work(site)
    clock.advance(seconds=299)
    await work(site)
    assert len(receiver.received) == 1
    clock.advance(seconds=1)
    await work(site)
    assert len(receiver.received) == 2


async def test_a_delivery_fails_for_good_when_the_schedule_ends(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    receiver.answers = [500] * 20
    for _ in range(20):
        await work(site)
        await wait_until_due(site, clock)
    [delivery] = await deliveries(site)
    assert (delivery["status"], delivery["attempts"]) == ("failed", 11)
    assert [row["outcome"] for row in await attempts(site)] == ["retry"] * 10 + ["failed"]


async def test_410_disables_the_endpoint_and_cancels_what_waits(site: Site, receiver: Receiver) -> None:
    endpoint_id = await listen(site, receiver.url)
    await happen(site)
    receiver.answers = [410]
    await work(site)
    endpoint = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert endpoint is not None
    assert (endpoint["is_active"], endpoint["disabled_reason"]) == (False, "gone")
    await happen(site)
    await work(site)
    assert [row["status"] for row in await deliveries(site)] == ["failed"]
    assert len(receiver.received) == 1


async def test_a_redirect_is_a_failure_and_never_followed(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    for status in (301, 302, 303, 307, 308):
        await happen(site)
        receiver.answers.append(web.Response(status=status, headers={"Location": receiver.url + "/else"}))
    await work(site)
    assert {got.path for got in receiver.received} == {"/hook"}
    assert {row["outcome"] for row in await attempts(site)} == {"retry"}


async def test_uninstalling_cancels_waiting_deliveries_and_queued_retries(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, receiver.url)
    await happen(site)
    receiver.answers = [500]
    await work(site)
    await happen(site)
    async with site.db.transaction() as tx:
        await end_endpoint(tx, WORKSPACE, endpoint_id, clock.now())
    clock.advance(days=1)
    await work(site)
    assert len(receiver.received) == 1
    assert [row["status"] for row in await deliveries(site)] == ["cancelled"]


async def test_a_delivery_that_slipped_in_while_its_endpoint_ended_is_not_sent(
    site: Site, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, receiver.url)
    await happen(site)
    await work(site)
    async with site.db.transaction() as tx:
        await end_endpoint(tx, WORKSPACE, endpoint_id, site.clock.now())
        changes = {"status": "pending", "next_attempt_at": site.clock.now(), "completed_at": None}
        [delivery] = await deliveries(site)
        await tx.update(webhook_deliveries, changes, workspace_id=WORKSPACE, id=delivery["id"])
    await work(site)
    assert len(receiver.received) == 1
    assert [row["status"] for row in await deliveries(site)] == ["cancelled"]


async def test_an_app_that_loses_its_url_is_silent_until_it_has_one_again(
    site: Site, receiver: Receiver
) -> None:
    installation_id = new_id()
    await listen(site, receiver.url, installation_id=installation_id)
    sealed = site.sealer.seal("plane_wh_new", "webhook_secret")

    async def register(url: str | None, version: str = "v1") -> None:
        async with site.db.transaction() as tx:
            assert (
                await update_endpoints_of(
                    tx, installation_id, url=url, version=version, secret_sealed=sealed, now=site.clock.now()
                )
                == 1
            )

    await register(None)
    await happen(site)
    await work(site)
    assert receiver.received == []
    await register(receiver.url + "/new", "v2")
    await happen(site)
    await work(site)
    [got] = receiver.received
    assert got.path == "/hook/new"
    assert got.headers["X-Plane-Event"] == "workitem.updated"
    assert got.is_signed_with("plane_wh_new")


async def test_a_version_changed_meanwhile_leaves_what_was_fanned_out_as_it_was(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    installation_id = new_id()
    await listen(site, receiver.url, installation_id=installation_id)
    receiver.answers = [500, 500]
    await happen(site, changes=changed("name", "priority"))
    await work(site)
    async with site.db.transaction() as tx:
        sealed = site.sealer.seal(PLAIN_SECRET, "webhook_secret")
        await update_endpoints_of(
            tx, installation_id, url=receiver.url, version="v2", secret_sealed=sealed, now=clock.now()
        )
    clock.advance(seconds=10)
    await work(site)
    assert [got.headers["X-Plane-Event"] for got in receiver.received] == ["issue"] * 4


async def test_fanning_out_twice_makes_no_second_delivery(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    await happen(site)
    await work(site)
    queue = DatabaseQueue(site)
    [row] = await deliveries(site)
    again = NewDelivery(WORKSPACE, row["endpoint_id"], row["event_id"], "issue", "v1", 0)
    async with site.db.transaction() as tx:
        await queue.enqueue(tx, [again], site.clock.now())
    await work(site)
    assert len(receiver.received) == 1


async def test_a_payload_above_a_megabyte_is_sent_thin(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    entity_id = new_id()
    await happen(site, entity_id=entity_id, data={"id": entity_id, "description_html": "x" * 1_100_000})
    await work(site)
    assert receiver.received[0].body["data"] == {"id": entity_id}


@pytest.mark.parametrize(
    ("content_type", "bound"), [(FORM, LARGE_FORM), ("application/json", LARGE_TEXT)], ids=["form", "json"]
)
async def test_a_large_payload_is_rendered_beside_the_event_loop(
    site: Site, monkeypatch: pytest.MonkeyPatch, content_type: str, bound: int
) -> None:
    in_thread: list[object] = []
    run = asyncio.to_thread

    async def spy(work: Any, *arguments: Any) -> Any:
        in_thread.append(work)
        return await run(work, *arguments)

    await listen(site, "http://127.0.0.1:1/")
    await happen(site)
    await fan_out(site, queue := DatabaseQueue(site))
    [delivery] = (await list_deliveries_to_send(site.db, await queue.claim(1))).values()
    monkeypatch.setattr(deliver.asyncio, "to_thread", spy)
    bare = delivery | {"content_type": content_type, "data_v2": {}, "previous": {}, "changes": []}
    room = bound - count_characters([{"x": ""}])
    for length, is_large in ((room, False), (room + 1, True)):
        in_thread.clear()
        sized = bare | {"data": {"x": "a" * length}}
        request = await prepare_request(sized, [PLAIN_SECRET], site.clock.now())
        assert ("a" * length).encode() in request.body
        assert in_thread == ([build_request] if is_large else [])
