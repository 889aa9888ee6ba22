"""The values that work items have of their properties."""

from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.work_item_properties import CreateWorkItemPropertyValue

from tests.sdk_rows.place import SLUG, Place
from tests.sdk_rows.python.types import PROPERTIES, project
from tests.sdk_rows.rows import row


def make_value(place: Place) -> tuple[str, str, str]:
    """The project, and a work item that has a value of the property."""
    ids = (place.project_id, place.item().id, PROPERTIES.create(place, project(place))[0].id)
    data = CreateWorkItemPropertyValue(value=2.5, external_id="7", external_source="git")
    made: Any = place.client.work_item_properties.values.create(SLUG, *ids, data)
    assert (made.value, made.value_type, made.external_id) == (2.5, "DECIMAL", "7")
    return ids


@row("work_item_properties.values.create")
@row("work_item_properties.values.retrieve")
def retrieve_value(place: Place) -> None:
    ids = make_value(place)
    read: Any = place.client.work_item_properties.values.retrieve(SLUG, *ids)
    assert (read.value, read.issue_id, read.property_id) == (2.5, *ids[1:])


@row("work_item_properties.values.update")
def update_value(place: Place) -> None:
    ids, api = make_value(place), place.client.work_item_properties.values
    before: Any = api.retrieve(SLUG, *ids)
    api.update(SLUG, *ids, {"value": 4})
    after: Any = api.retrieve(SLUG, *ids)
    assert (after.value, after.id) == (4, before.id)


@row("work_item_properties.values.delete")
def delete_value(place: Place) -> None:
    ids, api = make_value(place), place.client.work_item_properties.values
    api.delete(SLUG, *ids)
    with pytest.raises(HttpError) as gone:
        api.retrieve(SLUG, *ids)
    assert gone.value.status_code == 404
