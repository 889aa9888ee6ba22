"""What an agent says and does in its run, and what people see of it."""

from typing import Any

import pytest

from airside.agents.answers import render_answer
from airside.agents.statuses import STALE_AFTER
from airside.agents.timeouts import mark_unresponsive_runs
from tests.agents.scene import Scene
from tests.support.clocks import FrozenClock


async def test_a_run_goes_from_thought_to_action_to_question_to_answer(scene: Scene) -> None:
    comment = await scene.mention()
    (run,) = await scene.runs()
    thought = await scene.say(scene.courier, run, "thought", "Which Tokyo?")
    assert thought.status_code == 201
    assert (thought.json["agent_run"], thought.json["actor"]) == (run["id"], scene.bot_id)
    assert (thought.json["ephemeral"], thought.json["signal"]) == (True, "continue")
    parameters = {"location": "Tokyo", "result": "72°F"}
    action = {"type": "action", "action": "getWeather", "parameters": parameters}
    done = await scene.courier.post(
        f"workspaces/acme/runs/{run['id']}/activities",
        {"type": "action", "content": action, "content_metadata": {"result": {"temp": 72}}},
    )
    assert (done.json["content"], done.json["content_metadata"]) == (action, {"result": {"temp": 72}})
    options = [{"id": "jp", "label": "Tokyo, Japan"}, {"id": "us", "label": "Tokyo, Texas"}]
    asked = await scene.say(
        scene.courier,
        run,
        "elicitation",
        "**Which** one?",
        signal="select",
        signal_metadata={"options": options},
    )
    assert (asked.json["signal"], asked.json["signal_metadata"]) == ("select", {"options": options})
    await scene.comment(scene.ana, "<p>Tokyo, Japan</p>", parent=comment["id"])
    answered = await scene.say(scene.courier, run, "response", "It is *sunny*")
    assert [one["type"] for one in await scene.activities(run)] == [
        "prompt", "thought", "action", "elicitation", "prompt", "response",
    ]  # fmt: skip
    after = await scene.read(run)
    assert (after["status"], after["ended_at"] is not None) == ("completed", True)
    first, question, reply, answer = await scene.comments()
    assert (question["id"], answer["id"]) == (asked.json["comment"], answered.json["comment"])
    assert question["comment_html"].strip() == "<p><strong>Which</strong> one?</p>"
    assert {one["actor"] for one in (question, answer)} == {scene.bot_id}
    assert {one["parent"] for one in (question, reply, answer)} == {first["id"]}


async def test_thoughts_and_actions_write_no_comment(scene: Scene) -> None:
    run = await scene.open()
    await scene.say(scene.courier, run, "thought")
    await scene.say(scene.courier, run, "action")
    assert len(await scene.comments()) == 1
    assert (await scene.read(run))["status"] == "in_progress"


async def test_an_error_writes_a_comment_and_ends_the_run(scene: Scene) -> None:
    run = await scene.open()
    metadata = {"error_code": "DB_CONNECTION_FAILED", "retryable": True}
    answer = await scene.say(scene.courier, run, "error", "Can't reach it", signal_metadata=metadata)
    assert answer.json["ephemeral"]
    after = await scene.read(run)
    assert after["status"] == "failed"
    assert after["error_metadata"] == {"message": "Can't reach it", **metadata}
    assert (await scene.comments())[-1]["comment_stripped"] == "Can't reach it"
    refused = await scene.say(scene.courier, run, "thought")
    assert (refused.status_code, "failed" in refused.json["error"]) == (409, True)


