"""The webhooks an agent receives about its runs: Plane's two, sent to it alone, and those that plane-adk needs."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from airside.db.base import new_id
from airside.developer.listeners import open_listener
from airside.installations.suspend import suspend_app
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.forward import hand_over, take_answer
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.send import ReceiverResponse
from tests.agents.scene import Scene, mention_of, set_scene
from tests.support import reachable
from tests.support.receivers import Received, Receiver, open_receiver
from tests.webhooks.scenes import work

site, receiver = reachable.site, reachable.receiver


@pytest.fixture(params=["v1", "v2"])
async def scene(site: Site, receiver: Receiver, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with set_scene(site, webhook_url=receiver.url, webhook_version=request.param) as made:
        await work(site)
        receiver.received.clear()
        yield made


def of_runs(received: list[Received]) -> list[Received]:
    """The deliveries about runs, by their event."""
    found = [one for one in received if one.headers["X-Plane-Event"].startswith("agent_run")]
    return sorted(found, key=lambda one: one.headers["X-Plane-Event"])


async def test_the_bodies_are_plane_s(scene: Scene, site: Site, receiver: Receiver) -> None:
    comment = await scene.mention("what's it like?")
    (run,) = await scene.runs()
    (prompt,) = await scene.activities(run)
    await work(site)
    created, prompted = of_runs(receiver.received)
    assert all(one.is_signed_with(scene.cast.webhook_secret) for one in (created, prompted))
    brief = {
        "id": run["id"],
        "agent_user": scene.bot_id,
        "issue": scene.item,
        "project": scene.project,
        "workspace": scene.cast.acme["id"],
        "status": "created",
    }
    place = {
        "agent_user_id": scene.bot_id,
        "app_client_id": scene.cast.client_id,
        "issue_id": scene.item,
        "project_id": scene.project,
        "workspace_id": scene.cast.acme["id"],
        "comment_id": comment["id"],
    }
    assert created.headers["X-Plane-Event"] == "agent_run_create"
    assert (
        created.body
        == {
            "action": "created",
            "agent_run": brief | {"type": "comment_thread", "started_at": run["started_at"]},
            "type": "agent_run",
        }
        | place
    )
    assert prompted.headers["X-Plane-Event"] == "agent_run_user_prompt"
    assert (
        prompted.body
        == {
            "action": "prompted",
            "agent_run_activity": {
                "id": prompt["id"],
                "agent_run": run["id"],
                "type": "prompt",
                "content": {"type": "prompt", "body": "what's it like?"},
                "ephemeral": False,
                "signal": "continue",
                "actor": scene.cast.ana["id"],
                "workspace": scene.cast.acme["id"],
            },
            "agent_run": brief | {"status": "in_progress"},
            "type": "agent_run_activity",
        }
        | place
    )


async def test_a_follow_up_and_a_stop_are_prompts(scene: Scene, site: Site, receiver: Receiver) -> None:
    comment = await scene.mention()
    (run,) = await scene.runs()
    await scene.say(scene.courier, run, "elicitation", "Where?")
    await work(site)
    receiver.received.clear()
    reply = await scene.comment(scene.ben, "<p>Tokyo</p>", parent=comment["id"])
    await work(site)
    (followed,) = of_runs(receiver.received)
    assert followed.body["agent_run"]["status"] == "in_progress"
    assert followed.body["agent_run_activity"]["content"]["body"] == "Tokyo"
    assert followed.body["comment_id"] == reply["id"]
    receiver.received.clear()
    await scene.ana.post(f"workspaces/acme/runs/{run['id']}/stop")
    await work(site)
    (stopped,) = of_runs(receiver.received)
    assert stopped.body["agent_run_activity"]["signal"] == "stop"
    assert stopped.body["agent_run"]["status"] == "stopping"


async def test_nobody_else_receives_them(scene: Scene, site: Site, receiver: Receiver) -> None:
    """Neither another agent nor a webhook of the workspace, and of what an agent does itself nobody."""
    async with open_receiver() as other, open_receiver() as workspace:
        await scene.another_agent("Scout", webhook_url=other.url)
        made = await scene.ana.post("workspaces/acme/webhooks", {"url": workspace.url, "name": "All"})
        assert made.status_code == 201, made.text
        run = await scene.open()
        await scene.say(scene.courier, run, "thought")
        await work(site)
        assert len(of_runs(receiver.received)) == 2
        assert of_runs(other.received) == of_runs(workspace.received) == []
        assert other.received, "but of the comment it is"


async def test_a_suspended_agent_does_not_receive_earlier_prompts(
    scene: Scene, site: Site, receiver: Receiver
) -> None:
    run = await scene.open()
    await fan_out(site, DatabaseQueue(site))
    cast = scene.cast
    await suspend_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await scene.ana.post(f"workspaces/acme/runs/{run['id']}/stop")
    await work(site)
    assert of_runs(receiver.received) == []


async def test_an_app_without_the_scope_does_not_receive_the_event(site: Site, receiver: Receiver) -> None:
    scopes = ["projects.work_items:read", "projects.work_items.comments:read"]
    async with set_scene(site, webhook_url=receiver.url, scopes=scopes) as scene:
        await scene.open()
        await work(site)
        assert of_runs(receiver.received) == []
        assert receiver.received


def is_assigned(body: Any, bot_id: str) -> bool:
    """As plane-adk 0.1.1 decides it."""
    activity = body["activity"]
    return (
        body["event"] == "issue" and activity["field"] == "assignees" and activity["new_identifier"] == bot_id
    )


def is_mentioned(body: Any, bot_id: str) -> bool:
    """As plane-adk 0.1.1 decides it."""
    activity, word = body["activity"], f'"{bot_id}"'
    if body["event"] != "issue_comment" or activity["field"] != "description":
        return False
    return word in activity["new_value"] and (
        activity["old_value"] is None or word not in activity["old_value"]
    )


async def test_a_laptop_receives_mentions_and_assignments_of_the_bot(site: Site) -> None:
    """An agent's first day: no webhook URL yet, and `airside listen`."""
    async with set_scene(site, webhook_url=None, webhook_version="v1") as scene:
        cast = scene.cast
        opened = await open_listener(
            site, cast.courier, cast.ana["id"], name="laptop", forward_to="http://127.0.0.1:9000/",
            event_names=None, session=new_id(),
        )  # fmt: skip
        await scene.mention()
        await scene.ana.post(scene.items, {"name": "Forecast", "assignees": [scene.bot_id]})
        await work(site)
        bodies: list[Any] = []
        while handed := await hand_over(site, opened.listener):
            for one in handed:
                bodies.append(msgspec.json.decode(base64.b64decode(one.body)))
                await take_answer(site, opened.listener, one.attempt_id, ReceiverResponse(status=200))
        agent_bodies = [body for body in bodies if "activity" in body]
        assert sum(is_mentioned(body, scene.bot_id) for body in agent_bodies) == 1
        assert sum(is_assigned(body, scene.bot_id) for body in agent_bodies) == 1
        assert [body["type"] for body in bodies if "type" in body].count("agent_run") == 2


