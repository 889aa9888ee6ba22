"""Which properties a type has: links, each of which records its event."""

from dataclasses import replace

from airside.rest.body import Body, Uuid
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Parent, Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.work.types.tables import type_properties, work_item_properties, work_item_types


class TypePropertiesIn(Body):
    """The Node SDK sends one id as `property_id`."""

    properties: list[Uuid] | None = None
    property_id: Uuid | None = None


class TypePropertyOut(Shown):
    id: str
    type: str
    property: str


class TypeProperties(Record):
    noun = "Work item type property"
    table = type_properties
    level = Level.BOTH
    event = "work_item_type.property"
    parents = (Parent("type_id", work_item_types, "type_id"),)
    references = {"property_id": Reference(work_item_properties)}
    write_role = ADMIN


TYPE_PROPERTIES = Face(
    TypeProperties(),
    wire=V1,
    path="projects/{project_id}/work-item-types/{type_id}/properties",
    key="property_id",
    body=TypePropertiesIn,
    shown=TypePropertyOut,
    scope="projects.work_item_properties",
)
WORKSPACE_TYPE_PROPERTIES = replace(
    TYPE_PROPERTIES, path="work-item-types/{type_id}/properties", scope="workspaces.work_item_properties"
)
