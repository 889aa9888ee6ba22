"""Custom properties: what fits which type, their options, and which types have them."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACE = "workspaces/acme/work-item-properties"


async def make(workshop: Workshop, **body: Any) -> Row:
    named = {"display_name": unique("Property"), "property_type": "TEXT"}
    return await workshop.make("work-item-properties", **(named | body))


async def make_type(workshop: Workshop) -> str:
    return (await workshop.make("work-item-types", name=unique("Type")))["id"]


async def test_a_property_of_a_type_is_the_projects_too(workshop: Workshop) -> None:
    item_type = await make_type(workshop)
    made = await workshop.make(
        f"work-item-types/{item_type}/work-item-properties",
        display_name="First Issue Property",
        property_type="DECIMAL",
    )
    assert (made["issue_type"], made["name"], made["settings"]) == (item_type, "first-issue-property", {})
    assert (made["project"], made["default_value"], made["options"]) == (workshop.engine, [], [])
    for path in (
        f"work-item-properties/{made['id']}",
        f"issue-types/{item_type}/issue-properties/{made['id']}",
    ):
        assert (await workshop.ana.get(workshop.path(path))).json == made
    other = await make_type(workshop)
    path = workshop.path(f"work-item-types/{other}/work-item-properties")
    assert (await workshop.ana.get(path)).json == []
    assert (await workshop.ana.get(f"{path}/{made['id']}")).status_code == 404
    unknown = workshop.path(f"work-item-types/{new_id()}/work-item-properties")
    assert (await workshop.ana.get(unknown)).status_code == 404
    body = {"display_name": "x", "property_type": "TEXT"}
    assert (await workshop.ana.post(unknown, body)).status_code == 404


async def test_a_property_is_added_to_types_and_removed(workshop: Workshop) -> None:
    item_type, one, two = await make_type(workshop), await make(workshop), await make(workshop)
    path = workshop.path(f"work-item-types/{item_type}/properties")
    added = await workshop.ana.post(path, {"properties": [one["id"], two["id"]]})
    assert (added.status_code, added.json) == (201, {"properties": [one["id"], two["id"]]})
    again = await workshop.ana.post(path, {"property_id": one["id"]})
    assert again.json == {"properties": [one["id"], two["id"]]}
    assert (await workshop.ana.delete(f"{path}/{one['id']}")).status_code == 204
    assert (await workshop.ana.delete(f"{path}/{one['id']}")).status_code == 404
    listed = await workshop.ana.get(workshop.path(f"work-item-types/{item_type}/work-item-properties"))
    assert [row["id"] for row in listed.json] == [two["id"]]
    await workshop.ana.delete(workshop.path(f"work-item-properties/{two['id']}"))
    listed = await workshop.ana.get(workshop.path(f"work-item-types/{item_type}/work-item-properties"))
    assert listed.json == []


async def test_a_project_sees_the_properties_of_the_types_that_it_imported(workshop: Workshop) -> None:
    body = {"display_name": unique("Shared"), "property_type": "OPTION", "options": [{"name": "One"}]}
    shared = (await workshop.ana.post(WORKSPACE, body)).json
    kind = (await workshop.ana.post("workspaces/acme/work-item-types", {"name": unique("Type")})).json
    links = f"workspaces/acme/work-item-types/{kind['id']}/properties"
    assert (await workshop.ana.post(links, {"properties": [shared["id"]]})).status_code == 204
    assert (await workshop.ana.get(links)).json == [shared["id"]]
    path = workshop.path(f"work-item-properties/{shared['id']}")
    assert (await workshop.ana.get(path)).status_code == 404
    await workshop.ana.post(workshop.path("import-work-item-types"), {"work_item_types": [kind["id"]]})
    assert (await workshop.ana.get(path)).json["options"][0]["name"] == "One"
    assert (await workshop.ana.get(f"{path}/options")).json == (await workshop.ana.get(path)).json["options"]
    below = workshop.path(f"work-item-types/{kind['id']}")
    refused = [
        await workshop.ana.patch(path, {"description": "x"}),
        await workshop.ana.delete(path),
        await workshop.ana.post(f"{path}/options", {"name": "Two"}),
        await workshop.ana.post(f"{below}/work-item-properties", body),
        await workshop.ana.post(f"{below}/properties", {"properties": [(await make(workshop))["id"]]}),
        await workshop.ana.delete(f"{below}/properties/{shared['id']}"),
    ]
    assert {answer.status_code for answer in refused} == {400}
    assert {answer.json["error"] for answer in refused} == {
        "This is managed by the workspace and can't be changed in a project"
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"property_type": "RELATION"}, "relation_type"),
        ({"property_type": "TEXT", "relation_type": "USER"}, "relation_type"),
        ({"property_type": "BOOLEAN", "is_multi": True}, "is_multi"),
        ({"property_type": "TEXT", "settings": {"display_format": "wide"}}, "settings"),
        ({"property_type": "DATETIME", "settings": {"display_format": "single-line"}}, "settings"),
        ({"property_type": "DECIMAL", "default_value": ["1", "2"]}, "default_value"),
        ({"property_type": "DECIMAL", "default_value": {"a": 1}}, "default_value"),
        ({"property_type": "NUMBER"}, "property_type"),
        ({"property_type": "TEXT", "options": [{"name": "x"}]}, "options"),
    ],
)
async def test_what_does_not_fit_the_type_is_refused_by_its_name(
    workshop: Workshop, body: Row, field: str
) -> None:
    path = workshop.path("work-item-properties")
    wrong = await workshop.ana.post(path, {"display_name": "Wrong"} | body)
    assert (wrong.status_code, list(wrong.json)) == (400, [field])


async def test_settings_follow_the_type_and_a_default_is_a_list(workshop: Workshop) -> None:
    day = await make(workshop, property_type="DATETIME")
    text = await make(workshop, default_value="New", settings={"display_format": "multi-line"})
    assert day["settings"] == {"display_format": "MMM dd, yyyy"}
    assert (text["settings"], text["default_value"]) == ({"display_format": "multi-line"}, ["New"])
    assert text["sort_order"] == day["sort_order"] + 10_000


async def test_options_come_with_their_property_and_have_one_default(workshop: Workshop) -> None:
    options = [{"name": "Low", "is_default": True}, {"name": "High", "is_default": True}]
    made = await make(workshop, property_type="OPTION", options=options)
    assert [(one["name"], one["is_default"]) for one in made["options"]] == [("Low", False), ("High", True)]
    assert len(await workshop.events_of(made["id"])) == 1
    low, _ = made["options"]
    path = workshop.path(f"work-item-properties/{made['id']}")
    sent = {"options": [{"id": low["id"], "is_default": True}, {"name": "Top"}]}
    changed = (await workshop.ana.patch(path, sent)).json["options"]
    assert [(one["name"], one["is_default"]) for one in changed] == [
        ("Low", True), ("High", False), ("Top", False),
    ]  # fmt: skip
    [event] = (await workshop.events_of(made["id"]))[1:]
    assert [one["name"] for one in event["previous"]["options"]] == ["Low", "High"]
    top = (await workshop.ana.patch(f"{path}/options/{changed[2]['id']}", {"is_default": True})).json
    shown = (await workshop.ana.get(path)).json["options"]
    assert [one["id"] for one in shown if one["is_default"]] == [top["id"]]
    assert (await workshop.ana.delete(f"{path}/options/{top['id']}")).status_code == 204
    assert len((await workshop.ana.get(path)).json["options"]) == 2


async def test_wrong_options_are_named_by_their_position_and_nothing_is_stored(workshop: Workshop) -> None:
    made = await make(workshop, property_type="OPTION", options=[{"name": "Low"}])
    path = workshop.path(f"work-item-properties/{made['id']}")
    unknown = new_id()
    wrong = await workshop.ana.patch(
        path, {"options": [{"name": "Fine"}, {"name": ""}, {"id": unknown}, {"name": "x", "parent": unknown}]}
    )
    assert wrong.status_code == 400
    assert set(wrong.json["options"]) == {"1", "2", "3"}
    assert (await workshop.ana.get(path)).json == made


async def test_an_option_is_below_options_of_its_own_property_only(workshop: Workshop) -> None:
    one = await make(workshop, property_type="OPTION", options=[{"name": "A"}])
    two = await make(workshop, property_type="CASCADING", options=[{"name": "B"}])
    path = workshop.path(f"work-item-properties/{two['id']}/options")
    below = await workshop.ana.post(path, {"name": "C", "parent": two["options"][0]["id"]})
    assert (below.status_code, below.json["parent"]) == (201, two["options"][0]["id"])
    foreign = await workshop.ana.post(path, {"name": "D", "parent": one["options"][0]["id"]})
    assert (foreign.status_code, list(foreign.json)) == (400, ["parent"])
    text = await make(workshop)
    refused = await workshop.ana.post(
        workshop.path(f"work-item-properties/{text['id']}/options"), {"name": "E"}
    )
    assert refused.json == {"error": "Only properties of the types OPTION and CASCADING have options"}
