"""What follows a change on many records: some at once, the others in the background, each with its event."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.db.base import Row
from airside.rest import followups
from airside.rest.ancestry import own_references
from airside.rest.call import Call
from airside.rest.followups import Followup, run_followups
from airside.rest.routes import list_routes
from airside.work.access import RoleAccess
from airside.work.followups import FOLLOWUPS, finish_followups
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHILDREN = 5

# Makes what has children: the path of the parent, the paths of the children, and their field that names it.
Case = Callable[[Workshop], Awaitable[tuple[str, Sequence[str], str]]]


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followups, "AT_ONCE", 2)
    monkeypatch.setattr(followups, "BATCH", 2)
    monkeypatch.setattr(followups, "BATCH_SECONDS", 1_000.0)


def tree(path: str, field: str, **body: Any) -> Case:
    """Records below one of their own kind."""

    async def make(workshop: Workshop) -> tuple[str, Sequence[str], str]:
        where = await fill_in(workshop, path)
        top = await post(workshop, where, named(body))
        below = [await post(workshop, where, {**named(body), field: top["id"]}) for _ in range(CHILDREN)]
        return f"{where}/{top['id']}", [f"{where}/{one['id']}" for one in below], field

    return make


def named(body: Row) -> Row:
    return {
        name: unique(value) if name in ("name", "comment_html") else value for name, value in body.items()
    }


async def fill_in(workshop: Workshop, path: str) -> str:
    """The path with new records of Engine."""
    known: Row = {}
    if "{item}" in path:
        known["item"] = (await workshop.make("work-items", name=unique("Item")))["id"]
    if "{property}" in path:
        body = {"display_name": unique("Severity"), "property_type": "OPTION"}
        known["property"] = (await workshop.make("work-item-properties", **body))["id"]
    return workshop.path(path.format(**known))


async def post(workshop: Workshop, path: str, body: Row) -> Row:
    made = await workshop.ana.post(path, body)
    assert made.status_code in (200, 201), made.text
    return made.json


async def estimate_point(workshop: Workshop) -> tuple[str, Sequence[str], str]:
    estimate = await workshop.ana.get(workshop.path("estimates"))
    if estimate.status_code == 404:
        estimate = await workshop.ana.post(workshop.path("estimates"), {"name": "Scale", "type": "points"})
    path = workshop.path(f"estimates/{estimate.json['id']}/estimate-points")
    made: Any = await post(workshop, path, {"estimate_points": [{"value": unique("v")}]})
    items = [
        await workshop.make("work-items", name=unique("Item"), estimate_point=made[0]["id"])
        for _ in range(CHILDREN)
    ]
    below = [workshop.path(f"work-items/{item['id']}") for item in items]
    return f"{path}/{made[0]['id']}", below, "estimate_point"


def collection(query: str) -> Case:
    async def make(workshop: Workshop) -> tuple[str, Sequence[str], str]:
        made = await post(workshop, "workspaces/acme/collections", {"name": unique("Handbook")})
        body = {"description_html": "<p>x</p>", "collection_id": made["id"]}
        pages = [
            await post(workshop, "workspaces/acme/pages", {**body, "name": unique("Page")})
            for _ in range(CHILDREN)
        ]
        below = [f"workspaces/acme/pages/{page['id']}" for page in pages]
        return f"workspaces/acme/collections/{made['id']}{query}", below, "collection_id"

    return make


CASES: dict[str, Case] = {
    "comments.parent_id": tree("work-items/{item}/comments", "parent", comment_html="<p>x</p>"),
    "labels.parent_id": tree("labels", "parent", name="Label"),
    "pages.parent_id": tree("pages", "parent_id", name="Page", description_html="<p>x</p>"),
    "work_items.parent_id": tree("work-items", "parent", name="Item"),
    "work_item_property_options.parent_id": tree(
        "work-item-properties/{property}/options", "parent", name="High"
    ),
    "work_items.estimate_point_id": estimate_point,
    "collection.archived_pages": collection(""),
    "collection.released_pages": collection("?archive_pages=false"),
}


async def delete(workshop: Workshop, path: str) -> None:
    path, _, query = path.partition("?")
    if "/pages/" in path:  # an archived page alone can be deleted
        assert (await workshop.ana.post(f"{path}/archive", {})).status_code < 300
    answer = await workshop.ana.send(
        "DELETE", path, **dict(part.split("=") for part in query.split("&") if part)
    )
    assert answer.status_code == 204, answer.text


async def finish(workshop: Workshop) -> int:
    """Until nothing is left; how many batches that took."""
    number = 0
    while await finish_followups(workshop.site):
        number += 1
    return number


async def count_cleared(workshop: Workshop, paths: Sequence[str], field: str) -> int:
    shown = [(await workshop.ana.get(path)).json for path in paths]
    return sum(one[field] is None for one in shown)


@pytest.mark.parametrize("kind", CASES)
async def test_references_to_what_is_deleted_are_cleared_some_at_once_and_all_in_the_end(
    workshop: Workshop, kind: str
) -> None:
    parent, children, field = await CASES[kind](workshop)
    await delete(workshop, parent)
    assert await count_cleared(workshop, children, field) == 2
    assert [row["kind"] for row in await workshop.site.db.find_all(followups.followups)] == [kind]
    assert await finish(workshop) == 2
    assert await count_cleared(workshop, children, field) == CHILDREN
    for path in children:
        event = (await workshop.events_of(path.rsplit("/", 1)[1]))[-1]
        assert event["actor_id"] == workshop.cast.ana["id"]
        assert event["name"].endswith((".updated", ".archived"))


async def make_plan(workshop: Workshop, plan: str, **body: Any) -> tuple[str, list[str]]:
    """The path of a new cycle, module or milestone with work items, and their ids."""
    on = await workshop.ana.patch(workshop.path("features"), {"cycles": True, "modules": True})
    assert on.status_code == 200, on.text
    made = await workshop.make(plan, **body)
    items = [(await workshop.make("work-items", name=unique("Item")))["id"] for _ in range(CHILDREN)]
    path = workshop.path(f"{plan}/{made['id']}")
    await add_to(workshop, path, items)
    return path, items


async def add_to(workshop: Workshop, path: str, items: list[str]) -> None:
    tail = next(tail for plan, tail in LINKS.items() if f"/{plan}/" in path)
    added = await workshop.ana.post(f"{path}/{tail}", {"issues": items})
    assert added.status_code in (200, 201, 204), added.text


LINKS = {"cycles": "cycle-issues", "modules": "module-issues", "milestones": "work-items"}
PLANS: dict[str, tuple[str, Row]] = {
    "cycle.emptied": ("cycles", {"name": "Sprint"}),
    "module.emptied": ("modules", {"name": "Brakes"}),
    "milestone.emptied": ("milestones", {"title": "Alpha"}),
}


async def last_comments(workshop: Workshop, items: Sequence[str]) -> list[str]:
    paths = [workshop.path(f"work-items/{one}/activities") for one in items]
    return [(await workshop.ana.get(path)).json["results"][-1]["comment"] for path in paths]


@pytest.mark.parametrize("kind", PLANS)
async def test_work_items_leave_what_is_deleted_with_a_line_in_the_history_of_each(
    workshop: Workshop, kind: str
) -> None:
    plan, body = PLANS[kind]
    named_so = {name: unique(value) for name, value in body.items()}
    path, items = await make_plan(workshop, plan, **named_so)
    await delete(workshop, path)
    [name] = named_so.values()
    gone = f"removed this issue from {name}"
    assert (await last_comments(workshop, items)).count(gone) == 2
    assert await finish(workshop) == 2
    assert await last_comments(workshop, items) == [gone] * CHILDREN


async def test_the_work_items_of_a_cycle_that_is_over_are_transferred_in_the_end(workshop: Workshop) -> None:
    old, items = await make_plan(workshop, "cycles", name=unique("Sprint"))
    new = await workshop.make("cycles", name=unique("Sprint"))
    moved = await workshop.ana.post(f"{old}/transfer-issues", {"new_cycle_id": new["id"]})
    assert moved.status_code == 200, moved.text
    assert (await workshop.ana.get(f"{old}/cycle-issues")).json["total_count"] == CHILDREN - 2
    await finish(workshop)
    there = await workshop.ana.get(workshop.path(f"cycles/{new['id']}/cycle-issues"))
    assert {one["id"] for one in there.json["results"]} == set(items)


async def test_nothing_is_transferred_to_a_cycle_that_is_deleted_meanwhile(workshop: Workshop) -> None:
    old, _ = await make_plan(workshop, "cycles", name=unique("Sprint"))
    new = await workshop.make("cycles", name=unique("Sprint"))
    await workshop.ana.post(f"{old}/transfer-issues", {"new_cycle_id": new["id"]})
    await delete(workshop, workshop.path(f"cycles/{new['id']}"))
    await finish(workshop)
    assert (await workshop.ana.get(f"{old}/cycle-issues")).json["total_count"] == CHILDREN - 2


async def test_what_fails_waits_while_others_go_on(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = await CASES["labels.parent_id"](workshop)
    second, children, field = await CASES["work_items.parent_id"](workshop)
    await delete(workshop, first)
    workshop.clock.advance(seconds=1)
    await delete(workshop, second)

    async def fail(*_: Any) -> int:
        raise ZeroDivisionError

    broken = {**FOLLOWUPS, "labels.parent_id": Followup("labels.parent_id", fail)}
    with pytest.raises(ZeroDivisionError):
        await run_followups(workshop.site, RoleAccess(), broken)
    while await run_followups(workshop.site, RoleAccess(), broken):
        pass
    assert await count_cleared(workshop, children, field) == CHILDREN
    workshop.clock.advance(minutes=2)
    assert await finish(workshop) == 2


async def test_what_follows_one_deletion_in_several_ways_is_limited_together(workshop: Workshop) -> None:
    """An estimate's points each have work items."""
    point, items, _ = await estimate_point(workshop)
    _, others, _ = await estimate_point(workshop)
    await delete(workshop, point.rsplit("/estimates/", 1)[0] + "/estimates")
    paths = [*items, *others]
    assert await count_cleared(workshop, paths, "estimate_point") == 2
    await finish(workshop)
    assert await count_cleared(workshop, paths, "estimate_point") == 2 * CHILDREN


