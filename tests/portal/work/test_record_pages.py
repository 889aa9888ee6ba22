"""Pages of records: what their ids stand for, what stands below them, their progress, and which feature is off."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from airside.db.base import Row
from airside.portal.work.record_kinds import KINDS, Kind
from airside.work.projects.features import ProjectFeaturesIn
from tests.portal.visitor import signed_in
from tests.portal.work.test_hostile_words import PAYLOADS, Dangers
from tests.portal.work.test_item_facts import put_into
from tests.portal.work.test_records import UNKNOWN
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAGS = tuple(ProjectFeaturesIn.__struct_fields__)
SWITCHED = [kind for kind in KINDS if kind.in_project and kind.feature]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def features(workshop: Workshop) -> AsyncIterator[None]:
    await switch(workshop, **dict.fromkeys(FLAGS, True))
    yield


async def switch(workshop: Workshop, **flags: bool) -> None:
    answer = await workshop.ana.patch(workshop.path("features"), flags)
    assert answer.status_code == 200, answer.json


async def look(workshop: Workshop, path: str, name: str = "ben") -> str:
    """A page below the project's records."""
    async with signed_in(workshop.site, name) as who:
        page = await who.get(f"/acme/projects/{workshop.engine}/records/{path}/")
        assert page.status == 200, path
        return page.text


async def test_each_feature_with_records_has_pages() -> None:
    assert {kind.feature for kind in SWITCHED} == {
        "cycles", "modules", "pages", "epics", "intakes", "work_item_types"
    }  # fmt: skip


@pytest.mark.parametrize("kind", SWITCHED, ids=lambda kind: kind.api_path)
async def test_pages_of_a_feature_that_is_off_say_so_and_nothing_leads_there(
    workshop: Workshop, kind: Kind
) -> None:
    assert kind.feature
    ids = dict.fromkeys(re.findall(r"{(\w+)}", kind.path), UNKNOWN) | {"project_id": workshop.engine}
    path, items = f"/acme/{kind.path.format(**ids)}/", f"/acme/projects/{workshop.engine}/work-items/"
    one = f"{path}{UNKNOWN}/"
    await switch(workshop, **{kind.feature: False})
    try:
        for name in ("ana", "ben", "gil"):
            async with signed_in(workshop.site, name) as who:
                for address in (path, one) if kind.has_page else (path,):
                    page = await who.get(address)
                    assert page.status == 200, address
                    assert "are turned off" in page.text
                    assert ("Features of the project" in page.text) == (name == "ana")
                assert f'href="{path}"' not in (await who.get(items)).text
        async with signed_in(workshop.site, "zoe") as zoe:
            assert (await zoe.get(path)).status == 404
    finally:
        await switch(workshop, **{kind.feature: True})
    if kind.is_main:
        async with signed_in(workshop.site, "ben") as ben:
            assert f'href="{path}"' in (await ben.get(items)).text


async def test_progress_is_a_bar_with_its_figures(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="Bolt", state=await workshop.state_of("completed"))
    cycle = await put_into(workshop, "cycles", "cycle-issues", unique("Sprint"), item)
    other = await workshop.make("work-items", name="Nut", state=await workshop.state_of("started"))
    await workshop.make(f"cycles/{cycle['id']}/cycle-issues", issues=[other["id"]])
    html = await look(workshop, f"cycles/{cycle['id']}")
    assert '<strong class="figure">1 of 2</strong>' in html
    assert '<rect class="plan-started" x="50.00" width="50.00"' in html
    assert "Total issues" not in html
    for one in (item, other):
        assert f'<a class="item-name" href="/acme/browse/ENGIN-{one["sequence_id"]}/">' in html
    assert "added a work item" in html
    assert "Done: <" in (listed := await look(workshop, "cycles"))
    assert "1 of 2" in listed
    empty = await workshop.make("modules", name=unique("Empty"), description="Two\nlines")
    html = await look(workshop, f"modules/{empty['id']}")
    assert '<strong class="figure">0 of 0</strong>' in html
    assert '<p class="written">Two\nlines</p>' in html


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({}, "Pending"),
        ({"status": -1}, "Rejected"),
        ({"status": 0, "snoozed_till": "2099-01-01T00:00:00Z"}, "Snoozed"),
        ({"status": 1}, "Accepted"),
        ({"status": 2}, "Duplicate"),
    ],
)
async def test_the_intake_says_what_was_decided(
    workshop: Workshop, decision: dict[str, Any], words: str
) -> None:
    name = unique("Request")
    filed = await workshop.make(
        "intake-issues", issue={"name": name, "description_html": "<p>Please <b>do</b>.</p>"}
    )
    if words == "Duplicate":
        other = await workshop.make("work-items", name=unique("Original"))
        decision = decision | {"duplicate_to": other["id"]}
    if decision:
        answer = await workshop.ana.patch(workshop.path(f"intake-issues/{filed['issue']}"), decision)
        assert answer.status_code == 200, answer.json
    path = f"/acme/projects/{workshop.engine}/records/intake-issues/{filed['issue']}/"
    listed = await look(workshop, "intake-issues")
    assert f'href="{path}"' in listed
    assert f'Status: <span class="break">{words}' in listed
    html = await look(workshop, f"intake-issues/{filed['issue']}")
    assert f"<h1>{name}" in html
    assert "<p>Please <b>do</b>.</p>" in html
    assert f'<dd><span class="break">{words}</span>' in html
    assert "<pre" not in html
    if "duplicate_to" in decision:
        assert f'/acme/browse/ENGIN-{other["sequence_id"]}/">{other["name"]}</a>' in html


