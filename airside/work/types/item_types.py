"""The type of a work item: which it may have, which it gets, and what becomes of its values when it changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import in_project, live, tenant
from airside.db.statements import Statement, any_of, unindexed
from airside.errors import Invalid
from airside.rest.call import Call
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import (
    property_options,
    type_properties,
    work_item_properties,
    work_item_types,
)
from airside.work.types.value_history import describe_values
from airside.work.types.value_rules import read_value
from airside.work.types.value_targets import check_targets
from airside.work.types.values import store_values
from airside.work.work_items.activities import Happening, record_happenings

_IN_PROJECT = (tenant(work_item_types), in_project(work_item_types), live(work_item_types))
# Shared locks: until the transaction ends nobody deletes the type, and others take it at the same time.
_FIND = Statement(
    sa.select(work_item_types.c.is_active)
    .where(*_IN_PROJECT, work_item_types.c.id == sa.bindparam("type_id", type_=Id()))
    .with_for_update(read=True, of=work_item_types)
)
_is_default = sa.and_(
    tenant(work_item_types), work_item_types.c.is_default, work_item_types.c.is_active, live(work_item_types)
)
_OWN_DEFAULT = Statement(
    sa.select(work_item_types.c.id)
    .where(_is_default, work_item_types.c.project_id == sa.bindparam("project_id", type_=Id()))
    .order_by(work_item_types.c.created_at)
    .limit(1)
)
_WORKSPACE_DEFAULT = Statement(
    sa.select(work_item_types.c.id)
    .where(_is_default, work_item_types.c.project_id.is_(None), in_project(work_item_types))
    .order_by(work_item_types.c.created_at)
    .limit(1)
)
_PROPERTIES = Statement(
    sa.select(work_item_properties)
    .join(
        type_properties,
        sa.and_(
            type_properties.c.workspace_id == work_item_properties.c.workspace_id,
            type_properties.c.property_id == work_item_properties.c.id,
            live(type_properties),
        ),
    )
    .where(
        tenant(work_item_properties),
        type_properties.c.type_id == sa.bindparam("type_id", type_=Id()),
        live(work_item_properties),
    )
    .order_by(unindexed(work_item_properties.c.sort_order), work_item_properties.c.id)  # a type has few
)
_DEFAULT_OPTIONS = Statement(
    sa.select(property_options.c.property_id, property_options.c.id)
    .where(
        tenant(property_options),
        any_of(property_options.c.property_id, "ids"),
        property_options.c.is_default,
        property_options.c.is_active,
        live(property_options),
    )
    .order_by(property_options.c.sort_order, property_options.c.id)
)


async def check_item_type(call: Call, type_id: str | None) -> None:
    """Raises Invalid for a type that the project doesn't have, or that is inactive."""
    if type_id is not None and not await hold_type(call, type_id):
        raise Invalid({"type_id": ["This work item type is not active."]})


async def hold_type(call: Call, type_id: str) -> bool:
    """Whether the type is active, which nobody deletes until the transaction ends. Raises Invalid for one that the
    project doesn't have."""
    keys = {"workspace_id": call.workspace_id, "project_id": call.project_id}
    is_active = await call.reader.fetch_value(_FIND, **keys, type_id=type_id)
    if is_active is None:
        raise Invalid({"type_id": [f'Invalid pk "{type_id}" - object does not exist.']})
    return is_active


async def find_default_type(call: Call) -> str | None:
    """The type of a new work item that names none, in a project that uses types: the project's own before the
    workspace's."""
    if not call.project["is_issue_type_enabled"]:
        return None
    keys = {"workspace_id": call.workspace_id, "project_id": call.project_id}
    own = await call.reader.fetch_value(_OWN_DEFAULT, **keys)
    return own or await call.reader.fetch_value(_WORKSPACE_DEFAULT, **keys)


async def hold_default_type(call: Call) -> str | None:
    """As `find_default_type`, for a work item that takes it; none where another request has just deleted it."""
    type_id = await find_default_type(call)
    keys = {"workspace_id": call.workspace_id, "project_id": call.project_id}
    if type_id is None or await call.reader.fetch_value(_FIND, **keys, type_id=type_id) is None:
        return None
    return type_id


async def list_properties(call: Call, type_id: str) -> Sequence[Row]:
    """The properties of a type in their order, also inactive ones."""
    return await call.reader.fetch_all(_PROPERTIES, workspace_id=call.workspace_id, type_id=type_id)


async def fill_defaults(call: Call, item: Row, present: Mapping[str, Any]) -> None:
    """Store the default values of the properties that the work item's type has and `present` hasn't."""
    if item["type_id"] is None or call.is_import:
        return
    wanted = [
        one
        for one in await list_properties(call, item["type_id"])
        if one["is_active"] and one["id"] not in present
    ]
    chosen = await _find_default_options(call, wanted)
    for owner in wanted:
        values = await _read_defaults(call, owner, chosen.get(owner["id"]) or owner["default_value"])
        if values:
            await store_values(call, item, owner["id"], values)


async def split_values(call: Call, fields: Mapping[str, Any], type_id: str | None) -> tuple[Row, Row]:
    """The values that a type has properties for, and those that it hasn't. No type keeps all."""
    if type_id is None or not fields:
        return dict(fields), {}
    fitting = {one["id"] for one in await list_properties(call, type_id)}
    kept = {name: value for name, value in fields.items() if name in fitting}
    return kept, {name: value for name, value in fields.items() if name not in kept}


async def drop_values(call: Call, item: Row, property_ids: Sequence[str]) -> None:
    for property_id in property_ids:
        await store_values(call, item, property_id, [])


async def _find_default_options(call: Call, owners: Sequence[Row]) -> Mapping[str, list[str]]:
    ids = [one["id"] for one in owners if one["property_type"] in WITH_OPTIONS]
    found: dict[str, list[str]] = {}
    if ids:
        for option in await call.reader.fetch_all(_DEFAULT_OPTIONS, workspace_id=call.workspace_id, ids=ids):
            found.setdefault(option["property_id"], []).append(option["id"])
    return found


async def _read_defaults(call: Call, owner: Row, texts: Sequence[str]) -> list[Row]:
    """The values of a default; none where it names what isn't there any more."""
    try:
        values = [read_value(owner, text) for text in texts]
        await check_targets(call, owner, values)
    except Invalid:
        return []
    return values if owner["is_multi"] else values[:1]


async def follow_type(call: Call, item: Row, kept: Row, left: Row) -> None:
    """After a change of the type: drop the values that it has no property for, which the history lists, and fill in
    its defaults."""
    await drop_values(call, item, list(left))
    await fill_defaults(call, item, kept)
    lost = [
        Happening("updated", one.name, one.old, one.new, comment=f"removed the {one.name} with the type")
        for one in await describe_values(call, left, {})
    ]
    await record_happenings(call, item["id"], item["project_id"], lost)
