"""Webhooks of the stand-in: as they were recorded, and the faults with which they were seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from airside.gateway.contract.comparison import compare
from airside.gateway.contract.exchanges import load_rows
from tests.support.receivers import Receiver, open_receiver
from tests.support.servers import free_port
from tests.support.upstream.people import Person, people_of
from tests.support.upstream.sender import signature
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings
from tests.upstream.recorded_sessions import core_replay

EVENTS = dict.fromkeys(("issue", "issue_comment", "project", "cycle", "module"), True)


@asynccontextmanager
async def hooked(
    url: str | None = None, **settings: Any
) -> AsyncIterator[tuple[Upstream, Person, Receiver, Any]]:
    """A workspace with a project and a webhook to a receiver, or to this URL."""
    chosen = Settings(api_key_limit=None, anonymous_limit=None, seeds_project=False, **settings)
    async with open_upstream(chosen) as upstream, open_receiver() as receiver, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
        ana.project = await ana.post(
            "/api/workspaces/acme/projects/", {"name": "Mobile", "identifier": "MOB"}
        )
        hook = await ana.post("/api/workspaces/acme/webhooks/", {"url": url or receiver.url, **EVENTS})
        yield upstream, ana, receiver, hook


def items(ana: Person) -> str:
    return f"/api/v1/workspaces/acme/projects/{ana.project['id']}/work-items/"


async def test_whole_webhooks_are_as_recorded() -> None:
    settings = Settings(anonymous_limit=None, shuffle_keys=False)
    async with (
        open_upstream(settings) as upstream,
        open_receiver() as receiver,
        people_of(upstream) as people,
    ):
        replay = core_replay(upstream)
        admin = people.with_key(replay.keys["admin"])
        workspace = upstream.site.store.workspaces.all()[0]["id"]
        values = {"url": receiver.url, "secret_key": "s", "is_active": True, "workspace": workspace}
        hook = upstream.site.store.webhooks.insert(**values, **EVENTS)
        member = upstream.site.store.users.first(display_name="member") or {}
        replay.names.agree("c4120d89-e90d-4a92-b166-c8baeb06147d", member["id"])
        replay.names.agree("1df6e415-b5c6-45b4-8411-29ab52f4ef52", hook["id"])
        await compare_webhooks(upstream, admin, receiver, replay)


async def compare_webhooks(upstream: Upstream, admin: Person, receiver: Receiver, replay: Any) -> None:
    """Each recorded request is sent once, however many webhooks it had."""
    done: list[Any] = []
    for row in load_rows("webhooks"):
        request = row["request"]
        if not done or done[-1] != request:
            done.append(request)
            receiver.received.clear()
            body = replay.translated(request["body"])
            path = replay.names.translate(request["path"])
            made = await admin.send(request["method"], path, body, expect=row["response_status"])
            await upstream.site.worker.settle()
            learn(replay, row, made)
        found = [one for one in receiver.received if is_the_same(row, one.body)]
        assert bool(found) == ("body" in row), row["trigger"]
        if found:
            assert compare(row["body"], found[0].body, replay.names) == [], row["trigger"]
            assert list(found[0].body) == list(row["body"])
            assert list(found[0].body["data"]) == list(row["body"]["data"])
            assert set(row["headers"]) - {"Connection"} <= set(found[0].headers)
            assert found[0].is_signed_with("s")


def learn(replay: Any, row: Any, made: Any) -> None:
    """Which id was made: the webhooks say it, or the next request does."""
    if row["request"]["method"] == "POST" and isinstance(made, dict) and "body" not in row:
        wanted = NAMED_LATER.get(row["trigger"])
        if wanted:
            replay.names.agree(wanted, made["id"])
    if "body" in row and isinstance(made, dict):
        replay.names.agree(row["body"]["data"]["id"], made["id"])


# What is made without a webhook, and used by a later request.
NAMED_LATER = {
    "label.create": "271b627f-e821-49be-9bfc-7be868b03238",
    "state.create": "66f6d4e6-7b32-4869-9a44-779c2a5ea593",
    "link.create": "a1cc92b4-86f0-45f8-8cfc-f7888a794cb8",
}


def is_the_same(row: Any, body: Any) -> bool:
    return "body" in row and row["body"]["activity"]["field"] == body["activity"]["field"]


async def test_data_is_what_it_is_when_sent_but_the_activity_is_what_happened() -> None:
    async with hooked() as (upstream, ana, receiver, _):
        item = await ana.post(items(ana), {"name": "one"})
        await upstream.site.worker.settle()
        await upstream.site.worker.stop()
        for name in ("two", "three"):
            await ana.patch(f"{items(ana)}{item['id']}/", {"name": name})
        upstream.site.worker.start()
        _, *renames = await receiver.wait_for(3)
        assert [one.body["data"]["name"] for one in renames] == ["three", "three"]
        assert [one.body["activity"]["new_value"] for one in renames] == ["two", "three"]


async def test_data_may_be_what_it_was_if_a_test_wants_it() -> None:
    async with hooked(read_data_late=False) as (upstream, ana, receiver, _):
        item = await ana.post(items(ana), {"name": "one"})
        await upstream.site.worker.settle()
        await upstream.site.worker.stop()
        await ana.patch(f"{items(ana)}{item['id']}/", {"name": "two"})
        await ana.patch(f"{items(ana)}{item['id']}/", {"name": "three"})
        upstream.site.worker.start()
        received = await receiver.wait_for(3)
        assert [one.body["data"]["name"] for one in received] == ["one", "two", "three"]


async def test_keys_of_one_change_arrive_in_any_order() -> None:
    async with hooked() as (_, ana, receiver, _):
        item = await ana.post(items(ana), {"name": "one"})
        keys = ("name", "priority", "target_date")
        for day in range(1, 9):
            values = {
                "name": f"n{day}",
                "priority": ("high", "low")[day % 2],
                "target_date": f"2030-01-0{day}",
            }
            await ana.patch(f"{items(ana)}{item['id']}/", values)
        _, *sent = await receiver.wait_for(25)
        orders = {
            tuple(one.body["activity"]["field"] for one in sent[start : start + 3])
            for start in range(0, 24, 3)
        }
        assert all(sorted(order) == sorted(keys) for order in orders)
        assert len(orders) > 1


async def test_a_status_is_no_failure_whatever_it_is() -> None:
    async with hooked() as (upstream, ana, receiver, hook):
        receiver.answers = [500, 410, 302]
        for name in ("a", "b", "c"):
            await ana.post(items(ana), {"name": name})
        await receiver.wait_for(3)
        await upstream.site.worker.settle(retries=True)
        assert len(receiver.received) == 3
        assert (await ana.get(f"/api/workspaces/acme/webhooks/{hook['id']}/"))["is_active"] is True
        logs = await ana.get(f"/api/workspaces/acme/webhook-logs/{hook['id']}/")
        assert [log["response_status"] for log in logs] == ["302", "410", "500"]


async def test_a_hook_is_disabled_when_five_retries_failed_and_enabled_over_http() -> None:
    async with hooked(f"http://127.0.0.1:{free_port()}/dead") as (upstream, ana, _, hook):
        path = f"/api/workspaces/acme/webhooks/{hook['id']}/"
        await ana.post(items(ana), {"name": "a"})
        await upstream.site.worker.settle(retries=True)
        assert (await ana.get(path))["is_active"] is False
        logs = await ana.get(f"/api/workspaces/acme/webhook-logs/{hook['id']}/")
        assert [log["retry_count"] for log in logs] == [5, 4, 3, 2, 1, 0]
        await ana.post(items(ana), {"name": "nobody is sent this"})
        await upstream.site.worker.settle(retries=True)
        assert len(await ana.get(f"/api/workspaces/acme/webhook-logs/{hook['id']}/")) == 6
        assert (await ana.patch(path, {"is_active": True}))["is_active"] is True


async def test_retries_still_arrive_at_a_disabled_hook_with_a_new_id_and_the_same_signature() -> None:
    port = free_port()
    async with hooked(f"http://127.0.0.1:{port}/hook", seconds=0.001) as (upstream, ana, _, hook):
        await ana.post(items(ana), {"name": "a"})
        await upstream.site.worker.settle()
        first = upstream.site.store.webhook_logs.all()[0]
        upstream.site.store.webhooks.update(upstream.site.store.webhooks.rows[hook["id"]], is_active=False)
        async with open_receiver(port=port) as receiver:
            (again,) = await receiver.wait_for(1)
        sent = {name: again.headers[name] for name in ("X-Plane-Delivery", "X-Plane-Signature")}
        assert sent["X-Plane-Signature"] == signature(hook["secret_key"], again.raw)
        assert sent["X-Plane-Signature"] in first["request_headers"]
        assert sent["X-Plane-Delivery"] not in first["request_headers"]


async def test_a_hanging_receiver_stalls_the_one_queue_for_everybody() -> None:
    async with hooked(seconds=0.01) as (_, ana, receiver, _), open_receiver() as other:
        await ana.post("/api/workspaces/acme/webhooks/", {"url": other.url, **EVENTS})
        receiver.pause = 30
        await ana.post(items(ana), {"name": "a"})
        await receiver.wait_for(1)
        await asyncio.sleep(0.1)
        assert other.received == []
        await other.wait_for(1)


async def test_what_waits_is_lost_when_the_worker_is_killed() -> None:
    async with hooked() as (upstream, ana, receiver, _):
        await upstream.site.worker.stop()
        item = await ana.post(items(ana), {"name": "a"})
        assert await upstream.site.worker.kill() == 2
        upstream.site.worker.start()
        await ana.post(items(ana), {"name": "b"})
        (only,) = await receiver.wait_for(1)
        assert only.body["data"]["name"] == "b"
        assert (await ana.get(f"{items(ana)}{item['id']}/activities/"))["total_count"] == 0


async def test_rows_of_the_feed_are_dated_before_they_appear() -> None:
    async with hooked(seconds=1) as (upstream, ana, _, _):
        item = await ana.post(items(ana), {"name": "a"})
        answered = upstream.site.clock.now()
        assert upstream.site.store.issue_activities.all() == []
        await upstream.site.worker.settle()
        (row,) = upstream.site.store.issue_activities.all(issue=item["id"])
        assert row["created_at"] < answered < row["updated_at"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("labels/", {"name": "l"}, id="label"),
        pytest.param("states/", {"name": "s", "color": "#fff"}, id="state"),
        pytest.param("work-items/{item}/links/", {"url": "https://e.test/"}, id="link"),
        pytest.param("archive/", None, id="archive"),
    ],
)
async def test_most_changes_send_nothing(path: str, body: Any) -> None:
    async with hooked() as (upstream, ana, receiver, _):
        item = await ana.post(items(ana), {"name": "a"})
        await receiver.wait_for(1)
        base = f"/api/v1/workspaces/acme/projects/{ana.project['id']}/"
        await ana.post(base + path.format(item=item["id"]), body)
        await ana.send("DELETE", f"{items(ana)}{item['id']}/")
        await upstream.site.worker.settle()
        assert len(receiver.received) == 1