async def test_a_page_names_its_parent_and_its_children_to_those_who_see_them(workshop: Workshop) -> None:
    body = {"description_html": "<p>x</p>"}
    book = await workshop.make("pages", name=unique("Book"), **body)
    chapter = await workshop.make(
        "pages", name=unique("Chapter"), parent_id=book["id"], is_locked=True, **body
    )
    diary = await workshop.make("pages", name=unique("Diary"), parent_id=book["id"], access=1, **body)
    shown = await look(workshop, f"pages/{book['id']}")
    assert chapter["name"] in shown
    assert diary["name"] not in shown
    assert diary["name"] in await look(workshop, f"pages/{book['id']}", "ana")
    shown = await look(workshop, f"pages/{chapter['id']}")
    assert f'/records/pages/{book["id"]}/">{book["name"]}</a>' in shown
    assert '<span class="badge">Locked</span>' in shown
    assert '<span class="badge">Private</span>' in await look(workshop, f"pages/{diary['id']}", "ana")


async def test_a_collection_shows_its_pages(workshop: Workshop) -> None:
    async def make(path: str, **body: Any) -> Row:
        made = await workshop.ana.post(f"workspaces/acme/{path}", body)
        assert made.status_code == 201, made.json
        return made.json

    shelf = await make("collections", name=unique("Shelf"))
    page = await make("pages", name=unique("Manual"), description_html="<p>x</p>", collection_id=shelf["id"])
    async with signed_in(workshop.site, "ben") as ben:
        shown = (await ben.get(f"/acme/records/collections/{shelf['id']}/")).text
        assert f'href="/acme/records/pages/{page["id"]}/">{page["name"]}</a>' in shown
        shown = (await ben.get(f"/acme/records/pages/{page['id']}/")).text
        assert f'href="/acme/records/collections/{shelf["id"]}/">{shelf["name"]}</a>' in shown


async def test_ids_of_what_a_person_does_not_see_get_no_names(workshop: Workshop) -> None:
    """Whatever ids an app writes, a page names only what the person sees: not Ana's secret project."""
    secret = {"name": unique("Secret"), "identifier": unique("S").replace(" ", ""), "network": 0}
    project = (await workshop.ana.post("workspaces/acme/projects", secret)).json
    below = f"workspaces/acme/projects/{project['id']}"
    await workshop.ana.patch(f"{below}/features", {"pages": True, "cycles": True})
    item = (await workshop.ana.post(f"{below}/work-items", {"name": "Merger"})).json
    page = {"name": "Merger plan", "description_html": "<p>x</p>"}
    plan = (await workshop.ana.post(f"{below}/pages", page)).json
    for hidden in (item["id"], plan["id"], project["id"], workshop.cast.zoe["id"]):
        for path, body in (("pages", page | {"name": "Note"}), ("cycles", {"name": "Sprint"})):
            made = await workshop.make(path, **body, external_source="x", external_id=hidden)
            for shown in (await look(workshop, f"{path}/{made['id']}"), await look(workshop, path)):
                assert "Merger" not in shown
                assert secret["name"] not in shown
                assert "Zoe" not in shown


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_nothing_in_a_record_runs(workshop: Workshop, payload: str) -> None:
    name = unique(payload[:150])
    made = {
        "cycles": await workshop.make("cycles", name=name, description=payload),
        "modules": await workshop.make("modules", name=name, description=payload),
        "milestones": await workshop.make("milestones", title=name),
        "work-item-types": await workshop.make("work-item-types", name=name, description=payload),
    }
    filed = await workshop.make("intake-issues", issue={"name": name, "description_html": f"{payload}x"})
    paths = [*made, *(f"{path}/{one['id']}" for path, one in made.items()), "intake-issues",
             f"intake-issues/{filed['issue']}"]  # fmt: skip
    for path in paths:
        html = await look(workshop, path)
        assert Dangers(html).found == [], path
        assert "zqzqzq" not in html
