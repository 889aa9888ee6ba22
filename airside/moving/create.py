"""Stores one record of a source here, by the rules for new records of its kind, with what it keeps from there."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import msgspec

from airside.db.base import Row
from airside.errors import NotFound, Refused
from airside.moving.families import Family
from airside.moving.files import create_file
from airside.moving.translate import read_value
from airside.rest.body import check_body, fields_of, with_defaults
from airside.rest.call import Call
from airside.rest.face import to_columns, wire_names
from airside.rest.references import check_references
from airside.rest.selection import find_record
from airside.rest.verbs import create_record, in_transaction, store_record
from airside.work.intake.items import INTAKE_V1
from airside.work.pages.filing import place
from airside.work.pages.tables import collection_pages, collections
from airside.work.types.properties import PROPERTIES_V1
from airside.work.types.tables import property_values
from airside.work.types.work_item_values import ValueIn, create_value
from airside.work.work_items.dependency_circles import check_circle
from airside.work.work_items.related_items import find_items
from airside.work.work_items.relation_definitions import find_definition
from airside.work.work_items.relation_kinds import CUSTOM, DEPENDENCIES, INVERSES
from airside.work.work_items.relations import DEPENDENCIES_V1, RELATIONS_V1
from airside.work.work_items.work_items import WORK_ITEMS_V1

Create = Callable[[Family, Call, Row], Awaitable[str]]  # returns the id of the new record


async def create_row(family: Family, call: Call, row: Row) -> str:
    """The id of the new record. Raises Invalid, Refused, Conflict, NotFound."""
    return await _CREATORS.get(family.name, _create_declared)(family, call, row)


async def _create_declared(family: Family, call: Call, row: Row) -> str:
    """By its body, as a client's POST."""
    face = family.face_of(row)
    body = {
        field.name: row[field.name]
        for field in fields_of(face.body)
        if row.get(field.name) is not None
        and field.name in family.columns
        and field.name not in family.settles
    }
    sent = to_columns(face, with_defaults(face.body, check_body(face.body, body, partial=False)))
    with wire_names(face):
        await face.record.prepare(call, sent)
        made = await in_transaction(call, lambda: create_record(face, call, sent))
    return made["id"]


async def _create_member_of_collection(family: Family, call: Call, row: Row) -> str:
    """As the collection's owner, who sees it."""
    found = await call.reader.find(collections, workspace_id=call.workspace_id, id=row["collection"])
    if found is None:
        raise NotFound
    call.caller = msgspec.structs.replace(call.caller, user_id=found["owned_by_id"])
    return await _create_declared(family, call, row)


async def _link(field: str, family: Family, call: Call, row: Row) -> str:
    """A link between what the path names and the record in the field."""
    face = family.face_of(row)
    sent = to_columns(face, {field: row[field]})

    async def work() -> Row:
        await check_references(face, call, sent, {})
        if field == "issue":
            await find_record(WORK_ITEMS_V1, call, row[field])
        return await store_record(face, call, sent)

    return (await in_transaction(call, work))["id"]


async def _relate(family: Family, call: Call, row: Row) -> str:
    kind, ends = row.get("relation_type"), (row["issue"], row["related_issue"])
    if kind not in INVERSES and kind != CUSTOM:
        raise Refused("There is no such kind of relation.")
    sent = {
        "related_issue_id": ends[1],
        "relation_type": kind,
        "definition_id": row.get("definition"),
        "is_related": False,
    }

    async def work() -> Row:
        await call.access.lock_workspace(call)
        call.prepared["items"] = await find_items(call, ends)
        if len({*ends, *call.prepared["items"]}) != len(call.prepared["items"]) or ends[0] == ends[1]:
            raise Refused("Only two work items that are listed can be related.")
        if kind == CUSTOM:
            call.prepared["definitions"] = {sent["definition_id"]: await _get_definition(call, row)}
        if kind in DEPENDENCIES:
            await check_circle(call, "related_issue", kind, [ends[0]], [ends[1]])
        return await store_record(DEPENDENCIES_V1 if kind in DEPENDENCIES else RELATIONS_V1, call, sent)

    return (await in_transaction(call, work))["id"]


async def _get_definition(call: Call, row: Row) -> Row:
    found = await find_definition(call, row["definition"]) if row.get("definition") else None
    if found is None:
        raise Refused("The definition of the relation didn't come.")
    return found


async def _file(family: Family, call: Call, row: Row) -> str:
    """What waits in the intake; its work item came as one."""
    await find_record(WORK_ITEMS_V1, call, row["issue"])
    sent: Row = {"issue_id": row["issue"], "source_email": None, "source": None}
    sent |= {
        name: _read(family, row, name) for name in ("source", "source_email") if row.get(name) is not None
    }
    if call.kept.get("status") not in (-2, -1, 0, 1, 2):
        raise Refused("There is no such decision on an intake work item.")
    return (await in_transaction(call, lambda: store_record(INTAKE_V1, call, sent)))["id"]


def _read(family: Family, row: Row, name: str) -> Any:
    return read_value(family.table.c[family.columns[name]], row[name], name)


async def _place(family: Family, call: Call, row: Row) -> str:
    """The order of a page in its collection, which the page has been put into."""
    keys = {"workspace_id": call.workspace_id, "collection_id": row["collection"], "page_id": row["page"]}
    order = _read(family, row, "sort_order")

    async def work() -> str:
        found = [one for one in await call.reader.find_all(collection_pages, **keys) if not one["deleted_at"]]
        if not found:
            raise Refused("The page isn't in the collection.")
        await place(call, row["page"], row["collection"], order)
        await call.writer.update(
            collection_pages, call.kept, workspace_id=call.workspace_id, id=found[0]["id"]
        )
        return found[0]["id"]

    return await in_transaction(call, work)


async def create_values(call: Call, row: Row) -> str:
    """The values that a work item has of one property."""
    call.path |= {"work_item_id": row["work_item"], "property_id": row["property"]}
    owner = await find_record(PROPERTIES_V1, call, row["property"])
    values: Any = row["values"]
    if owner["relation_type"] == "RICH_TEXT":
        values = [{"description_html": one} for one in values]
    body = {"value": values if owner["is_multi"] else values[0]}
    body |= {name: row[name] for name in ("external_source", "external_id") if row.get(name) is not None}
    call.body = check_body(ValueIn, body, partial=False)
    shown: Any = await create_value(call)
    keys = {
        "workspace_id": call.workspace_id,
        "work_item_id": row["work_item"],
        "property_id": row["property"],
    }
    given = {column: row[name] for column, name in _STAMPS_OF_VALUES.items() if row.get(name) is not None}
    stamps = {column: read_value(property_values.c[column], value, column) for column, value in given.items()}
    if stamps:
        await in_transaction(call, lambda: call.writer.update(property_values, stamps, **keys))
    first = cast(Row, shown[0] if isinstance(shown, list) else shown)
    return first["id"]


_STAMPS_OF_VALUES = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "created_by_id": "created_by",
    "updated_by_id": "updated_by",
}


_CREATORS: dict[str, Create] = {
    "attachments": create_file,
    "workspace_files": create_file,
    "collection_members": _create_member_of_collection,
    "collection_pages": _place,
    "cycle_work_items": partial(_link, "issue"),
    "intake_items": _file,
    "milestone_work_items": partial(_link, "issue"),
    "module_work_items": partial(_link, "issue"),
    "relations": _relate,
    "work_item_type_properties": partial(_link, "property"),
}
