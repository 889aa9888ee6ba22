"""Options of a property: what a work item's value of it is chosen from."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid, Refused
from airside.rest.body import Body, Key, Name, Number, Properties, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Parent, Record, Reference
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.types.levels import check_own
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.sorting import next_sort
from airside.work.types.tables import property_options, work_item_properties

_OF_PROPERTY = (
    tenant(property_options),
    property_options.c.property_id == sa.bindparam("property_id", type_=Id()),
)
_LAST_SORT = Statement(
    sa.select(property_options.c.sort_order)
    .where(*_OF_PROPERTY, live(property_options))
    .order_by(property_options.c.sort_order.desc(), property_options.c.id.desc())
    .limit(1)
)
_END_DEFAULT = Statement(
    sa.update(property_options).where(*_OF_PROPERTY, property_options.c.is_default).values(is_default=False)
)


class OptionIn(Body):
    example = {"name": "High", "description": "Before anything else"}

    name: Name
    description: Text = ""
    logo_props: Properties = {}
    sort_order: Number | None = None
    is_active: bool = True
    is_default: bool = False
    parent: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class OptionOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    sort_order: float
    description: str
    logo_props: Any
    is_active: bool
    is_default: bool
    external_source: str | None
    external_id: str | None
    created_by: Any
    updated_by: Any
    workspace: Any
    project: Any
    property: Any
    parent: Any


class Options(Record):
    noun = "Work item property option"
    table = property_options
    level = Level.BOTH
    event = "work_item_property.option"
    parents = (Parent("property_id", work_item_properties, "property_id"),)
    references = {"parent_id": Reference(property_options)}
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        owner = await _get_property(call, row["property_id"])
        check_own(call, owner)
        if owner["property_type"] not in WITH_OPTIONS:
            raise Refused(f"Only properties of the types {' and '.join(WITH_OPTIONS)} have options")
        await _check_parent(call, row["property_id"], row["parent_id"])
        if row["sort_order"] is None:
            keys = {"workspace_id": call.workspace_id, "property_id": row["property_id"]}
            row["sort_order"] = next_sort(await call.reader.fetch_value(_LAST_SORT, **keys))
        if row["is_default"] and not owner["is_multi"]:
            await _end_default(call, row["property_id"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        check_own(call, row)
        if changes.get("parent_id") != row["parent_id"]:
            await _check_parent(call, row["property_id"], changes.get("parent_id"))
        if changes.get("is_default") and not row["is_default"]:
            owner = await _get_property(call, row["property_id"])
            if not owner["is_multi"]:
                await _end_default(call, row["property_id"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_own(call, row)


OPTIONS_V1 = Face(
    Options(),
    wire=V1,
    path="projects/{project_id}/work-item-properties/{property_id}/options",
    aliases=("projects/{project_id}/issue-properties/{property_id}/options",),
    key="option_id",
    body=OptionIn,
    shown=OptionOut,
    scope="projects.work_item_property_options",
    verbs=("create", "retrieve", "update", "delete"),
    order_by=("sort_order",),
    page_size=1000,  # a bare array: a client sees no next page
    expands={
        "project": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "updated_by": expand_user,
        "property": expand_rows(work_item_properties, "name", "display_name", "property_type"),
        "parent": expand_rows(property_options, "name"),
    },
)
WORKSPACE_OPTIONS_V1 = replace(
    OPTIONS_V1,
    path="work-item-properties/{property_id}/options",
    aliases=(),
    scope="workspaces.work_item_properties",
    noun="Workspace work item property option",
)
OPTION_LISTS = (bare_list_route(WORKSPACE_OPTIONS_V1), bare_list_route(OPTIONS_V1))


async def _get_property(call: Call, property_id: str) -> Row:
    """The option's property, which was found as its parent."""
    found = await call.reader.find(work_item_properties, workspace_id=call.workspace_id, id=property_id)
    assert found is not None
    return found


async def _check_parent(call: Call, property_id: str, parent_id: str | None) -> None:
    """Raises Invalid for an option of another property, as for an unknown one."""
    if parent_id is None:
        return
    found = await call.reader.find(property_options, workspace_id=call.workspace_id, id=parent_id)
    if found is None or found["property_id"] != property_id:
        raise Invalid({"parent": [f'Invalid pk "{parent_id}" - object does not exist.']})


async def _end_default(call: Call, property_id: str) -> None:
    await call.writer.execute(_END_DEFAULT, workspace_id=call.workspace_id, property_id=property_id)