@pytest.mark.parametrize("ended", ["completed", "failed", "stopped", "stale"])
async def test_a_person_s_prompt_reopens_a_run_that_has_ended(
    scene: Scene, clock: FrozenClock, ended: str
) -> None:
    run = await scene.open()
    if ended == "stale":
        clock.time += STALE_AFTER
        await mark_unresponsive_runs(scene.site)
    if ended == "stopped":
        await scene.ana.post(f"workspaces/acme/runs/{run['id']}/stop")
    if ended != "stale":
        await scene.say(scene.courier, run, "error" if ended == "failed" else "response")
    assert (await scene.read(run))["status"] == ended
    said = await scene.say(scene.ben, run, "prompt", "Once more, please")
    assert said.status_code == 201, said.text
    again = await scene.read(run)
    assert again["status"] == "in_progress"
    for name in ("ended_at", "stopped_at", "stopped_by", "error_metadata"):
        assert again[name] is None, name
    assert (await scene.sent_events())[-1]["data"]["agent_run"]["status"] == "in_progress"
    await scene.say(scene.courier, run, "response", "Done")
    assert (await scene.read(run))["status"] == "completed"


async def test_a_run_that_was_refused_is_not_reopened(scene: Scene) -> None:
    scene.site.settings.agent_runs_per_minute = 0
    comment = await scene.mention()
    (run,) = await scene.runs()
    assert run["status"] == "failed"
    assert (await scene.say(scene.ana, run, "prompt")).status_code == 409
    await scene.comment(scene.ana, "<p>hello?</p>", parent=comment["id"])
    assert await scene.activities(run) == []


@pytest.mark.parametrize(("asked", "after"), [(True, "stopped"), (False, "completed")])
async def test_a_response_may_carry_stop_to_confirm_one_or_as_the_last_word(
    scene: Scene, asked: bool, after: str
) -> None:
    run = await scene.open()
    if asked:
        await scene.ana.post(f"workspaces/acme/runs/{run['id']}/stop")
    said = await scene.say(scene.courier, run, "response", "That's it.", signal="stop")
    assert (said.status_code, said.json["signal"]) == (201, "stop")
    assert (await scene.read(run))["status"] == after


async def test_an_elicitation_may_call_its_content_a_prompt(scene: Scene) -> None:
    run = await scene.open()
    body = {"type": "elicitation", "content": {"type": "prompt", "body": "Which one?"}}
    asked = await scene.courier.post(f"workspaces/acme/runs/{run['id']}/activities", body)
    assert asked.status_code == 201, asked.text
    assert asked.json["content"] == {"type": "elicitation", "body": "Which one?"}


@pytest.mark.parametrize(
    "options",
    [
        ["Tokyo", "Kyoto"],
        [{"label": "Tokyo, Japan", "value": "jp"}, {"label": "Tokyo, Texas", "value": "us"}],
        [{"label": "Tokyo"}, {"id": "kyoto", "label": "Kyoto", "description": "the old capital"}],
    ],
)
async def test_options_come_as_texts_as_values_or_with_ids(scene: Scene, options: list[Any]) -> None:
    run = await scene.open()
    given = {"options": options}
    asked = await scene.say(scene.courier, run, "elicitation", signal="select", signal_metadata=given)
    assert (asked.status_code, asked.json["signal_metadata"]) == (201, given)


async def test_runs_are_served_as_agent_runs_too(scene: Scene) -> None:
    run = await scene.open()
    base, other = "workspaces/acme/runs", "workspaces/acme/agent-runs"
    for path in ("", f"/{run['id']}", f"/{run['id']}/activities"):
        assert (await scene.ana.get(other + path)).json == (await scene.ana.get(base + path)).json
    body = {"type": "thought", "content": {"type": "thought", "body": "Hm"}}
    assert (await scene.courier.post(f"{other}/{run['id']}/activities", body)).status_code == 201
    assert (await scene.courier.patch(f"{other}/{run['id']}", {"external_link": None})).status_code == 200
    assert (await scene.ana.post(f"{other}/{run['id']}/stop")).json["status"] == "stopping"