async def test_every_kind_is_tried_here() -> None:
    assert {*CASES, *PLANS, "cycle.transferred"} == set(FOLLOWUPS)


async def test_the_worker_knows_every_kind_of_record_with_parents_of_its_own_kind() -> None:
    faces = {
        route.face
        for route in list_routes((*TABLE, *TABLE_V2))
        if route.face and "delete" in route.face.verbs
    }
    needed = {f"{face.table.name}.{column}" for face in faces for column in own_references(face.record)}
    assert needed <= set(FOLLOWUPS)


async def test_hooks_find_the_project_of_what_is_changed_afterwards(workshop: Workshop) -> None:
    parent, *_ = await CASES["work_items.parent_id"](workshop)
    await delete(workshop, parent)
    seen: list[str] = []

    async def note(call: Call, *_: Row | None) -> None:
        seen.append(call.project["identifier"])

    workshop.site.change_hooks.add("workitem.updated", note)
    await finish(workshop)
    shown = (await workshop.ana.get(f"workspaces/acme/projects/{workshop.engine}")).json["identifier"]
    assert seen == [shown] * (CHILDREN - 2)


async def test_a_batch_takes_a_bounded_time(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow kind gets fewer records in the next transaction, and no more than twice as many again."""
    for name, value in (("AT_ONCE", 1), ("FIRST", 8), ("BATCH", 100), ("BATCH_SECONDS", 0.1)):
        monkeypatch.setattr(followups, name, value)
    monkeypatch.setattr(followups, "_sizes", {})
    asked: list[int] = []

    async def take(call: Call, record_id: str, details: Row, limit: int) -> int:
        asked.append(limit)
        await asyncio.sleep(0.4 if len(asked) == 2 else 0.001)
        return limit if len(asked) < 4 else 0

    slow = Followup("labels.parent_id", take)
    path, *_ = await CASES["labels.parent_id"](workshop)
    await delete(workshop, path)
    while await run_followups(workshop.site, RoleAccess(), {**FOLLOWUPS, slow.kind: slow}):
        pass
    assert (asked[0], asked[1], asked[3]) == (8, 16, 2 * asked[2])
    assert asked[2] <= 4
