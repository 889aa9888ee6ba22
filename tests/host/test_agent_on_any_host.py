"""An agent from the mention to its answer on every host; in memory without the tables of `work/`."""

from collections.abc import AsyncIterator

import pytest

from airside.agents import creation
from airside.db.base import Row
from tests.agents.scene import mention_of
from tests.host.stages import Stage
from tests.support.api import Client, list_events

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
async def courier(stage: Stage) -> AsyncIterator[Client]:
    installation = stage.cast.installation
    fields = {
        "kind": "bot",
        "workspace_id": installation["workspace_id"],
        "app_id": installation["app_id"],
        "installation_id": installation["id"],
    }
    async with stage.api.acting_as(installation["bot_user_id"], **fields) as client:
        yield client


async def list_runs(client: Client) -> list[Row]:
    answer = await client.get("workspaces/acme/runs")
    assert answer.status_code == 200, answer.text
    return answer.json["results"]


async def report(client: Client, run: Row, kind: str, body: str) -> None:
    path = f"workspaces/acme/runs/{run['id']}/activities"
    answer = await client.post(path, {"type": kind, "content": {"type": kind, "body": body}})
    assert answer.status_code == 201, answer.text


async def test_a_mention_is_answered_in_its_thread(stage: Stage, courier: Client) -> None:
    bot_id, ana = stage.cast.installation["bot_user_id"], stage.cast.ana
    asked = await stage.comment(ana, f"<p>{mention_of(bot_id)} rain?</p>")
    (run,) = await list_runs(courier)
    assert (run["issue"], run["project"], run["comment"]) == (stage.item, stage.project, asked)
    await report(courier, run, "thought", "Looking out of the window.")
    await report(courier, run, "response", "**No** rain.")
    await stage.settle()
    assert await stage.thread() == [(ana["id"], "rain?"), (bot_id, "No rain.")]
    (run,) = await list_runs(courier)
    assert (run["status"], run["comment"]) == ("completed", asked)
    answered = await courier.get(f"workspaces/acme/runs/{run['id']}/activities")
    kinds = [row["type"] for row in answered.json["results"]]
    assert kinds == ["prompt", "thought", "response"], "its own comment is no second response"
    call = await stage.call(ana)
    written = await stage.host.find_comment(call, answered.json["results"][-1]["comment"])
    assert written is not None
    assert (written.text, written.parent_id) == ("No rain.", asked)


async def test_a_reply_prompts_the_run_again(stage: Stage, courier: Client) -> None:
    ben, bot_id = stage.cast.ben, stage.cast.installation["bot_user_id"]
    asked = await stage.comment(ben, f"<p>{mention_of(bot_id)} rain?</p>")
    (run,) = await list_runs(courier)
    await report(courier, run, "elicitation", "Where?")
    await stage.settle()
    await stage.comment(ben, "<p>Tokyo</p>", asked)
    (run,) = await list_runs(courier)
    assert run["status"] == "in_progress"
    names = [row["name"] for row in await list_events(stage.site, "agent_run_user_prompt")]
    assert len(names) == 2, "the mention, and the reply"


async def test_an_answer_to_an_assignment_begins_a_thread(stage: Stage, courier: Client) -> None:
    bot_id = stage.cast.installation["bot_user_id"]
    item = await stage.put_item("Forecast", bot_id)
    (run,) = await list_runs(courier)
    assert (run["issue"], run["comment"]) == (item, None)
    await report(courier, run, "response", "Sunny.")
    await report(courier, run, "response", "Still sunny.")
    await stage.settle()
    (run,) = await list_runs(courier)
    call = await stage.call(stage.cast.ana)
    first = await stage.host.find_comment(call, run["comment"])
    assert first is not None
    assert (first.item_id, first.text, first.parent_id) == (item, "Sunny.", None)


async def test_a_run_that_fails_to_open_is_opened_by_the_next_attempt(
    stage: Stage, courier: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is lost: locally the comment fails with it, elsewhere its event comes again."""

    async def fail(*_: object) -> None:
        raise OSError

    html = f"<p>{mention_of(stage.cast.installation['bot_user_id'])} rain?</p>"
    with monkeypatch.context() as broken:
        broken.setattr(creation, "send_run_created", fail)
        with pytest.raises((OSError, AssertionError)):
            await stage.comment(stage.cast.ana, html)
    assert await list_runs(courier) == []
    if not await stage.thread():
        await stage.comment(stage.cast.ana, html)
    await stage.settle()
    assert len(await list_runs(courier)) == 1
    assert len(await stage.thread()) == 1


async def test_two_requests_with_one_source_comment_open_one_run(stage: Stage, courier: Client) -> None:
    asked = await stage.comment(stage.cast.ana, "<p>rain?</p>")
    body = {"agent_slug": stage.cast.courier["slug"], "issue": stage.item, "source_comment": asked}
    async with stage.api.acting_as(stage.cast.ana["id"]) as ana:
        answers = [await ana.post("workspaces/acme/runs", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    (run,) = await list_runs(courier)
    assert (run["source_comment"], run["comment"]) == (asked, asked)
