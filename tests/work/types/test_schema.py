"""The schema of a type: what a program has to know to fill in a work item."""

import pytest

from airside.db.base import new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_type_says_its_fields_choices_and_properties(workshop: Workshop) -> None:
    item_type = await workshop.make("work-item-types", name=unique("Bug"), description="Broken")
    owner = await workshop.make(
        f"work-item-types/{item_type['id']}/work-item-properties",
        display_name="Severity",
        property_type="OPTION",
        is_required=True,
        options=[{"name": "High"}, {"name": "Gone", "is_active": False}],
    )
    path = workshop.path("work-item-types/schema")
    label = await workshop.make("labels", name=unique("bug"), color="#fff")
    answer = await workshop.gil.get(path, type_id=item_type["id"], include="members,labels")
    assert answer.status_code == 200
    schema = answer.json
    assert (schema["type_id"], schema["type_description"]) == (item_type["id"], "Broken")
    assert [one["value"] for one in schema["fields"]["priority"]["options"]][:2] == ["urgent", "high"]
    assert schema["fields"]["state_id"]["options"][0]["group"] == "backlog"
    assert label["id"] in [one["id"] for one in schema["fields"]["label_ids"]["options"]]
    people = [one["id"] for one in schema["fields"]["assignee_ids"]["options"]]
    assert workshop.cast.ana["id"] in people
    assert workshop.cast.zoe["id"] not in people
    field = schema["custom_fields"]["custom_field_severity"]
    assert (field["id"], field["type"], field["required"]) == (owner["id"], "OPTION", True)
    assert [one["name"] for one in field["options"]] == ["High"]


async def test_without_a_type_there_are_the_fields_alone(workshop: Workshop) -> None:
    path = workshop.path("work-item-types/schema")
    schema = (await workshop.ana.get(path)).json
    assert (schema["type_id"], schema["custom_fields"]) == (None, {})
    assert "options" not in schema["fields"]["label_ids"]
    assert (await workshop.ana.get(path, type_id=new_id())).status_code == 404
    assert (await workshop.ana.get(path, type_id="x")).json == {"type_id": ["“x” is not a valid UUID."]}
