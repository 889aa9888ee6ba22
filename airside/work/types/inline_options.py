"""Options within their property: shown with it, made and changed by its body, and part of its events."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.rest.body import check_body, check_object, with_defaults
from airside.rest.call import Call
from airside.rest.face import columns_of, to_columns
from airside.rest.shaping import shown_names
from airside.work.types.options import OPTIONS_V1, OptionIn, OptionOut
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.sorting import next_sort
from airside.work.types.tables import property_options

MAX_INLINE = 200  # options of one body

_OF_PROPERTIES = Statement(
    sa.select(property_options)
    .where(tenant(property_options), any_of(property_options.c.property_id, "ids"), live(property_options))
    .order_by(property_options.c.sort_order, property_options.c.id)
)


class Plan(NamedTuple):
    """What a body changes: new options, and the changed columns of others by their id."""

    new: list[Row]
    changed: dict[str, Row]


async def find_options(call: Call, rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """The options of each property, as v1 shows them."""
    ids = [row["id"] for row in rows if row["property_type"] in WITH_OPTIONS]
    found: dict[str, list[Row]] = {}
    columns = columns_of(OPTIONS_V1, shown_names(OptionOut))
    for option in await _read(call, ids):
        shown = {name: option[column] for name, column in columns.items()}
        found.setdefault(option["property_id"], []).append(shown)
    return found


async def plan_options(call: Call, owner: Row, sent: Sequence[Any]) -> Plan:
    """What the options in a property's body change: one with an id that option, the others are new; options that
    it doesn't name stay. Raises Invalid by their position."""
    if sent and owner["property_type"] not in WITH_OPTIONS:
        raise Invalid(
            {"options": [f"Only properties of the types {' and '.join(WITH_OPTIONS)} have options."]}
        )
    if len(sent) > MAX_INLINE:
        raise Invalid({"options": [f"Ensure this field has no more than {MAX_INLINE} elements."]})
    known = {row["id"]: row for row in await _read(call, [owner["id"]])}
    plan, errors = Plan([], {}), Row()
    for position, one in enumerate(sent):
        try:
            _plan_one(plan, known, one)
        except Invalid as error:
            errors[str(position)] = error.fields
    if errors:
        raise Invalid({"options": errors})
    _choose_default(plan, known, owner)
    return plan


async def store_plan(call: Call, owner: Row, plan: Plan) -> None:
    keys = {"workspace_id": call.workspace_id, "property_id": owner["id"]}
    user_id = call.caller.user_id
    stamps = {"created_at": call.now, "updated_at": call.now, "created_by_id": user_id}
    fixed = {**keys, "project_id": owner["project_id"], **stamps}
    await call.writer.insert_all(property_options, [{"id": new_id(), **one, **fixed} for one in plan.new])
    for option_id, changes in plan.changed.items():
        columns = {**changes, "updated_at": call.now, "updated_by_id": user_id}
        await call.writer.update(property_options, columns, **keys, id=option_id)


async def _read(call: Call, property_ids: Sequence[str]) -> Sequence[Row]:
    if not property_ids:
        return []
    return await call.reader.fetch_all(_OF_PROPERTIES, workspace_id=call.workspace_id, ids=list(property_ids))


def _plan_one(plan: Plan, known: Mapping[str, Row], sent: Any) -> None:
    given = check_object(sent).get("id")
    if given is None:
        columns = to_columns(OPTIONS_V1, with_defaults(OptionIn, check_body(OptionIn, sent, partial=False)))
        if columns["sort_order"] is None:
            orders = [row["sort_order"] for row in (*known.values(), *plan.new)]
            columns["sort_order"] = next_sort(max(orders, default=None))
        plan.new.append(columns)
    else:
        columns = to_columns(OPTIONS_V1, check_body(OptionIn, sent, partial=True))
        before = known.get(str(given).lower())
        if before is None:
            raise Invalid({"id": [f'Invalid pk "{given}" - object does not exist.']})
        changes = {name: value for name, value in columns.items() if before[name] != value}
        if changes:
            plan.changed[before["id"]] = changes
    _check_parent(columns.get("parent_id"), known, own_id=given)


def _check_parent(parent_id: str | None, known: Mapping[str, Row], own_id: Any) -> None:
    """Raises Invalid for a parent that isn't an option of the property already, or is below the option."""
    if parent_id is None:
        return
    if parent_id not in known:
        raise Invalid({"parent": [f'Invalid pk "{parent_id}" - object does not exist.']})
    above: str | None = parent_id
    while above is not None and above in known:
        if above == own_id:
            raise Invalid({"parent": ["It cannot be below itself."]})
        above = known[above]["parent_id"]


def _choose_default(plan: Plan, known: Mapping[str, Row], owner: Row) -> None:
    """A property with one value has one default option: the last that the body says."""
    changed = [plan.changed[one] for one in plan.changed if plan.changed[one].get("is_default")]
    chosen = [*changed, *(one for one in plan.new if one["is_default"])]
    if owner["is_multi"] or not chosen:
        return
    for one in chosen[:-1]:
        one["is_default"] = False
    for option_id, row in known.items():
        if row["is_default"] and plan.changed.get(option_id) is not chosen[-1]:
            plan.changed.setdefault(option_id, {})["is_default"] = False
