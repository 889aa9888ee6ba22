"""What people see of agents, and do with them, without scripts."""

from collections.abc import AsyncIterator

import pytest

from airside.runtime.site import Site
from tests.agents.scene import Scene, mention_of, set_scene
from tests.portal.visitor import signed_in
from tests.support.clocks import FrozenClock

ITEM = "/acme/browse/ENGIN-1/"
SILENT = "Doesn\u2019t answer"


@pytest.fixture
async def scene(site: Site) -> AsyncIterator[Scene]:
    async with set_scene(site) as made:
        yield made


async def test_the_thread_shows_what_the_agent_does_now_and_what_it_did(scene: Scene, site: Site) -> None:
    run = await scene.open()
    await scene.say(scene.courier, run, "thought", "<script>alert(1)</script> hm")
    async with signed_in(site, "ana") as ana:
        page = await ana.get(ITEM)
        assert "Working" in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; hm" in page.text
        assert f'data-live="work_item:{scene.item}"' in page.text
        await scene.say(scene.courier, run, "response", "It is **sunny**")
        page = await ana.get(ITEM)
        assert "<strong>sunny</strong>" in page.text
        assert "Answered" in page.text
        assert "run-now" not in page.text, "what passes is replaced by what comes next"
        assert "3 steps" in page.text


async def test_after_ten_silent_seconds_the_agent_does_not_answer(
    scene: Scene, site: Site, clock: FrozenClock
) -> None:
    run = await scene.open()
    async with signed_in(site, "ana") as ana:
        page = await ana.get(ITEM)
        assert SILENT not in page.text
        assert 'hx-trigger="load delay:11s"' in page.text, "the page looks again when it may be so"
        clock.advance(seconds=10)
        assert SILENT in (await ana.get(ITEM)).text
        assert SILENT in (await ana.get(f"/acme/agents/{scene.bot_id}/")).text
        await scene.say(scene.courier, run, "thought")
        assert SILENT not in (await ana.get(ITEM)).text


async def test_an_option_is_answered_by_its_button_and_only_what_is_offered(scene: Scene, site: Site) -> None:
    run = await scene.open()
    options = [{"id": "jp", "label": "Tokyo <b>Japan</b>"}, {"id": "us", "label": "Tokyo, Texas"}]
    await scene.say(
        *(scene.courier, run, "elicitation", "Which?"), signal="select", signal_metadata={"options": options}
    )
    action = f"/acme/agents/runs/{run['id']}/answer/"
    async with signed_in(site, "ben") as ben:
        page = await ben.get(ITEM)
        assert "Tokyo &lt;b&gt;Japan&lt;/b&gt;" in page.text
        await ben.submit(page, action, option="de")
        assert (await scene.read(run))["status"] == "awaiting"
        done = await ben.submit(page, action, option="jp")
        assert (done.status, done.location) == (303, ITEM)
    after = await scene.read(run)
    said = (await scene.activities(run))[-1]
    assert after["status"] == "in_progress"
    assert (said["type"], said["actor"]) == ("prompt", scene.cast.ben["id"])
    assert said["content"]["body"] == "Tokyo <b>Japan</b>"
    assert (await scene.comments())[-1]["parent"] == run["comment"]


async def test_an_answer_reaches_the_agent_after_its_thread_was_deleted(scene: Scene, site: Site) -> None:
    run = await scene.open()
    options = {"options": ["yes", "no"]}
    await scene.say(scene.courier, run, "elicitation", "Sure?", signal="select", signal_metadata=options)
    thread = f"{scene.items}/{scene.item}/comments/{run['comment']}"
    assert (await scene.ana.delete(thread)).status_code == 204
    async with signed_in(site, "ana") as ana:
        page = await ana.get(f"/acme/agents/runs/{run['id']}/")
        done = await ana.submit(page, f"/acme/agents/runs/{run['id']}/answer/", option="yes")
        assert done.status == 303
    said = (await scene.activities(run))[-1]
    assert (said["type"], said["content"]["body"], said["comment"]) == ("prompt", "yes", None)


async def test_an_agent_that_asks_for_a_sign_in_gets_a_card_with_its_address(
    scene: Scene, site: Site
) -> None:
    run = await scene.open()
    url = "https://courier.example/sign-in?session=1&x=2"
    await scene.say(
        *(scene.courier, run, "elicitation", "Sign in"), signal="auth_request", signal_metadata={"url": url}
    )
    async with signed_in(site, "ana") as ana:
        page = await ana.get(ITEM)
    assert 'href="https://courier.example/sign-in?session=1&amp;x=2"' in page.text
    assert 'rel="noopener noreferrer nofollow"' in page.text


async def test_the_stop_button_asks_the_agent_to_stop_and_then_is_gone(scene: Scene, site: Site) -> None:
    run = await scene.open()
    action = f"/acme/agents/runs/{run['id']}/stop/"
    async with signed_in(site, "ana") as ana:
        page = await ana.get(ITEM)
        assert (await ana.submit(page, action)).location == ITEM
        assert (await scene.read(run))["status"] == "stopping"
        again = await ana.get(ITEM)
        assert "Stopping" in again.text
        assert action not in again.text
        assert (await ana.submit(page, action)).status == 303, "pressed twice it still leads back"


async def test_runs_are_visible_to_those_who_see_their_project(scene: Scene, site: Site) -> None:
    run = await scene.open()
    async with signed_in(site, "gil") as gil, signed_in(site, "ben") as ben:
        for path in (f"/acme/agents/{scene.bot_id}/", f"/acme/agents/runs/{run['id']}/"):
            assert (await ben.get(path)).status == 200
            assert "ENGIN-1" not in (await gil.get(path)).text
        token = (await gil.get("/profile/")).form("/profile/")["csrf_token"]
        for action in ("stop", "answer"):
            answer = await gil.post(f"/acme/agents/runs/{run['id']}/{action}/", {"csrf_token": token})
            assert answer.status == 404
    assert (await scene.read(run))["status"] == "created"


async def test_a_run_that_was_held_back_says_why_and_is_counted(scene: Scene, site: Site) -> None:
    site.settings.agent_runs_per_minute = 1
    await scene.open()
    await scene.open()
    async with signed_in(site, "ana") as ana:
        assert "This agent was given 1 runs within a minute." in (await ana.get(ITEM)).text
        assert 'data-label="Held back" class="number">1<' in (await ana.get("/acme/agents/")).text
        failed = await ana.get(f"/acme/agents/{scene.bot_id}/?status=failed")
    assert failed.text.count('data-label="Outcome"') == 1


async def test_agents_are_in_the_picker_once_installed(scene: Scene, site: Site) -> None:
    async with signed_in(site, "ana") as ana:
        found = await ana.get(f"{ITEM}mentionable/?q=cour")
        assert f'data-mention="{scene.bot_id}"' in found.text
        page = await ana.get(ITEM)
        await ana.submit(page, f"{ITEM}comments/", text="@Courier hello", mentioned=scene.bot_id)
    assert mention_of(scene.bot_id).split('"')[3] in (await scene.comments())[-1]["comment_html"]
    assert len(await scene.runs()) == 1
