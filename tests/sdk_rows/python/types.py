"""Types of work items, their properties and the options of these, of a project and of the workspace."""

from typing import Any

from plane.models.enums import PropertyType
from plane.models.work_item_properties import (
    CreateWorkItemProperty,
    CreateWorkItemPropertyOption,
    UpdateWorkItemProperty,
    UpdateWorkItemPropertyOption,
)
from plane.models.work_item_types import (
    CreateWorkItemType,
    UpdateWorkItemType,
    WorkspaceWorkItemTypePropertyLink,
)

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row


def project(place: Place) -> tuple[str]:
    return (place.project_id,)


def new_type(_: Place) -> CreateWorkItemType:
    return CreateWorkItemType(name=unique("Bug"), description="What is broken")


def new_property(_: Place) -> CreateWorkItemProperty:
    return CreateWorkItemProperty(
        display_name=unique("Weight"),
        property_type=PropertyType.DECIMAL,
        description="In kilograms",
        default_value=["3"],
    )


def change_type(_: Place) -> UpdateWorkItemType:
    return UpdateWorkItemType(name=unique("Defect"), description="What was broken")


def change_property(_: Place) -> UpdateWorkItemProperty:
    return UpdateWorkItemProperty(display_name=unique("Mass"), is_required=True)


def new_option(_: Place) -> CreateWorkItemPropertyOption:
    return CreateWorkItemPropertyOption(name=unique("High"), description="Before all else")


def change_option(_: Place) -> UpdateWorkItemPropertyOption:
    return UpdateWorkItemPropertyOption(name=unique("Higher"))


TYPES = records("work_item_types", new_type, change_type, at=project)
WORKSPACE_TYPES = records("workspace_work_item_types", new_type, change_type)
records(
    "work_item_properties",
    new_property,
    change_property,
    at=lambda place: (place.project_id, TYPES.create(place, project(place))[0].id),
)
PROPERTIES = records(
    "work_item_properties",
    new_property,
    change_property,
    at=project,
    names={verb: f"{verb}_project" for verb in ("create", "retrieve", "list", "update", "delete")},
)
WORKSPACE_PROPERTIES = records("workspace_work_item_properties", new_property, change_property)


def choice() -> CreateWorkItemProperty:
    return CreateWorkItemProperty(display_name=unique("Severity"), property_type=PropertyType.OPTION)


def choice_of_project(place: Place) -> tuple[str, str]:
    made = place.client.work_item_properties.create_project(SLUG, place.project_id, choice())
    return place.project_id, made.id


def choice_of_workspace(place: Place) -> tuple[str]:
    return (place.client.workspace_work_item_properties.create(SLUG, choice()).id,)


records("work_item_properties.options", new_option, change_option, at=choice_of_project)
records("workspace_work_item_properties.options", new_option, change_option, at=choice_of_workspace)


@row("work_item_types.import_to_project")
def import_to_project(place: Place) -> None:
    made, left = (WORKSPACE_TYPES.create(place, ())[0] for _ in range(2))
    place.client.work_item_types.import_to_project(SLUG, place.project_id, [made.id])
    listed = [one.id for one in place.client.work_item_types.list(SLUG, place.project_id)]
    assert made.id in listed
    assert left.id not in listed


def attached(place: Place) -> tuple[str, Any]:
    """The id of a type, and the property that it has."""
    made = TYPES.create(place, project(place))[0].id
    one = PROPERTIES.create(place, project(place))[0]
    assert one.id in place.client.work_item_properties.attach_to_type(SLUG, place.project_id, made, [one.id])
    return made, one


def ids_of_type(place: Place, type_id: str) -> list[str]:
    return [one.id for one in place.client.work_item_properties.list(SLUG, place.project_id, type_id)]


@row("work_item_properties.attach_to_type")
def attach_to_type(place: Place) -> None:
    type_id, one = attached(place)
    assert ids_of_type(place, type_id) == [one.id]


@row("work_item_properties.detach_from_type")
def detach_from_type(place: Place) -> None:
    type_id, one = attached(place)
    place.client.work_item_properties.detach_from_type(SLUG, place.project_id, type_id, one.id)
    assert ids_of_type(place, type_id) == []
    assert PROPERTIES.read(place, project(place), one.id).id == one.id


def attached_in_workspace(place: Place) -> tuple[str, str]:
    """The ids of a type of the workspace and of the property that it has."""
    made, one = WORKSPACE_TYPES.create(place, ())[0].id, WORKSPACE_PROPERTIES.create(place, ())[0].id
    data = WorkspaceWorkItemTypePropertyLink(properties=[one])
    place.client.workspace_work_item_types.properties.create(SLUG, made, data)
    return made, one


@row("workspace_work_item_types.properties.create")
def attach_in_workspace(place: Place) -> None:
    type_id, one = attached_in_workspace(place)
    assert place.client.workspace_work_item_types.properties.list(SLUG, type_id) == [one]


@row("workspace_work_item_types.properties.list")
def list_of_workspace_type(place: Place) -> None:
    type_id, one = attached_in_workspace(place)
    other, _ = attached_in_workspace(place)
    assert place.client.workspace_work_item_types.properties.list(SLUG, type_id) == [one]
    assert one not in place.client.workspace_work_item_types.properties.list(SLUG, other)


@row("workspace_work_item_types.properties.delete")
def detach_in_workspace(place: Place) -> None:
    type_id, one = attached_in_workspace(place)
    place.client.workspace_work_item_types.properties.delete(SLUG, type_id, one)
    assert place.client.workspace_work_item_types.properties.list(SLUG, type_id) == []
