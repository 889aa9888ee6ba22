"""The values that work items have of their type's properties."""

import pytest
from plane.errors import HttpError
from plane.models.work_item_properties import CreateWorkItemPropertyValue
from plane.models.work_items import CreateWorkItem

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.python.types import attached
from tests.sdk_rows.rows import row


def valued(place: Place, value: str) -> tuple[str, str, str, str]:
    """The ids of a work item and of a property of which it has this value, for the methods of values."""
    type_id, one = attached(place)
    item = CreateWorkItem(name=unique("Wheel"), type_id=type_id)
    made = place.client.work_items.create(SLUG, place.project_id, item)
    ids = (SLUG, place.project_id, made.id, one.id)
    place.client.work_item_properties.values.create(*ids, CreateWorkItemPropertyValue(value=value))
    return ids


def read(place: Place, ids: tuple[str, str, str, str]) -> float:
    return float(place.client.work_item_properties.values.retrieve(*ids).value)  # type: ignore[union-attr,arg-type]


@row("work_item_properties.values.create")
def create(place: Place) -> None:
    assert read(place, valued(place, "7.5")) == 7.5


@row("work_item_properties.values.retrieve")
def retrieve(place: Place) -> None:
    first, second = valued(place, "7.5"), valued(place, "8")
    assert (read(place, first), read(place, second)) == (7.5, 8)


@row("work_item_properties.values.update")
def update(place: Place) -> None:
    ids = valued(place, "7.5")
    place.client.work_item_properties.values.update(*ids, {"value": "9"})
    assert read(place, ids) == 9


@row("work_item_properties.values.delete")
def delete(place: Place) -> None:
    ids = valued(place, "7.5")
    place.client.work_item_properties.values.delete(*ids)
    with pytest.raises(HttpError) as gone:
        read(place, ids)
    assert gone.value.status_code == 404
