"""Relations between work items: one row, seen from both sides; no contradiction and no circle."""

import asyncio
import itertools
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.work.work_items import dependency_circles
from airside.work.work_items.dependency_circles import CIRCLE
from airside.work.work_items.relation_kinds import relations
from airside.work.work_items.relations import ITSELF, REVERSED
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVERSES = {
    "blocking": "blocked_by", "blocked_by": "blocking", "start_before": "start_after",
    "start_after": "start_before", "finish_before": "finish_after", "finish_after": "finish_before",
    "relates_to": "relates_to", "duplicate": "duplicate",
}  # fmt: skip
DEPENDENCIES = [name for name in INVERSES if name not in ("relates_to", "duplicate")]


async def make_items(workshop: Workshop, number: int) -> list[str]:
    return [(await workshop.make("work-items", name=unique("Item")))["id"] for _ in range(number)]


def at(workshop: Workshop, item: str, tail: str = "relations") -> str:
    return workshop.path(f"work-items/{item}/{tail}")


async def relate(workshop: Workshop, item: str, name: str, *others: str) -> Any:
    return await workshop.ana.post(at(workshop, item), {"relation_type": name, "issues": list(others)})


async def depend(workshop: Workshop, item: str, name: str, *others: str) -> Any:
    body = {"relation_type": name, "work_item_ids": list(others)}
    return await workshop.ana.post(at(workshop, item, "dependencies"), body)


async def related(workshop: Workshop, item: str) -> Row:
    """The groups that aren't empty."""
    answer = await workshop.ana.get(at(workshop, item))
    assert (answer.status_code, set(answer.json)) == (200, set(INVERSES))
    return {name: ids for name, ids in answer.json.items() if ids}


async def history(workshop: Workshop, item: str) -> list[tuple[Any, ...]]:
    lines = (await workshop.ana.get(at(workshop, item, "activities"))).json["results"][1:]
    names = ("field", "old_value", "new_value", "comment")
    return [tuple(line[name] for name in names) for line in lines]


@pytest.mark.parametrize(("name", "inverse"), INVERSES.items())
async def test_a_relation_is_seen_from_both_sides_and_in_both_histories(
    workshop: Workshop, name: str, inverse: str
) -> None:
    one, other = await make_items(workshop, 2)
    added = await relate(workshop, one, name, other)
    assert (added.status_code, [(row["id"], row["relation_type"]) for row in added.json]) == (
        201,
        [(other, name)],
    )
    assert (await related(workshop, one), await related(workshop, other)) == (
        {name: [other]},
        {inverse: [one]},
    )
    removed = await workshop.ana.post(at(workshop, other, "relations/remove"), {"related_issue": one})
    assert removed.status_code == 204
    assert (await related(workshop, one), await related(workshop, other)) == ({}, {})
    keys = [(await workshop.ana.get(workshop.path(f"work-items/{item}"))).json for item in (one, other)]
    own, others = (f"ENGIN-{item['sequence_id']}" for item in keys)
    for item, seen, key in ((one, name, others), (other, inverse, own)):
        assert await history(workshop, item) == [
            (seen, "", key, f"added {seen} relation"),
            (seen, key, "", f"deleted {seen} relation"),
        ]
    [row] = await workshop.site.db.find_all(relations, issue_id=one) or await workshop.site.db.find_all(
        relations, issue_id=other
    )
    entity = "dependency" if name in DEPENDENCIES else "relation"
    events = await workshop.events_of(row["id"])
    assert [event["name"] for event in events] == [
        f"workitem.{entity}.{verb}" for verb in ("created", "deleted")
    ]
    assert {events[0]["data"][end] for end in ("issue", "related_issue")} == {one, other}


async def test_adding_one_again_changes_nothing_from_either_side(workshop: Workshop) -> None:
    one, other, third = await make_items(workshop, 3)
    for name, inverse in INVERSES.items():
        if name in ("blocked_by", "start_after", "finish_after"):
            continue
        assert (await relate(workshop, one, name, other, other)).status_code == 201
        again = await relate(workshop, one, name, other, third)
        assert [row["id"] for row in again.json] == [other, third]
        assert (await relate(workshop, other, inverse, one)).status_code == 201
    rows = await workshop.site.db.find_all(relations, issue_id=one)
    assert len(rows) == 10
    assert len(await history(workshop, other)) == 5


