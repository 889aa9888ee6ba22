"""What opens a run, what continues one, and what does neither."""

import pytest

from airside.agents.mentions import find_mentions
from airside.db.base import new_id
from airside.installations.suspend import suspend_app
from airside.runtime.site import Site
from tests.agents.scene import Scene, mention_of, set_scene


async def test_a_mention_opens_a_run_with_the_comment_as_its_first_prompt(scene: Scene) -> None:
    comment = await scene.mention("what's it like in Tokyo?")
    (run,) = await scene.runs()
    assert run["agent_user"] == scene.bot_id
    assert run["creator"] == scene.cast.ana["id"]
    assert (run["issue"], run["project"]) == (scene.item, scene.project)
    assert (run["comment"], run["source_comment"]) == (comment["id"], comment["id"])
    assert (run["status"], run["type"], run["ended_at"]) == ("created", "comment_thread", None)
    (prompt,) = await scene.activities(run)
    assert (prompt["type"], prompt["signal"], prompt["ephemeral"]) == ("prompt", "continue", False)
    assert prompt["content"] == {"type": "prompt", "body": "what's it like in Tokyo?"}
    assert (prompt["actor"], prompt["comment"]) == (scene.cast.ana["id"], comment["id"])


async def test_a_mention_is_stored_in_the_transaction_of_its_comment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):
        pass

    async def fail(*_: object) -> None:
        raise Broken

    monkeypatch.setattr("airside.agents.creation.send_run_created", fail)
    body = {"comment_html": mention_of(scene.bot_id)}
    answer = await scene.ana.post(f"{scene.items}/{scene.item}/comments", body)
    assert answer.status_code == 500
    assert await scene.comments() == []
    assert await scene.runs() == []


async def test_two_mentions_in_one_comment_open_one_run_and_so_does_editing_it(scene: Scene) -> None:
    comment = await scene.comment(
        scene.ana, f"<p>{mention_of(scene.bot_id)} and {mention_of(scene.bot_id)}</p>"
    )
    path = f"{scene.items}/{scene.item}/comments/{comment['id']}"
    for html in ("<p>never mind</p>", f"<p>yes do {mention_of(scene.bot_id)}</p>"):
        assert (await scene.ana.patch(path, {"comment_html": html})).status_code == 200
    assert len(await scene.runs()) == 1


async def test_a_mention_that_an_edit_adds_opens_a_run(scene: Scene) -> None:
    comment = await scene.comment(scene.ben, "<p>somebody should look</p>")
    path = f"{scene.items}/{scene.item}/comments/{comment['id']}"
    await scene.ben.patch(path, {"comment_html": f"<p>{mention_of(scene.bot_id)} should look</p>"})
    (run,) = await scene.runs()
    assert (run["creator"], run["source_comment"]) == (scene.cast.ben["id"], comment["id"])


async def test_a_reply_in_the_thread_goes_on_with_the_run_mention_or_not(scene: Scene) -> None:
    comment = await scene.mention()
    (run,) = await scene.runs()
    await scene.say(scene.courier, run, "elicitation", "Tokyo in Japan?")
    assert (await scene.read(run))["status"] == "awaiting"
    await scene.comment(scene.ben, "<p>yes, Japan</p>", parent=comment["id"])
    assert (await scene.read(run))["status"] == "in_progress"
    await scene.mention("please hurry", parent=comment["id"])
    assert [one["id"] for one in await scene.runs()] == [run["id"]]
    said = [one["content"]["body"] for one in await scene.activities(run) if one["type"] == "prompt"]
    assert said == ["what's it like in Tokyo?", "yes, Japan", "please hurry"]


async def test_a_reply_takes_up_again_a_run_that_has_completed_or_failed(scene: Scene) -> None:
    comment = await scene.mention()
    (run,) = await scene.runs()
    await scene.say(scene.courier, run, "response", "Sunny")
    assert (await scene.read(run))["ended_at"]
    await scene.comment(scene.ana, "<p>and tomorrow?</p>", parent=comment["id"])
    again = await scene.read(run)
    assert (again["status"], again["ended_at"]) == ("in_progress", None)
    await scene.say(scene.courier, run, "error", "No idea")
    await scene.mention("try again", parent=comment["id"])
    assert [one["status"] for one in await scene.runs()] == ["in_progress"]
    assert (await scene.activities(run))[-1]["content"]["body"] == "try again"


async def test_a_comment_elsewhere_on_the_work_item_leaves_the_run_alone(scene: Scene) -> None:
    run = await scene.open()
    other = await scene.comment(scene.ana, "<p>unrelated</p>")
    await scene.comment(scene.ben, "<p>indeed</p>", parent=other["id"])
    assert len(await scene.activities(run)) == 1


