"""TN6: an agent posts only to its own runs, never as a person, and what it writes is harmless."""

from collections.abc import AsyncIterator

import nh3
import pytest

from airside.agents.answers import render_answer
from airside.runtime.site import Site
from tests.agents.scene import Scene, set_scene

CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<iframe src=https://evil.example></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<mention-component onclick=alert(1) entity_identifier='x'></mention-component>",
    "<a href=https://a.example onmouseover=alert(1)>x</a>",
    "```html\n<script>alert(1)</script>\n```",
    "<object data=https://evil.example></object><embed src=x><base href=https://evil.example>",
)
FORBIDDEN = (
    "<script",
    "onerror",
    "onload",
    "onclick=",
    "onmouseover",
    "javascript:",
    "vbscript:",
    "data:text",
)
TAGS = ("<iframe", "<form", "<style", "<object", "<embed", "<base", "<svg", "<math")


@pytest.fixture
async def scene(site: Site) -> AsyncIterator[Scene]:
    async with set_scene(site) as made:
        yield made


async def test_tn6_another_app_neither_sees_nor_writes_a_run(scene: Scene) -> None:
    run = await scene.open()
    _, scout = await scene.another_agent("Scout")
    path = f"workspaces/acme/runs/{run['id']}"
    activity = (await scene.activities(run))[0]["id"]
    unknown = (await scout.get("workspaces/acme/runs/01a00000-0000-7000-8000-000000000000")).text
    answers = [
        await scout.get(path),
        await scout.get(f"{path}/activities"),
        await scout.get(f"{path}/activities/{activity}"),
        await scout.patch(path, {"external_link": "https://a.example"}),
        await scout.post(f"{path}/stop"),
        await scene.say(scout, run, "thought"),
        await scene.say(scout, run, "response", "I am Courier"),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, unknown)}
    assert await scene.runs(scout) == []
    assert [one["id"] for one in await scene.runs(scene.courier)] == [run["id"]]
    assert len(await scene.activities(run)) == 1


async def test_tn6_an_app_starts_no_other_agent(scene: Scene) -> None:
    _, scout = await scene.another_agent("Scout")
    answer = await scout.post("workspaces/acme/runs", {"agent_slug": scene.cast.courier["slug"]})
    assert (answer.status_code, list(answer.json)) == (400, ["agent_slug"])


async def test_tn6_prompts_come_from_people_only(scene: Scene) -> None:
    run = await scene.open()
    installation = scene.cast.installation
    for_ana = await scene.sign_in(installation | {"bot_user_id": scene.cast.ana["id"]}, kind="user")
    for agent in (scene.courier, for_ana):
        answer = await scene.say(agent, run, "prompt", "do it")
        assert (answer.status_code, list(answer.json)) == (400, ["type"])
        answer = await scene.say(agent, run, "prompt", "stop", signal="stop")
        assert (answer.status_code, list(answer.json)) == (400, ["type"])
    said = await scene.say(scene.ben, run, "prompt", "hurry")
    assert (said.status_code, said.json["actor"]) == (201, scene.cast.ben["id"])


@pytest.mark.parametrize("kind", ["thought", "action", "response", "elicitation", "error"])
async def test_tn6_nobody_speaks_for_the_agent(scene: Scene, kind: str) -> None:
    """Neither a person, nor the agent's app with a person's token."""
    run = await scene.open()
    installation = scene.cast.installation
    for_ana = await scene.sign_in(installation | {"bot_user_id": scene.cast.ana["id"]}, kind="user")
    for somebody in (scene.ana, scene.ben, for_ana):
        assert (await scene.say(somebody, run, kind)).status_code == 403
    own = await scene.say(scene.courier, run, kind)
    assert own.json["actor"] == scene.bot_id
    assert {one["actor"] for one in await scene.comments()} <= {scene.cast.ana["id"], scene.bot_id}


async def test_tn6_a_person_sees_runs_of_projects_that_they_see(scene: Scene) -> None:
    run = await scene.open()
    path = f"workspaces/acme/runs/{run['id']}"
    assert [one["id"] for one in await scene.runs(scene.ben)] == [run["id"]]
    for answer in (
        await scene.gil.get(path),
        await scene.gil.get(f"{path}/activities"),
        await scene.gil.post(f"{path}/stop"),
        await scene.say(scene.gil, run, "prompt"),
    ):
        assert answer.status_code == 404
    assert await scene.runs(scene.gil) == []
    body = {"agent_slug": scene.cast.courier["slug"], "issue": scene.item}
    refused = await scene.gil.post("workspaces/acme/runs", body)
    assert refused.status_code == 400


async def test_tn6_what_an_agent_writes_is_sanitised(scene: Scene) -> None:
    run = await scene.open()
    for text in CORPUS:
        answer = await scene.say(scene.courier, run, "response", text)
        assert answer.status_code == 201, text
    for comment in (await scene.comments())[1:]:
        check_harmless(comment["comment_html"])


@pytest.mark.parametrize("text", CORPUS)
async def test_tn6_markdown_holds_nothing_that_runs(text: str) -> None:
    check_harmless((await render_answer(text)).html)


def check_harmless(html: str) -> None:
    """Nothing but text is left of it: what stands in code is escaped, and escaped text may say anything."""
    lowered = html.lower()
    assert not [tag for tag in TAGS if tag in lowered], html
    attributes = nh3.clean(html, tags=set(), attributes={})
    for word in FORBIDDEN:
        assert lowered.count(word) <= attributes.lower().count(word), html