async def test_dependencies_are_shown_as_work_items_and_share_their_rows_with_relations(
    workshop: Workshop,
) -> None:
    one, other, third = await make_items(workshop, 3)
    added = await depend(workshop, one, "blocked_by", other, third)
    assert [(row["id"], row["relation_type"]) for row in added.json] == [
        (other, "blocked_by"),
        (third, "blocked_by"),
    ]
    assert await related(workshop, one) == {"blocked_by": [other, third]}
    seen = (await workshop.ana.get(at(workshop, other, "dependencies"))).json
    assert list(seen) == DEPENDENCIES
    [shown] = seen["blocking"]
    assert (shown["id"], shown["relation_type"], shown["label_ids"], shown["assignee_ids"]) == (
        *(one, "blocking"), [], [],
    )  # fmt: skip
    brief = await workshop.ana.get(at(workshop, one, "dependencies"), fields="id,name")
    assert [set(row) for row in brief.json["blocked_by"]] == [{"id", "name"}] * 2
    assert (await workshop.ana.delete(at(workshop, other, f"dependencies/{one}"))).status_code == 204
    assert (await workshop.ana.delete(at(workshop, other, f"dependencies/{one}"))).status_code == 404
    assert await related(workshop, one) == {"blocked_by": [third]}


async def test_a_dependency_is_not_removed_with_other_relations_nor_they_with_it(workshop: Workshop) -> None:
    one, other = await make_items(workshop, 2)
    await relate(workshop, one, "relates_to", other)
    await depend(workshop, one, "blocking", other)
    assert (await workshop.ana.delete(at(workshop, one, f"dependencies/{other}"))).status_code == 204
    assert await related(workshop, one) == {"relates_to": [other]}


@pytest.mark.parametrize("name", DEPENDENCIES)
async def test_no_dependency_contradicts_another_or_closes_a_circle(workshop: Workshop, name: str) -> None:
    items = await make_items(workshop, 4)
    for one, other in itertools.pairwise(items):
        assert (await depend(workshop, one, name, other)).status_code == 201
    for last in items[1:]:
        refused = await depend(workshop, last, name, items[0])
        assert (refused.status_code, refused.json) == (400, {"work_item_ids": [CIRCLE]})
        refused = await relate(workshop, items[0], INVERSES[name], last)
        assert (refused.status_code, refused.json) == (400, {"issues": [CIRCLE]})
    assert (await depend(workshop, items[0], name, items[3])).status_code == 201, "a second way is no circle"
    assert (await workshop.ana.delete(workshop.path(f"work-items/{items[2]}"))).status_code == 204
    assert (await workshop.ana.delete(at(workshop, items[0], f"dependencies/{items[3]}"))).status_code == 204
    assert (await depend(workshop, items[3], name, items[0])).status_code == 201, "the way is interrupted"


async def test_starts_and_finishes_are_ordered_together(workshop: Workshop) -> None:
    """One that is within another starts after it and finishes before it; blocking orders both ends."""
    outer, inner, late = await make_items(workshop, 3)
    assert (await depend(workshop, outer, "start_before", inner)).status_code == 201
    assert (await depend(workshop, inner, "finish_before", outer)).status_code == 201
    assert (await depend(workshop, outer, "blocking", inner)).status_code == 400
    assert (await depend(workshop, inner, "blocking", outer)).status_code == 400
    assert (await depend(workshop, outer, "blocking", late)).status_code == 201
    for name in ("start_before", "finish_before", "blocking"):
        assert (await depend(workshop, late, name, inner)).status_code == 400, name
    assert (await depend(workshop, inner, "start_before", late)).status_code == 201


