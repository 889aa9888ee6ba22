"""The values of a work item's properties: what fits which type, and where a change of them is seen."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(workshop: Workshop, property_type: str, **body: Any) -> Row:
    named = {"display_name": unique("Property"), "property_type": property_type}
    return await workshop.make("work-item-properties", **(named | body))


async def make_type(workshop: Workshop, *properties: Row, **body: Any) -> str:
    item_type = (await workshop.make("work-item-types", **({"name": unique("Type")} | body)))["id"]
    if properties:
        path = workshop.path(f"work-item-types/{item_type}/properties")
        added = await workshop.ana.post(path, {"properties": [one["id"] for one in properties]})
        assert added.status_code == 201
    return item_type


async def make_item(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("work-items", **({"name": unique("Item")} | body))


def path_of(workshop: Workshop, item: Row, owner: Row) -> str:
    return workshop.path(f"work-items/{item['id']}/work-item-properties/{owner['id']}/values")


async def fields_of(workshop: Workshop, item: Row) -> Row:
    answer = await workshop.ana.get(workshop.path(f"work-items/{item['id']}"), expand="custom_fields")
    return answer.json["custom_fields"]


PLAIN = [
    ("TEXT", "A text", "A text"),
    ("URL", "https://example.com/a?b=c", "https://example.com/a?b=c"),
    ("EMAIL", "ana@example.com", "ana@example.com"),
    ("FILE", "report.pdf", "report.pdf"),
    ("DECIMAL", 25.5, 25.5),
    ("DECIMAL", "7", 7.0),
    ("BOOLEAN", False, False),
    ("DATETIME", "2026-01-31", "2026-01-31"),
    ("DATETIME", "2026-01-31 12:30:00", "2026-01-31 12:30:00"),
    ("DATETIME", "2026-01-31T12:30:00+01:00", "2026-01-31 11:30:00"),
]


@pytest.mark.parametrize(("property_type", "sent", "shown"), PLAIN)
async def test_a_value_is_read_back_by_its_type(
    workshop: Workshop, property_type: str, sent: Any, shown: Any
) -> None:
    item, owner = await make_item(workshop), await make(workshop, property_type)
    path = path_of(workshop, item, owner)
    assert (await workshop.ana.get(path)).status_code == 404
    made = await workshop.ana.post(path, {"value": sent, "external_id": "7", "external_source": "tracker"})
    assert made.status_code == 200, made.text
    assert (made.json["value"], made.json["value_type"]) == (shown, property_type)
    assert (made.json["property_id"], made.json["issue_id"]) == (owner["id"], item["id"])
    assert made.json["external_id"] == "7"
    assert (await workshop.ana.get(path)).json == made.json
    former = workshop.path(f"issues/{item['id']}/issue-properties/{owner['id']}/values")
    assert (await workshop.ana.get(former)).json == made.json
    assert await fields_of(workshop, item) == {owner["id"]: shown}


WRONG = [
    ("TEXT", 5), ("TEXT", ""), ("TEXT", "a\x00b"), ("TEXT", None), ("TEXT", ["a", "b"]), ("TEXT", {"a": 1}),
    ("URL", "javascript:alert(1)"), ("EMAIL", "ana"), ("DECIMAL", "many"), ("DECIMAL", True),
    ("DECIMAL", "1e999"), ("BOOLEAN", "perhaps"), ("BOOLEAN", 1.5), ("DATETIME", "tomorrow"),
    ("DATETIME", 20260131), ("OPTION", "x"), ("OPTION", "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"), ("FORMULA", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("property_type", "sent"), WRONG)
async def test_what_is_no_value_of_the_type_is_refused(
    workshop: Workshop, property_type: str, sent: Any
) -> None:
    item, owner = await make_item(workshop), await make(workshop, property_type)
    wrong = await workshop.ana.post(path_of(workshop, item, owner), {"value": sent})
    assert (wrong.status_code, list(wrong.json)) == (400, ["value"]), wrong.text
    assert await fields_of(workshop, item) == {}


async def test_setting_a_value_again_changes_it_and_keeps_its_id(workshop: Workshop) -> None:
    item, owner = await make_item(workshop), await make(workshop, "TEXT")
    path = path_of(workshop, item, owner)
    assert (await workshop.ana.patch(path, {"value": "x"})).status_code == 404
    made = (await workshop.ana.post(path, {"value": "One"})).json
    again = (await workshop.ana.post(path, {"value": "Two"})).json
    changed = (await workshop.ana.patch(path, {"external_id": "9"})).json
    assert (again["id"], again["value"], changed["value"]) == (made["id"], "Two", "Two")
    assert changed["external_id"] == "9"
    assert (await workshop.ana.delete(path)).status_code == 204
    assert (await workshop.ana.delete(path)).status_code == 404
    assert (await workshop.ana.get(path)).status_code == 404


async def test_a_property_with_several_values_has_a_list_which_is_replaced(workshop: Workshop) -> None:
    options = [{"name": "One"}, {"name": "Two"}, {"name": "Three"}]
    owner, item = await make(workshop, "OPTION", is_multi=True, options=options), await make_item(workshop)
    one, two, three = [option["id"] for option in owner["options"]]
    path = path_of(workshop, item, owner)
    assert (await workshop.ana.get(path)).json == []
    made = await workshop.ana.post(path, {"value": [one, three, one]})
    assert [value["value"] for value in made.json] == [one, three]
    single = await workshop.ana.patch(path, {"value": two})
    assert [value["value"] for value in single.json] == [two]
    assert await fields_of(workshop, item) == {owner["id"]: [two]}
    listed = await workshop.ana.get(workshop.path(f"work-items/{item['id']}/work-item-properties/values"))
    assert listed.json == [{"property_id": owner["id"], "values": [two]}]
    unknown = new_id()
    wrong = await workshop.ana.post(path, {"value": [one, unknown]})
    assert wrong.json == {"value": [f'Invalid pk "{unknown}" - object does not exist.']}
    await workshop.ana.delete(workshop.path(f"work-item-properties/{owner['id']}/options/{two}"))
    assert (await workshop.ana.get(path)).json == []
    assert await fields_of(workshop, item) == {}


async def test_an_option_is_also_set_by_its_name_where_only_one_has_it(workshop: Workshop) -> None:
    options = [{"name": "One"}, {"name": "Two"}, {"name": "Twin"}, {"name": "Twin"}]
    owner, item = await make(workshop, "OPTION", is_multi=True, options=options), await make_item(workshop)
    await make(workshop, "OPTION", options=[{"name": "Of another property"}])
    one, two, *_ = [option["id"] for option in owner["options"]]
    path = path_of(workshop, item, owner)
    made = await workshop.ana.post(path, {"value": ["Two", one]})
    assert [value["value"] for value in made.json] == [two, one]
    for name in ("one", "Twin", "Of another property", "x" * 10_000):
        refused = await workshop.ana.post(path, {"value": ["Two", name]})
        assert (refused.status_code, refused.json) == (400, {"value": ["Must be a valid UUID."]})


async def test_relations_name_people_of_the_workspace_and_work_items_that_the_caller_sees(
    workshop: Workshop,
) -> None:
    item, other = await make_item(workshop), await make_item(workshop)
    person = await make(workshop, "RELATION", relation_type="USER")
    related = await make(workshop, "RELATION", relation_type="ISSUE", is_multi=True)
    release = await make(workshop, "RELATION", relation_type="RELEASE")
    zoe, ben = workshop.cast.zoe["id"], workshop.cast.ben["id"]
    assert (await workshop.ana.post(path_of(workshop, item, person), {"value": ben})).json["value"] == ben
    assert (await workshop.ana.post(path_of(workshop, item, person), {"value": zoe})).status_code == 400
    named = await workshop.ana.post(path_of(workshop, item, related), {"value": [other["id"]]})
    assert [one["value"] for one in named.json] == [other["id"]]
    for owner in (related, release):
        assert (
            await workshop.ana.post(path_of(workshop, item, owner), {"value": new_id()})
        ).status_code == 400


async def test_rich_text_is_sanitized_and_shown_beside_its_id(workshop: Workshop) -> None:
    item, owner = await make_item(workshop), await make(workshop, "RELATION", relation_type="RICH_TEXT")
    html = "<p>Notes<script>alert(1)</script></p>"
    made = (
        await workshop.ana.post(path_of(workshop, item, owner), {"value": {"description_html": html}})
    ).json
    assert made["value"] == made["value_detail"]["id"] == made["id"]
    assert made["value_detail"]["description_html"] == "<p>Notes</p>"
    assert made["value_detail"]["description_stripped"] == "Notes"
    assert await fields_of(workshop, item) == {owner["id"]: "<p>Notes</p>"}


async def test_a_change_of_a_value_is_an_event_of_the_work_item_and_in_its_history(
    workshop: Workshop,
) -> None:
    options = [{"name": "Low"}, {"name": "High"}]
    item, owner = await make_item(workshop), await make(workshop, "OPTION", options=options)
    low, high = [option["id"] for option in owner["options"]]
    path = path_of(workshop, item, owner)
    await workshop.ana.post(path, {"value": low})
    await workshop.ana.post(path, {"value": high})
    await workshop.ana.post(path, {"value": high})
    events = (await workshop.events_of(item["id"]))[1:]
    assert [event["name"] for event in events] == ["workitem.updated"] * 2
    assert events[1]["previous"] == {"custom_fields": {owner["id"]: low}}
    assert events[1]["data"]["custom_fields"] == {owner["id"]: high}
    assert events[1]["data_v2"]["custom_fields"] == {owner["id"]: high}
    [change] = events[1]["changes"]
    assert (change["field"], change["new_value"]) == ("custom_fields", {owner["id"]: high})
    history = (await workshop.ana.get(workshop.path(f"work-items/{item['id']}/activities"))).json["results"]
    told = [(one["field"], one["old_value"], one["new_value"]) for one in history if one["field"]]
    assert told == [(owner["display_name"], "", "Low"), (owner["display_name"], "Low", "High")]


async def test_a_required_value_is_changed_but_not_removed(workshop: Workshop) -> None:
    item, owner = await make_item(workshop), await make(workshop, "TEXT", is_required=True)
    path = path_of(workshop, item, owner)
    await workshop.ana.post(path, {"value": "x"})
    assert (await workshop.ana.delete(path)).status_code == 400
    assert (await workshop.ana.patch(path, {"value": ""})).status_code == 400
    assert (await workshop.ana.patch(path, {"value": "y"})).json["value"] == "y"


async def test_a_type_has_to_be_active_and_of_the_project(workshop: Workshop) -> None:
    inactive = await make_type(workshop, is_active=False)
    foreign = await workshop.ana.post(
        f"workspaces/acme/projects/{workshop.garage}/work-item-types", {"name": unique("Type")}
    )
    for wrong in (inactive, foreign.json["id"], new_id()):
        made = await workshop.ana.post(workshop.path("work-items"), {"name": "x", "type_id": wrong})
        assert (made.status_code, list(made.json)) == (400, ["type_id"])
    item = await make_item(workshop, type_id=await make_type(workshop))
    path = workshop.path(f"work-items/{item['id']}")
    assert (await workshop.ana.patch(path, {"type_id": inactive})).status_code == 400
    shown = await workshop.ana.get(path, expand="type")
    assert shown.json["type"]["id"] == shown.json["type_id"] == item["type_id"]
    used = await workshop.ana.delete(workshop.path(f"work-item-types/{item['type_id']}"))
    assert used.json == {"error": "The work item type is in use, only unused types can be deleted"}


async def test_a_new_work_item_gets_the_default_type_with_the_default_values(workshop: Workshop) -> None:
    options = [{"name": "Low", "is_default": True}, {"name": "High"}]
    level = await make(workshop, "OPTION", options=options)
    hours = await make(workshop, "DECIMAL", default_value=["8"])
    broken = await make(workshop, "RELATION", relation_type="USER", default_value=[new_id()])
    default = await make_type(workshop, level, hours, broken, is_default=True)
    project = f"workspaces/acme/projects/{workshop.engine}"
    assert (await make_item(workshop))["type_id"] is None, "the project doesn't use types"
    await workshop.ana.patch(project, {"is_issue_type_enabled": True})
    try:
        item = await make_item(workshop)
    finally:
        await workshop.ana.patch(project, {"is_issue_type_enabled": False})
    expected = {level["id"]: level["options"][0]["id"], hours["id"]: 8.0}
    assert item["type_id"] == default
    assert await fields_of(workshop, item) == expected
    [event] = await workshop.events_of(item["id"])
    assert event["data"]["custom_fields"] == expected


async def test_a_changed_type_keeps_what_fits_and_lists_what_does_not(workshop: Workshop) -> None:
    both, lost = await make(workshop, "TEXT"), await make(workshop, "TEXT")
    gained = await make(workshop, "BOOLEAN", default_value=["true"])
    old, new = await make_type(workshop, both, lost), await make_type(workshop, both, gained)
    item = await make_item(workshop, type_id=old)
    for owner in (both, lost):
        await workshop.ana.post(path_of(workshop, item, owner), {"value": "kept?"})
    refused = await workshop.ana.post(path_of(workshop, item, gained), {"value": False})
    assert refused.json == {"error": "The type of this work item doesn't have the property"}
    await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"type_id": new})
    assert await fields_of(workshop, item) == {both["id"]: "kept?", gained["id"]: True}
    event = (await workshop.events_of(item["id"]))[-1]
    assert event["previous"]["custom_fields"] == {both["id"]: "kept?", lost["id"]: "kept?"}
    assert [change["field"] for change in event["changes"]] == ["type_id", "type"]
    history = (await workshop.ana.get(workshop.path(f"work-items/{item['id']}/activities"))).json["results"]
    told = {(one["field"], one["old_value"], one["new_value"]) for one in history[-2:]}
    assert (lost["display_name"], "kept?", "") in told
    assert {one["field"] for one in history[-2:]} == {lost["display_name"], "type"}


async def test_an_archived_work_item_keeps_its_values(workshop: Workshop) -> None:
    owner, done = await make(workshop, "TEXT"), await workshop.state_of("completed")
    item = await make_item(workshop, state=done)
    await workshop.ana.post(path_of(workshop, item, owner), {"value": "x"})
    assert (await workshop.ana.post(workshop.path(f"work-items/{item['id']}/archive"))).status_code == 204
    path = path_of(workshop, item, owner)
    for refused in (await workshop.ana.post(path, {"value": "y"}), await workshop.ana.delete(path)):
        assert refused.status_code == 400
    assert (await workshop.ana.get(path)).json["value"] == "x"


async def test_the_type_of_a_property_with_values_stays(workshop: Workshop) -> None:
    item, owner = await make_item(workshop), await make(workshop, "TEXT")
    await workshop.ana.post(path_of(workshop, item, owner), {"value": "x"})
    path = workshop.path(f"work-item-properties/{owner['id']}")
    assert (await workshop.ana.patch(path, {"property_type": "DECIMAL"})).status_code == 400
    assert (await workshop.ana.patch(path, {"is_active": False})).status_code == 200
    assert (await workshop.ana.post(path_of(workshop, item, owner), {"value": "y"})).status_code == 400
    await workshop.ana.delete(path)
    assert await fields_of(workshop, item) == {}


async def test_guests_read_values_and_members_set_them(workshop: Workshop) -> None:
    item, owner = await make_item(workshop), await make(workshop, "TEXT")
    path = path_of(workshop, item, owner)
    assert (await workshop.gil.post(path, {"value": "x"})).status_code == 403
    assert (await workshop.ben.post(path, {"value": "x"})).status_code == 200
    assert (await workshop.gil.get(path)).json["value"] == "x"
