"""The values of a work item's properties: GET, POST, PATCH and DELETE, each a change of the work item."""

from datetime import datetime
from typing import Any, cast

from airside.db.base import Row
from airside.errors import Invalid, NotFound, Refused
from airside.rest.body import AnyProperties, Body, Key, check_object
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Shown
from airside.rest.gate import record_updated
from airside.rest.parameters import Id, read_parameter
from airside.rest.record import MEMBER
from airside.rest.route import Handler, Route
from airside.rest.selection import find_record
from airside.rest.verbs import in_transaction, store_changes
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rich_text.html import clean_html, strip_html
from airside.work.types.item_types import list_properties
from airside.work.types.properties import PROPERTIES_V1
from airside.work.types.value_rules import read_value, show_value
from airside.work.types.value_targets import check_targets, resolve_options
from airside.work.types.values import find_custom_fields, list_values, store_values
from airside.work.work_items.work_items import WORK_ITEMS_V1

MAX_VALUES = 100  # of one property


class ValueIn(Body):
    example = {"value": "6f1c8f0e-5c43-4a3f-9d5e-1f1d2c3b4a5f"}

    value: AnyProperties
    external_source: Key | None = None
    external_id: Key | None = None


class RichTextOut(Shown):
    id: str
    description_html: str
    description_stripped: str


class ValueOut(Shown):
    id: str
    property_id: str
    issue_id: str
    value: Any
    value_type: str
    value_detail: RichTextOut | None
    external_id: str | None
    external_source: str | None
    created_at: datetime
    updated_at: datetime


class ValuesOut(Shown):
    """All values of one property."""

    property_id: str
    values: list[Any]


async def list_work_item_values(call: Call) -> list[Row]:
    """The values of every property that has any, in the properties' order. Raises NotFound."""
    item = await find_record(WORK_ITEMS_V1, call, call.path["work_item_id"])
    wanted = read_parameter(Id(), "property", call.query)
    found: dict[str, list[Any]] = {}
    for row in await list_values(call, item["id"], wanted):
        found.setdefault(row["property_id"], []).append(show_value(row, row))
    return [{"property_id": one, "values": values} for one, values in found.items()]


async def retrieve_value(call: Call) -> Any:
    """The value, or the list of them. Raises NotFound where there is none of a property with one."""
    item = await find_record(WORK_ITEMS_V1, call, call.path["work_item_id"])
    return await _show(call, item, await find_record(PROPERTIES_V1, call, call.path["property_id"]))


async def create_value(call: Call) -> Any:
    """Set the value, or replace all of a property with several. Raises Invalid, Refused, NotFound."""
    return await _write(call, must_exist=False)


async def update_value(call: Call) -> Any:
    """As `create_value`. Raises NotFound where there is no value yet."""
    return await _write(call, must_exist=True)


async def delete_value(call: Call) -> None:
    """Remove the values. Raises NotFound where there is none, Refused for a required property."""

    async def work() -> None:
        item, owner = await _lock_item(call), await _find_property(call)
        if not await list_values(call, item["id"], owner["id"]):
            raise NotFound
        if owner["is_required"]:
            raise Refused("The property is required, its value can be changed but not removed")
        await store_values(call, item, owner["id"], [])
        await _record(call, item)

    await in_transaction(call, work)


async def _write(call: Call, *, must_exist: bool) -> Any:
    sent = dict(call.body)
    if isinstance(sent.get("value"), dict):
        html = check_object(sent["value"]).get("description_html")
        if not isinstance(html, str):
            raise Invalid({"value": ["Rich text is an object with description_html."]})
        sent["value"] = {"description_html": (await clean_html(html, "value"))[0]}
    return await in_transaction(call, lambda: _store(call, sent, must_exist))


async def _store(call: Call, sent: Row, must_exist: bool) -> Any:
    item, owner = await _lock_item(call), await _find_property(call)
    stored = await list_values(call, item["id"], owner["id"])
    if must_exist and not stored:
        raise NotFound
    await _check_fit(call, item, owner)
    unchanged = [Row() for _ in stored]
    values = await _read_values(call, owner, sent["value"]) if "value" in sent else unchanged
    external = {name: sent[name] for name in ("external_source", "external_id") if name in sent}
    await store_values(call, item, owner["id"], values, external)
    await _record(call, item)
    return await _show(call, item, owner)


async def _lock_item(call: Call) -> Row:
    """The work item, with its computed fields. Raises NotFound, Refused for an archived one."""
    item = await find_record(WORK_ITEMS_V1, call, call.path["work_item_id"], lock=True)
    if item["archived_at"]:
        raise Refused("Archived work item cannot be updated")
    await compute(WORK_ITEMS_V1.record.computed, call, [item])
    return item