async def test_two_requests_at_once_make_neither_a_circle_nor_a_second_row(workshop: Workshop) -> None:
    one, other, third = await make_items(workshop, 3)
    answers = await asyncio.gather(
        depend(workshop, one, "blocking", other), depend(workshop, other, "blocking", one)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    answers = await asyncio.gather(*(relate(workshop, one, "relates_to", third) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await workshop.site.db.find_all(relations, related_issue_id=third)) == 1


async def test_no_work_item_is_related_to_itself_or_to_what_is_not_seen(workshop: Workshop) -> None:
    one, other, gone = await make_items(workshop, 3)
    await workshop.ana.delete(workshop.path(f"work-items/{gone}"))
    hidden = await workshop.ana.post(
        f"workspaces/acme/projects/{workshop.garage}/work-items", {"name": "Hidden"}
    )
    assert (await relate(workshop, one, "blocking", one)).json == {"issues": {"0": [ITSELF]}}
    for wrong in (new_id(), gone):
        refused = await relate(workshop, one, "relates_to", other, wrong)
        assert (refused.status_code, refused.json) == (
            400,
            {"issues": {"1": [f'Invalid pk "{wrong}" - object does not exist.']}},
        )
    assert await related(workshop, one) == {}, "nothing of a refused request is kept"
    assert (await relate(workshop, one, "relates_to", hidden.json["id"])).status_code == 201
    assert await related(workshop, one) == {"relates_to": [hidden.json["id"]]}
    gils = await workshop.gil.get(at(workshop, one))
    assert gils.json["relates_to"] == [], "a guest of one project doesn't see the other's work items"
    assert (await relate(workshop, one, "blocking")).json == {
        "issues": ["Ensure this field has at least 1 elements."]
    }
    nope = await relate(workshop, one, "nope", other)
    assert nope.json == {"relation_type": ['"nope" is not a valid choice.']}


async def test_guests_read_relations_and_write_none(workshop: Workshop) -> None:
    one, other = await make_items(workshop, 2)
    body = {"relation_type": "blocking", "work_item_ids": [other]}
    for client, status in ((workshop.gil, 403), (workshop.zoe, 403), (workshop.ben, 201)):
        assert (await client.post(at(workshop, one, "dependencies"), body)).status_code == status
    assert len((await workshop.gil.get(at(workshop, one, "dependencies"))).json["blocking"]) == 1
    assert (await workshop.gil.delete(at(workshop, one, f"dependencies/{other}"))).status_code == 403


async def test_what_is_deleted_or_archived_vanishes_from_both_sides(workshop: Workshop) -> None:
    one, deleted, archived = await make_items(workshop, 3)
    await relate(workshop, one, "blocking", deleted, archived)
    done = await workshop.state_of("completed")
    await workshop.ana.patch(workshop.path(f"work-items/{archived}"), {"state": done})
    assert (await workshop.ana.post(at(workshop, archived, "archive"))).status_code == 204
    assert (await workshop.ana.delete(workshop.path(f"work-items/{deleted}"))).status_code == 204
    assert await related(workshop, one) == {}
    assert (await workshop.ana.get(at(workshop, deleted))).status_code == 404
    refused = await relate(workshop, archived, "relates_to", one)
    assert (refused.status_code, refused.json) == (400, {"error": "Archived work item cannot be updated"})
    assert (await workshop.ana.delete(at(workshop, archived, "unarchive"))).status_code == 204
    assert await related(workshop, one) == {"blocking": [archived]}


async def define(workshop: Workshop, **body: Any) -> Row:
    sent = {"name": unique("Relation"), **body}
    made = await workshop.ana.post("workspaces/acme/work-item-relation-definitions", sent)
    assert made.status_code == 201, made.text
    return made.json


async def custom(workshop: Workshop, item: str, definition: Row, name: str, *others: str) -> Any:
    body = {
        "relation_definition_id": definition["id"],
        "relation_definition_type": name,
        "work_item_ids": list(others),
    }
    return await workshop.ana.post(at(workshop, item, "work-item-relations"), body)


async def customs(workshop: Workshop, item: str) -> Row:
    groups = (await workshop.ana.get(at(workshop, item, "work-item-relations"))).json
    return {name: [row["id"] for row in rows] for name, rows in groups.items() if rows}


async def test_custom_relations_have_the_names_of_their_definition(workshop: Workshop) -> None:
    one, other = await make_items(workshop, 2)
    definition = await define(workshop, outward=unique("implements"), inward=unique("implemented by"))
    out, back = definition["outward"], definition["inward"]
    groups = (await workshop.ana.get(at(workshop, one, "work-item-relations"))).json
    assert (groups[out], groups[back]) == ([], [])
    added = await custom(workshop, one, definition, out, other)
    assert (added.status_code, [(row["id"], row["relation_type"]) for row in added.json]) == (
        201,
        [(other, out)],
    )
    assert (await custom(workshop, other, definition, back, one)).status_code == 201
    assert (await customs(workshop, one), await customs(workshop, other)) == ({out: [other]}, {back: [one]})
    refused = await custom(workshop, one, definition, back, other)
    assert (refused.status_code, refused.json) == (400, {"work_item_ids": {"0": [REVERSED]}})
    assert [line[0] for line in await history(workshop, other)] == [back]
    path = at(workshop, other, f"work-item-relations/{one}")
    assert (await workshop.ana.delete(at(workshop, other, f"dependencies/{one}"))).status_code == 404
    assert [(await workshop.ana.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert (await customs(workshop, one), await related(workshop, one)) == ({}, {})
    assert [line[3] for line in await history(workshop, one)] == [
        f"added {out} relation",
        f"deleted {out} relation",
    ]


async def test_a_custom_relation_needs_an_active_definition_and_one_of_its_names(workshop: Workshop) -> None:
    one, other = await make_items(workshop, 2)
    definition = await define(workshop, outward="tests", inward="tested by")
    missing = await custom(workshop, one, {"id": new_id()}, "tests", other)
    assert (missing.status_code, list(missing.json)) == (400, ["relation_definition_id"])
    wrong = await custom(workshop, one, definition, "proves", other)
    assert wrong.json == {"relation_definition_type": ['"proves" is not a valid choice.']}
    await custom(workshop, one, definition, "tests", other)
    path = f"workspaces/acme/work-item-relation-definitions/{definition['id']}"
    await workshop.ana.patch(path, {"is_active": False})
    refused = await custom(workshop, other, definition, "tests", one)
    assert refused.json == {"relation_definition_id": ["This relation definition is not active."]}
    groups = (await workshop.ana.get(at(workshop, one, "work-item-relations"))).json
    assert "tests" not in groups
    await workshop.ana.patch(path, {"is_active": True, "outward": "covers"})
    assert await customs(workshop, one) == {"covers": [other]}
    assert (await workshop.ana.delete(path)).status_code == 204
    assert await customs(workshop, one) == {}
    assert (await workshop.ana.delete(at(workshop, one, f"work-item-relations/{other}"))).status_code == 404


async def test_a_definition_with_one_name_has_no_direction(workshop: Workshop) -> None:
    one, other = await make_items(workshop, 2)
    definition = await define(workshop, outward=unique("near"))
    assert definition["inward"] == definition["outward"]
    plain = await define(workshop)
    assert plain["outward"] == plain["inward"] == plain["name"]
    for item, to in ((one, other), (other, one)):
        assert (await custom(workshop, item, definition, definition["inward"], to)).status_code == 201
    assert await customs(workshop, one) == {definition["outward"]: [other]}
    assert await customs(workshop, other) == {definition["outward"]: [one]}


async def test_definitions_are_an_admins_with_a_name_of_their_own(workshop: Workshop) -> None:
    definition = await define(workshop, color="#fff", is_default=True)
    path = "workspaces/acme/work-item-relation-definitions"
    taken = await workshop.ana.post(path, {"name": definition["name"]})
    assert (taken.status_code, taken.json["id"]) == (409, definition["id"])
    assert (await workshop.ben.post(path, {"name": unique("Ben's")})).status_code == 403
    assert (await workshop.gil.get(path)).status_code == 200
    for query, expected in (({"is_default": "true"}, True), ({"is_default": "false"}, False)):
        listed = (await workshop.ana.get(path, **query)).json["results"]
        assert (definition["id"] in [one["id"] for one in listed]) is expected
    ordered = [one["sort_order"] for one in (await workshop.ana.get(path)).json["results"]]
    assert ordered == sorted(ordered)
    later = await define(workshop)
    assert later["sort_order"] > definition["sort_order"]
    events = await workshop.events_of(definition["id"])
    assert [event["name"] for event in events] == ["workitem.relation_definition.created"]


async def test_a_chain_longer_than_is_followed_takes_no_further_dependency(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = await make_items(workshop, 4)
    for one, other in itertools.pairwise(items):
        await depend(workshop, one, "blocking", other)
    [first] = await make_items(workshop, 1)
    monkeypatch.setattr(dependency_circles, "MAX_REACHED", 3)
    refused = await depend(workshop, first, "blocking", items[0])
    assert (refused.status_code, refused.json) == (400, {"work_item_ids": [dependency_circles.TOO_MANY]})
    assert (await depend(workshop, first, "blocking", items[1])).status_code == 201


async def test_a_related_work_item_says_whether_it_is_an_epic(workshop: Workshop) -> None:
    (one,) = await make_items(workshop, 1)
    await workshop.ana.patch(workshop.path("features"), {"epics": True})
    epic = (await workshop.make("epics", name=unique("Epic")))["id"]
    assert [row["is_epic"] for row in (await depend(workshop, one, "blocking", epic)).json] == [True]
    blocked = (await workshop.ana.get(at(workshop, epic, "dependencies"))).json["blocked_by"]
    assert [(row["id"], row["is_epic"]) for row in blocked] == [(one, False)]
