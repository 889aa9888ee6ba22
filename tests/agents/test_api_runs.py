"""Runs that are opened over the API, without a mention: what they are about, and what stays unsaid."""

import pytest

from airside.db.base import new_id
from tests.agents.scene import Scene
from tests.work.scene import make_project

RUNS = "workspaces/acme/runs"


def unknown(name: str, value: str) -> dict[str, list[str]]:
    return {name: [f'Invalid pk "{value}" - object does not exist.']}


@pytest.mark.parametrize("name", ["comment", "source_comment"])
@pytest.mark.parametrize("with_project", [True, False])
async def test_the_work_item_comes_from_the_comment(scene: Scene, name: str, with_project: bool) -> None:
    comment = await scene.comment(scene.ana, "<p>please look</p>")
    body = {"agent_slug": scene.cast.courier["slug"], name: comment["id"]}
    if with_project:
        body["project"] = scene.project
    for by in (scene.ana, scene.courier):
        made = await by.post(RUNS, body)
        if name == "source_comment" and by is scene.courier:
            assert made.status_code == 409, "it has asked already"
            continue
        assert made.status_code == 201, made.text
        assert (made.json["issue"], made.json["project"]) == (scene.item, scene.project)
        assert made.json["comment"] == comment["id"]


async def test_what_does_not_belong_together_is_as_unknown_as_what_is_not_there(scene: Scene) -> None:
    slug = scene.cast.courier["slug"]
    comment = await scene.comment(scene.ana, "<p>please look</p>")
    other = (await scene.ana.post(scene.items, {"name": "Another"})).json["id"]
    elsewhere = await make_project(scene.site, scene.cast, "Office")
    nowhere = new_id()
    for sent, refused in (
        ({"comment": nowhere}, unknown("comment", nowhere)),
        ({"issue": nowhere}, unknown("issue", nowhere)),
        ({"project": nowhere}, unknown("project", nowhere)),
        ({"issue": other, "comment": comment["id"]}, unknown("comment", comment["id"])),
        ({"project": elsewhere, "comment": comment["id"]}, unknown("comment", comment["id"])),
        ({"project": elsewhere, "issue": scene.item}, unknown("issue", scene.item)),
    ):
        answer = await scene.ana.post(RUNS, {"agent_slug": slug} | sent)
        assert (answer.status_code, answer.json) == (400, refused), sent
    assert await scene.runs() == []


async def test_a_comment_of_a_secret_project_says_nothing_of_its_item_or_project(scene: Scene) -> None:
    secret = await make_project(scene.site, scene.cast, "Vault", network=0)
    items = f"workspaces/acme/projects/{secret}/work-items"
    item = (await scene.ana.post(items, {"name": "Gold"})).json["id"]
    comment = (await scene.ana.post(f"{items}/{item}/comments", {"comment_html": "<p>hush</p>"})).json["id"]
    for name, value in (("comment", comment), ("issue", item), ("project", secret)):
        answer = await scene.gil.post(RUNS, {"agent_slug": scene.cast.courier["slug"], name: value})
        assert (answer.status_code, answer.json) == (400, unknown(name, value))