async def test_a_stop_reaches_a_busy_agent_and_its_answer_ends_the_run(scene: Scene) -> None:
    run = await scene.open()
    await scene.say(scene.courier, run, "thought")
    stopped = await scene.ben.post(f"workspaces/acme/runs/{run['id']}/stop")
    assert (stopped.status_code, stopped.json["status"]) == (200, "stopping")
    assert (stopped.json["stopped_by"], stopped.json["stopped_at"] is not None) == (
        scene.cast.ben["id"],
        True,
    )
    assert (await scene.sent_events())[-1]["data"]["agent_run_activity"]["signal"] == "stop"
    await scene.say(scene.courier, run, "action", "cleanUp")
    assert (await scene.read(run, scene.courier))["status"] == "stopping", "a busy agent can ask for it"
    await scene.say(scene.courier, run, "response", "I've stopped.")
    over = await scene.read(run)
    assert (over["status"], over["ended_at"] is not None) == ("stopped", True)
    assert (await scene.ana.post(f"workspaces/acme/runs/{run['id']}/stop")).status_code == 409


async def test_an_agent_can_end_its_own_run_and_say_where_its_log_is(scene: Scene) -> None:
    run = await scene.open()
    path = f"workspaces/acme/runs/{run['id']}"
    changed = await scene.courier.patch(path, {"external_link": "https://courier.example/runs/1"})
    assert changed.json["external_link"] == "https://courier.example/runs/1"
    for bad in ("javascript:alert(1)", "courier", "https://", "http://a b", "https://x/" + "y" * 3000):
        refused = await scene.courier.patch(path, {"external_link": bad})
        assert (refused.status_code, list(refused.json)) == (400, ["external_link"])
    ended = await scene.courier.post(f"{path}/stop")
    assert (ended.json["status"], ended.json["stopped_by"]) == ("stopped", scene.bot_id)


async def test_five_silent_minutes_make_a_run_stale_and_the_next_word_brings_it_back(
    scene: Scene, clock: FrozenClock
) -> None:
    quiet, waiting, stopping = [await scene.open() for _ in range(3)]
    await scene.say(scene.courier, waiting, "elicitation")
    await scene.ana.post(f"workspaces/acme/runs/{stopping['id']}/stop")
    clock.time += STALE_AFTER / 2
    await mark_unresponsive_runs(scene.site)
    assert [run["status"] for run in await scene.runs()] == ["created", "awaiting", "stopping"]
    clock.time += STALE_AFTER / 2
    assert await mark_unresponsive_runs(scene.site) is False
    assert [run["status"] for run in await scene.runs()] == ["stale", "awaiting", "stopped"]
    assert (await scene.read(stopping))["ended_at"]
    await scene.say(scene.courier, quiet, "thought")
    assert (await scene.read(quiet))["status"] == "in_progress"


async def test_activities_come_in_their_order_page_by_page(scene: Scene) -> None:
    run = await scene.open()
    for number in range(7):
        await scene.say(scene.courier, run, "thought", f"step {number}")
    path, cursor, seen = f"workspaces/acme/runs/{run['id']}/activities", "3:0:0", []
    while True:
        page = (await scene.courier.get(path, per_page="3", cursor=cursor)).json
        seen += [one["content"]["body"] for one in page["results"]]
        if not page["next_page_results"]:
            break
        cursor = page["next_cursor"]
    assert seen[1:] == [f"step {number}" for number in range(7)]


async def test_a_comment_that_the_agent_writes_by_itself_counts_as_its_answer(scene: Scene) -> None:
    run = await scene.open()
    comment = await scene.comment(scene.courier, "<p>working on it</p>")
    after = await scene.read(run)
    assert after["status"] == "completed"
    said = (await scene.activities(run))[-1]
    assert (said["type"], said["comment"]) == ("response", comment["id"])
    assert len(await scene.comments()) == 2