async def _find_property(call: Call) -> Row:
    return await find_record(PROPERTIES_V1, call, call.path["property_id"])


async def _check_fit(call: Call, item: Row, owner: Row) -> None:
    """Raises Refused for a property that is inactive, or that the type of the work item doesn't have. A work item
    without a type may have values of all."""
    if not owner["is_active"]:
        raise Refused("The property is not active")
    if item["type_id"] is None:
        return
    if owner["id"] not in {one["id"] for one in await list_properties(call, item["type_id"])}:
        raise Refused("The type of this work item doesn't have the property")


async def _read_values(call: Call, owner: Row, sent: Any) -> list[Row]:
    """The columns of each value. Raises Invalid under `value`."""
    given: list[Any] = cast(list[Any], sent) if isinstance(sent, list) else [sent]
    if len(given) > MAX_VALUES:
        raise Invalid({"value": [f"Ensure this field has no more than {MAX_VALUES} elements."]})
    if not owner["is_multi"] and len(given) != 1:
        raise Invalid({"value": ["This property has one value."]})
    if not given and owner["is_required"]:
        raise Invalid({"value": ["This property is required."]}, {"value": "required"})
    if None in given:
        raise Invalid({"value": ["This field may not be null."]})
    values = [read_value(owner, one) for one in await resolve_options(call, owner, given)]
    unique = [one for position, one in enumerate(values) if one not in values[:position]]
    await check_targets(call, owner, unique)
    return unique


async def _record(call: Call, item: Row) -> None:
    """The event of the work item, if the values have changed."""
    fields = (await find_custom_fields(call, [item])).get(item["id"], {})
    if fields == item["custom_fields"]:
        return
    changes = {"custom_fields": fields, "last_activity_at": call.now}
    after = await store_changes(WORK_ITEMS_V1, call, item, changes)
    await record_updated(call, WORK_ITEMS_V1, item, after, ("custom_fields",))


async def _show(call: Call, item: Row, owner: Row) -> Any:
    shown = [_show_one(owner, row) for row in await list_values(call, item["id"], owner["id"])]
    if owner["is_multi"]:
        return shown
    if not shown:
        raise NotFound
    return shown[0]


def _show_one(owner: Row, row: Row) -> Row:
    html = row["value_text"] if owner["relation_type"] == "RICH_TEXT" else None
    detail = {"id": row["id"], "description_html": html, "description_stripped": strip_html(html or "")}
    return {
        "id": row["id"],
        "property_id": row["property_id"],
        "issue_id": row["work_item_id"],
        "value": show_value(owner, row),
        "value_type": owner["property_type"],
        "value_detail": None if html is None else detail,
        **{name: row[name] for name in ("external_id", "external_source", "created_at", "updated_at")},
    }


_ITEM = "projects/{project_id}/%s/{work_item_id}/%s"
_TAIL = "{property_id}/values"
_PATH = WORKSPACE + _ITEM % ("work-items", "work-item-properties/")
_FORMER = WORKSPACE + _ITEM % ("issues", "issue-properties/")
_SCOPE = "projects.work_item_property_values"


def _value_route(method: str, handler: Handler, verb: str, **fields: Any) -> Route:
    return Route(
        method=method,
        path=_PATH + _TAIL,
        aliases=(_FORMER + _TAIL,),
        handler=handler,
        name=f"{verb}_work_item_property_value",
        summary=f"{verb.capitalize()} the value of a work item's property",
        face=WORK_ITEMS_V1,
        **fields,
    )


_WRITES: dict[str, Any] = {"scope": f"{_SCOPE}:write", "role": MEMBER, "event": "workitem.updated"}
VALUE_ROUTES = [
    Route(
        method="GET",
        path=f"{_PATH}values",
        aliases=(f"{_FORMER}values",),
        handler=list_work_item_values,
        scope=f"{_SCOPE}:read",
        name="list_work_item_property_values",
        summary="List the values of a work item's properties",
        face=WORK_ITEMS_V1,
        shown=list[ValuesOut],
        query={"property": Id(sentence="Only the values of this property.").describe("property")},
    ),
    _value_route("GET", retrieve_value, "retrieve", scope=f"{_SCOPE}:read", shown=ValueOut | list[ValueOut]),
    _value_route("POST", create_value, "create", body=ValueIn, shown=ValueOut | list[ValueOut], **_WRITES),
    _value_route(
        "PATCH",
        update_value,
        "update",
        body=ValueIn,
        partial=True,
        shown=ValueOut | list[ValueOut],
        **_WRITES,
    ),
    _value_route("DELETE", delete_value, "delete", status=204, **_WRITES),
]
