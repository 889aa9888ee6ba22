"""Agents that ask agents, and too many at once: both end, and somebody sees it."""

from airside.agents.guards import DEPTH, RATE
from airside.metrics.exposition import render_metrics
from airside.runtime.site import Site
from tests.agents.scene import Scene, mention_of, set_scene
from tests.support.clocks import FrozenClock


async def test_agents_that_ask_one_another_stop_at_a_depth(scene: Scene) -> None:
    scout, scout_client = await scene.another_agent("Scout")
    agents = {scene.bot_id: scene.courier, scout["bot_user_id"]: scout_client}
    await scene.mention()
    for _ in range(10):
        run = (await scene.runs())[-1]
        if run["status"] == "failed":
            break
        other = next(one for one in agents if one != run["agent_user"])
        answer = await scene.say(agents[run["agent_user"]], run, "response", f"{mention_of(other)} your turn")
        assert answer.status_code == 201, answer.text
    runs = await scene.runs()
    assert [run["status"] for run in runs] == ["completed"] * 4 + ["failed"], "a person's, and three more"
    assert runs[-1]["error_metadata"]["error_code"] == "REFUSED_DEPTH"
    sent = [row["data"]["agent_run"]["id"] for row in await scene.sent_events() if row["endpoint_id"]]
    assert runs[-1]["id"] not in sent


async def test_an_agent_that_asks_outside_of_a_run_is_held_to_the_depth_as_well(scene: Scene) -> None:
    scout, scout_client = await scene.another_agent("Scout")
    for _ in range(3):
        await scene.comment(scene.courier, f"<p>{mention_of(scout['bot_user_id'])} you</p>")
        await scene.comment(scout_client, f"<p>{mention_of(scene.bot_id)} no, you</p>")
    assert {run["status"] for run in await scene.runs()} == {"completed", "failed"}
    assert (await scene.runs())[-1]["error_metadata"]["error_code"] == "REFUSED_DEPTH"


async def test_an_agent_that_opens_runs_of_its_own_asks_nobody_and_has_no_depth(scene: Scene) -> None:
    body = {"agent_slug": scene.cast.courier["slug"], "issue": scene.item}
    for _ in range(6):
        assert (await scene.courier.post("workspaces/acme/runs", body)).status_code == 201
    assert {run["status"] for run in await scene.runs()} == {"created"}


async def test_an_agent_is_asked_by_an_agent_with_its_question(scene: Scene) -> None:
    scout, _ = await scene.another_agent("Scout")
    run = await scene.open()
    await scene.say(scene.courier, run, "response", f"{mention_of(scout['bot_user_id'])} what do you think?")
    asked = (await scene.runs())[-1]
    assert (asked["agent_user"], asked["creator"]) == (scout["bot_user_id"], scene.bot_id)
    assert (await scene.activities(asked))[0]["content"]["body"] == "what do you think?"


async def test_runs_of_an_agent_are_limited_by_the_minute(site: Site, clock: FrozenClock) -> None:
    site.settings.agent_runs_per_minute = 2
    async with set_scene(site) as scene:
        scout, _ = await scene.another_agent("Scout")
        for _ in range(3):
            await scene.mention()
        assert [run["status"] for run in await scene.runs()] == ["created", "created", "failed"]
        assert (await scene.runs())[-1]["error_metadata"]["error_code"] == "REFUSED_RATE"
        await scene.comment(scene.ana, mention_of(scout["bot_user_id"]))
        assert (await scene.runs())[-1]["status"] == "created", "each agent is counted by itself"
        clock.advance(seconds=61)
        await scene.mention()
        assert (await scene.runs())[-1]["status"] == "created"


async def test_refused_runs_are_counted_by_reason(site: Site) -> None:
    site.settings.agent_runs_per_minute = 1
    site.settings.agent_depth_limit = 0
    async with set_scene(site) as scene:
        scout, _ = await scene.another_agent("Scout")
        await scene.comment(scene.courier, f"<p>{mention_of(scout['bot_user_id'])} you</p>")
        for _ in range(3):
            await scene.mention()
    metrics = (await render_metrics(site)).decode()
    for reason, count in ((DEPTH, 1), (RATE, 2)):
        assert f'airside_agent_runs_refused_total{{reason="{reason}"}} {count}.0' in metrics