async def test_runs_are_listed_by_status_item_and_agent(scene: Scene) -> None:
    first, second = await scene.open(), await scene.open()
    await scene.say(scene.courier, second, "response")
    assert [one["id"] for one in await scene.runs(status="completed")] == [second["id"]]
    assert [one["id"] for one in await scene.runs(issue=scene.item, agent_user=scene.bot_id)] == [
        first["id"],
        second["id"],
    ]
    assert await scene.runs(issue=scene.project) == []
    for query in ({"status": "lost"}, {"issue": "x"}):
        refused = await scene.ana.get("workspaces/acme/runs", **query)
        assert (refused.status_code, list(refused.json)) == (400, list(query))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "thought", "content": {"type": "action", "body": "x"}}, "content"),
    ({"type": "thought", "content": {"type": "thought"}}, "content"),
    ({"type": "thought", "content": {"type": "thought", "body": "  "}}, "content"),
    ({"type": "thought", "content": {"type": "thought", "body": "x" * 100_001}}, "content"),
    ({"type": "action", "content": {"type": "action", "body": "x"}}, "content"),
    ({"type": "action", "content": {"type": "action", "action": "f", "parameters": {"n": 1}}}, "content"),
    ({"type": "action", "content": {"type": "action", "action": "f", "parameters": {"n": None}}}, "content"),
    ({"type": "action", "content": {"type": "action", "action": "f", "parameters": ["a"]}}, "content"),
    ({"type": "shout", "content": {"type": "shout", "body": "x"}}, "type"),
    ({"type": "thought", "content": {"body": "x"}, "signal": "stop"}, "signal"),
    ({"type": "thought", "content": {"body": "x"}, "signal": "select"}, "signal"),
    ({"type": "elicitation", "content": {"body": "x"}, "signal": "stop"}, "signal"),
    ({"type": "response", "content": {"type": "prompt", "body": "x"}}, "content"),
    ({"type": "response", "content": {"body": "x"}, "signal": "shout"}, "signal"),
    ({"type": "response", "content": {"body": "x"}, "content_metadata": {"a": "x" * 100_001}}, "content_metadata"),
]  # fmt: skip
URLS: list[Any] = ["http://a.example", "https://", 1, "javascript:alert(1)", None]
OPTIONS: list[Any] = [
    None, [], [""], ["a", "a"], [1], [None], [{"id": "a"}], [{"id": "a", "label": ""}], [{"id": 1, "label": "A"}],
    [{"id": "a", "label": "A"}, {"id": "a", "label": "B"}], [{"value": "a", "label": "A"}, "a"],
    [{"id": "a", "label": "A", "description": 1}], ["x" * 501], [["a"]],
    [{"id": str(number), "label": "x"} for number in range(51)],
]  # fmt: skip
SIGNALS = [("auth_request", {"url": url}) for url in URLS] + [("auth_request", None), ("select", None)]
SIGNALS += [("select", {"options": options}) for options in OPTIONS]
for signal, given in SIGNALS:
    asked = {"type": "elicitation", "content": {"body": "x"}, "signal": signal, "signal_metadata": given}
    BAD.append((asked, "signal_metadata"))


async def test_what_does_not_fit_is_refused_under_its_field_and_moves_nothing(scene: Scene) -> None:
    run = await scene.open()
    for body, field in BAD:
        answer = await scene.courier.post(f"workspaces/acme/runs/{run['id']}/activities", body)
        assert (answer.status_code, list(answer.json)) == (400, [field]), body
    assert (await scene.read(run))["status"] == "created"
    assert len(await scene.activities(run)) == 1


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**68°F**\n\n- a\n- b", "<p><strong>68°F</strong></p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("[log](https://a.example)", '<p><a href="https://a.example">log</a></p>'),
        ("at https://a.example.", '<p>at <a href="https://a.example">https://a.example</a>.</p>'),
        ("`x < y`", "<p><code>x &lt; y</code></p>"),
    ],
)
async def test_answers_are_markdown(text: str, html: str) -> None:
    assert (await render_answer(text)).html.strip() == html