async def test_a_reply_that_mentions_one_agent_of_a_thread_is_for_that_agent(scene: Scene) -> None:
    scout, _ = await scene.another_agent("Scout")
    comment = await scene.comment(
        scene.ana, f"<p>{mention_of(scene.bot_id)} {mention_of(scout['bot_user_id'])} hello</p>"
    )
    runs = {run["agent_user"]: run for run in await scene.runs()}
    assert set(runs) == {scene.bot_id, scout["bot_user_id"]}
    await scene.comment(
        scene.ana, f"<p>{mention_of(scout['bot_user_id'])} only you</p>", parent=comment["id"]
    )
    await scene.comment(scene.ana, "<p>both of you</p>", parent=comment["id"])
    counts = {user: len(await scene.activities(run)) for user, run in runs.items()}
    assert counts == {scene.bot_id: 2, scout["bot_user_id"]: 3}


async def test_an_assignment_opens_a_run_on_the_item_and_its_answer_begins_a_thread(scene: Scene) -> None:
    await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": [scene.bot_id, scene.cast.ben["id"]]})
    (run,) = await scene.runs()
    assert (run["issue"], run["comment"], run["source_comment"]) == (scene.item, None, None)
    (prompt,) = await scene.activities(run)
    assert prompt["content"]["body"].startswith("ENGIN-1 Weather page")
    await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": [scene.bot_id]})
    await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": []})
    await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": [scene.bot_id]})
    assert len(await scene.runs()) == 1, "it is at work already"
    await scene.say(scene.courier, run, "response", "Done")
    (comment,) = await scene.comments()
    assert (await scene.read(run))["comment"] == comment["id"]
    await scene.comment(scene.ana, "<p>thanks, and now the page too</p>", parent=comment["id"])
    assert (await scene.activities(run))[-1]["type"] == "prompt"


async def test_a_work_item_made_with_an_agent_as_assignee_asks_it(scene: Scene) -> None:
    made = await scene.ana.post(scene.items, {"name": "Forecast", "assignees": [scene.bot_id]})
    (run,) = await scene.runs()
    assert run["issue"] == made.json["id"]


@pytest.mark.parametrize("kind", ["not mentionable", "suspended", "of another workspace", "not let in"])
async def test_only_an_agent_that_is_there_is_asked(site: Site, kind: str) -> None:
    async with set_scene(site, is_mentionable=kind != "not mentionable") as scene:
        cast, bot = scene.cast, scene.bot_id
        if kind == "suspended":
            await suspend_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
        if kind == "of another workspace":
            bot = new_id()
        if kind == "not let in":
            from airside.installations.project_choice import choose_projects

            await choose_projects(site, cast.acme["id"], cast.installation["id"], cast.ana["id"], [new_id()])
        await scene.comment(scene.ana, f"<p>{mention_of(bot)} hello</p>")
        await scene.ana.patch(f"{scene.items}/{scene.item}", {"assignees": [bot]})
        assert await scene.runs() == []


async def test_an_agent_that_mentions_or_assigns_itself_asks_nobody(scene: Scene) -> None:
    await scene.comment(scene.courier, f"<p>{mention_of(scene.bot_id)}</p>")
    await scene.courier.patch(f"{scene.items}/{scene.item}", {"assignees": [scene.bot_id]})
    assert await scene.runs() == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>@Courier</p>", 0),
        ('<mention-component entity_identifier="{id}" entity_name="user_mention"></mention-component>', 1),
        ('<mention-component entity_identifier="{id}"></mention-component>', 1),
        ('<mention-component id="{id}"></mention-component>', 1),
        ('<mention-component entity_identifier="{id}" entity_name="issue_mention"></mention-component>', 0),
        ('<mention-component entity_identifier="not an id"></mention-component>', 0),
        ("<p>mention-component {id}</p>", 0),
        ('<a id="{id}">mention-component</a>', 0),
    ],
)
def test_a_mention_is_plane_s_element_with_an_id(html: str, found: int) -> None:
    one = new_id()
    assert find_mentions(html.replace("{id}", one)) == [one] * found


async def test_an_agent_that_is_assigned_in_the_intake_starts_once_it_is_accepted(scene: Scene) -> None:
    project = f"workspaces/acme/projects/{scene.project}"
    await scene.ana.patch(f"{project}/features", {"intakes": True})
    filed = await scene.ana.post(f"{project}/intake-issues", {"issue": {"name": "Rain"}})
    item = filed.json["issue"]
    assigned = await scene.ana.patch(f"{scene.items}/{item}", {"assignees": [scene.bot_id]})
    assert (assigned.status_code, await scene.runs()) == (200, [])
    await scene.ana.patch(f"{project}/intake-issues/{item}/status", {"status": 1})
    (run,) = await scene.runs()
    assert (run["issue"], run["agent_user"]) == (item, scene.bot_id)
