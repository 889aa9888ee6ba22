"""Custom properties of work items, at both levels; and those of one type of a project."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Refused
from airside.rest.body import AnyProperties, Body, Key, Name, Number, Properties, Text
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Narrowing, Record
from airside.rest.selection import find_record
from airside.rest.verbs import insert_record, new_row
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.types.inline_options import find_options, plan_options, store_plan
from airside.work.types.levels import check_definable, check_own
from airside.work.types.options import OptionOut
from airside.work.types.property_rules import PropertyType, RelationType, check_definition
from airside.work.types.sorting import next_sort
from airside.work.types.tables import (
    property_options,
    property_values,
    type_properties,
    work_item_properties,
    work_item_types,
)
from airside.work.types.type_properties import TYPE_PROPERTIES
from airside.work.types.work_item_types import WORK_ITEM_TYPES_V1

_LINKS = Statement(
    sa.select(type_properties)
    .where(tenant(type_properties), any_of(type_properties.c.property_id, "ids"), live(type_properties))
    .order_by(type_properties.c.created_at, type_properties.c.id)
)
_HAS_VALUES = Statement(
    sa.select(property_values.c.id)
    .where(tenant(property_values), property_values.c.property_id == sa.bindparam("property_id", type_=Id()))
    .limit(1)
)
# What is deleted with a property.
_DELETE_WITH = tuple(
    Statement(
        sa.update(table)
        .where(tenant(table), table.c.property_id == sa.bindparam("property_id", type_=Id()), live(table))
        .values(deleted_at=sa.bindparam("now", type_=table.c.deleted_at.type))
    )
    for table in (property_options, type_properties)
)
_ORDER = (work_item_properties.c.sort_order.desc(), work_item_properties.c.id.desc())


def _last_sort(level: sa.ColumnElement[bool]) -> Statement:
    clause = sa.select(work_item_properties.c.sort_order).where(
        tenant(work_item_properties), level, live(work_item_properties)
    )
    return Statement(clause.order_by(*_ORDER).limit(1))


_LAST_SORT = _last_sort(work_item_properties.c.project_id == sa.bindparam("project_id", type_=Id()))
_LAST_WORKSPACE_SORT = _last_sort(work_item_properties.c.project_id.is_(None))
_OF_TYPE = (
    work_item_properties.c.id.in_(
        sa.select(type_properties.c.property_id).where(
            tenant(type_properties, "of_workspace"),
            type_properties.c.type_id == sa.bindparam("of_type", type_=Id()),
            live(type_properties),
        )
    ),
)


class PropertyIn(Body):
    example = {
        "display_name": "Severity",
        "property_type": "OPTION",
        "options": [{"name": "High"}, {"name": "Low", "is_default": True}],
    }

    display_name: Name
    property_type: PropertyType
    name: Name | None = None
    description: Text = ""
    logo_props: Properties = {}
    sort_order: Number | None = None
    relation_type: RelationType | None = None
    is_required: bool = False
    default_value: AnyProperties = None
    settings: Properties | None = None
    is_active: bool = True
    is_multi: bool = False
    validation_rules: AnyProperties = None
    formula_config: AnyProperties = None
    options: list[Properties] | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class PropertyOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    display_name: str
    description: str
    logo_props: Any
    sort_order: float
    property_type: PropertyType
    relation_type: RelationType | None
    is_required: bool
    default_value: list[str]
    settings: Any
    is_active: bool
    is_multi: bool
    validation_rules: Any
    external_source: str | None
    external_id: str | None
    created_by: Any
    updated_by: Any
    workspace: Any
    project: Any
    issue_type: Any
    options: list[OptionOut]


async def _load_types(call: Call, rows: Sequence[Row]) -> Mapping[str, str]:
    """The type in the URL, or else the first that has the property."""
    asked, found = call.path.get("type_id", "").lower(), dict[str, str]()
    ids = [row["id"] for row in rows]
    for link in await call.reader.fetch_all(_LINKS, workspace_id=call.workspace_id, ids=ids):
        if link["type_id"] == asked or link["property_id"] not in found:
            found[link["property_id"]] = link["type_id"]
    return found


class WorkItemProperties(Record):
    noun = "Work item property"
    table = work_item_properties
    level = Level.BOTH
    event = "work_item_property"
    computed = {
        "issue_type": Computed(load=_load_types, event_name="type_id"),
        "options": Computed(load=find_options, empty=[], event_name="options"),
    }
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_definable(call)
        row["name"] = row["name"] or _slug(row["display_name"])
        row["validation_rules"] = row["validation_rules"] or {}
        check_definition(row)
        if row["sort_order"] is None:
            row["sort_order"] = next_sort(await _find_last(call))

    async def after_create(self, call: Call, row: Row, /) -> None:
        await store_plan(call, row, await plan_options(call, row, row["options"] or []))

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        check_own(call, row)
        for name in ("validation_rules", "settings"):
            if name in changes:
                changes[name] = changes[name] or {}
        after = {**row, **changes}
        check_definition(after)
        changes |= {name: after[name] for name in ("settings", "default_value") if after[name] != row[name]}
        kind = ("property_type", "relation_type")
        if any(after[name] != row[name] for name in kind) and await _has_values(call, row["id"]):
            raise Refused("The type of a property that work items have values of can't be changed")
        plan = await plan_options(call, after, changes.pop("options", None) or [])
        if plan.new or plan.changed:
            changes["options"] = plan

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "options" in changes:
            await store_plan(call, row, changes["options"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_own(call, row)
        keys = {"workspace_id": call.workspace_id, "property_id": row["id"]}
        for statement in _DELETE_WITH:
            await call.writer.execute(statement, **keys, now=call.now)


class PropertiesOfType(WorkItemProperties):
    """Those of the type in the URL. Creating one adds it to the type."""

    async def narrow(self, call: Call, /) -> Narrowing:
        item_type = await find_record(WORK_ITEM_TYPES_V1, call, call.path["type_id"])
        return Narrowing(_OF_TYPE, {"of_workspace": call.workspace_id, "of_type": item_type["id"]})

    async def before_create(self, call: Call, row: Row, /) -> None:
        check_own(call, await find_record(WORK_ITEM_TYPES_V1, call, call.path["type_id"]))
        await super().before_create(call, row)

    async def after_create(self, call: Call, row: Row, /) -> None:
        await super().after_create(call, row)
        await insert_record(TYPE_PROPERTIES, call, new_row(TYPE_PROPERTIES, call, {"property_id": row["id"]}))


PROPERTIES_V1 = Face(
    WorkItemProperties(),
    wire=V1,
    path="projects/{project_id}/work-item-properties",
    key="property_id",
    body=PropertyIn,
    shown=PropertyOut,
    scope="projects.work_item_properties",
    noun="Project work item property",
    verbs=("create", "retrieve", "update", "delete"),
    order_by=("sort_order",),
    page_size=1000,  # a bare array: a client sees no next page
    names={"issue_type": "issue_type", "options": "options"},
    expands={
        "project": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "updated_by": expand_user,
        "issue_type": expand_rows(work_item_types, "name", "logo_props", "is_epic"),
    },
)
TYPE_PROPERTIES_V1 = replace(
    PROPERTIES_V1,
    record=PropertiesOfType(),
    path="projects/{project_id}/work-item-types/{type_id}/work-item-properties",
    aliases=("projects/{project_id}/issue-types/{type_id}/issue-properties",),
    noun="",
)
WORKSPACE_PROPERTIES_V1 = replace(
    PROPERTIES_V1,
    path="work-item-properties",
    scope="workspaces.work_item_properties",
    noun="Workspace work item property",
)
PROPERTY_LISTS = tuple(
    bare_list_route(one) for one in (WORKSPACE_PROPERTIES_V1, PROPERTIES_V1, TYPE_PROPERTIES_V1)
)


async def _has_values(call: Call, property_id: str) -> bool:
    keys = {"workspace_id": call.workspace_id, "property_id": property_id}
    return await call.reader.fetch_value(_HAS_VALUES, **keys) is not None


async def _find_last(call: Call) -> float | None:
    if call.project:
        keys = {"workspace_id": call.workspace_id, "project_id": call.project_id}
        return await call.reader.fetch_value(_LAST_SORT, **keys)
    return await call.reader.fetch_value(_LAST_WORKSPACE_SORT, workspace_id=call.workspace_id)


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower()).strip("-_") or "property"