async def test_an_agent_that_chose_other_events_gets_no_notice(site: Site, receiver: Receiver) -> None:
    chosen = ["workitem.comment.created"]
    async with set_scene(site, webhook_url=receiver.url, webhook_event_names=chosen) as scene:
        await scene.ana.post(scene.items, {"name": "Forecast", "assignees": [scene.bot_id]})
        await work(site)
        names = {one.headers["X-Plane-Event"] for one in receiver.received}
        assert names == {"app_installation", "agent_run_create", "agent_run_user_prompt"}


async def test_plane_adk_sees_once_that_its_bot_is_mentioned_or_assigned(
    site: Site, receiver: Receiver
) -> None:
    async with set_scene(site, webhook_url=receiver.url, webhook_version="v1") as scene:
        comment = await scene.comment(scene.ana, "<p>hello</p>")
        await scene.ana.patch(
            f"{scene.items}/{scene.item}/comments/{comment['id']}", {"comment_html": mention_of(scene.bot_id)}
        )
        await scene.mention()
        await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": [scene.bot_id]})
        await scene.ana.post(
            scene.items, {"name": "Forecast", "assignees": [scene.cast.ana["id"], scene.bot_id]}
        )
        await work(site)
        bodies = [one.body for one in receiver.received if "activity" in one.body]
        assert sum(is_mentioned(body, scene.bot_id) for body in bodies) == 2
        assert sum(is_assigned(body, scene.bot_id) for body in bodies) == 2
