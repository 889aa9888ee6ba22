"""The values that work items have of their properties: read for many work items at once, stored for one."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import property_options, property_values, work_item_properties
from airside.work.types.value_rules import show_value

_OPTION = sa.and_(
    property_options.c.workspace_id == property_values.c.workspace_id,
    property_options.c.id == property_values.c.value_id,
    live(property_options),
)
# Values of properties and options that aren't deleted.
_VALUES = (
    sa.select(
        property_values,
        work_item_properties.c.property_type,
        work_item_properties.c.relation_type,
        work_item_properties.c.is_multi,
    )
    .join(
        work_item_properties,
        sa.and_(
            work_item_properties.c.workspace_id == property_values.c.workspace_id,
            work_item_properties.c.id == property_values.c.property_id,
            live(work_item_properties),
        ),
    )
    .join(property_options, _OPTION, isouter=True)
    .where(
        tenant(property_values),
        any_of(property_values.c.work_item_id, "ids"),
        sa.or_(
            sa.and_(*(work_item_properties.c.property_type != kind for kind in WITH_OPTIONS)),
            property_options.c.id.is_not(None),
        ),
    )
    .order_by(work_item_properties.c.sort_order, property_values.c.property_id, property_values.c.position)
)
_OF_ITEMS = Statement(_VALUES)
_OF_PROPERTY = Statement(
    _VALUES.where(property_values.c.property_id == sa.bindparam("property_id", type_=Id()))
)
_DELETE_FROM = Statement(
    sa.delete(property_values).where(
        tenant(property_values),
        property_values.c.work_item_id == sa.bindparam("work_item_id", type_=Id()),
        property_values.c.property_id == sa.bindparam("property_id", type_=Id()),
        property_values.c.position >= sa.bindparam("position", type_=sa.Integer()),
    )
)


async def find_value_rows(call: Call, work_item_ids: Sequence[str]) -> Sequence[Row]:
    """The values of these work items, in the order of the properties, each with its property's type."""
    return await call.reader.fetch_all(_OF_ITEMS, workspace_id=call.workspace_id, ids=list(work_item_ids))


async def find_custom_fields(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
    """Work item → property → its value, or the list of its values."""
    found: dict[str, Row] = {}
    for value in await find_value_rows(call, [row["id"] for row in rows]):
        fields = found.setdefault(value["work_item_id"], {})
        shown = value["value_text"] if value["relation_type"] == "RICH_TEXT" else show_value(value, value)
        if value["is_multi"]:
            fields.setdefault(value["property_id"], []).append(shown)
        else:
            fields.setdefault(value["property_id"], shown)
    return found


CUSTOM_FIELDS = Computed(load=find_custom_fields, empty={}, event_name="custom_fields")


async def list_values(call: Call, work_item_id: str, property_id: str | None = None) -> Sequence[Row]:
    """The work item's values, of one property or of all, in the properties' order; with their property's type."""
    keys = {"workspace_id": call.workspace_id, "ids": [work_item_id]}
    if property_id is None:
        return await call.reader.fetch_all(_OF_ITEMS, **keys)
    return await call.reader.fetch_all(_OF_PROPERTY, **keys, property_id=property_id)


async def store_values(
    call: Call, item: Row, property_id: str, values: Sequence[Row], external: Mapping[str, Any] | None = None
) -> None:
    """Make these the work item's values of the property; a value at the same position keeps its id."""
    keys = {"workspace_id": call.workspace_id, "work_item_id": item["id"], "property_id": property_id}
    stored = {row["position"]: row for row in await call.reader.find_all(property_values, **keys)}
    for position, value in enumerate(values):
        columns, before = {**value, **(external or {})}, stored.get(position)
        if before is None:
            row = {**keys, **columns, "updated_at": call.now}
            await call.writer.insert(property_values, _new(call, item, row, position))
        elif any(before[name] != new for name, new in columns.items()):
            columns |= {"updated_at": call.now, "updated_by_id": call.caller.user_id}
            await call.writer.update(property_values, columns, **keys, position=position)
    if len(values) < len(stored):
        await call.writer.execute(_DELETE_FROM, **keys, position=len(values))


def _new(call: Call, item: Row, columns: Row, position: int) -> Row:
    return {
        "id": new_id(),
        "project_id": item["project_id"],
        "position": position,
        "created_at": call.now,
        "created_by_id": call.caller.user_id,
        **columns,
    }
