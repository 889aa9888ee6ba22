"""What an id in a value may name: an option of the property, a person, a work item that the caller sees."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row, TextList, is_uuid
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.record import Reference
from airside.rest.references import find_missing
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import property_options
from airside.work.work_items.parents import expand_parent
from airside.workspaces.tables import workspace_members

_OF_PROPERTY = (
    tenant(property_options),
    property_options.c.property_id == sa.bindparam("property_id", type_=Id()),
    property_options.c.is_active,
    live(property_options),
)
_OPTIONS = Statement(
    sa.select(property_options.c.id).where(*_OF_PROPERTY, any_of(property_options.c.id, "ids"))
)
_NAMED = Statement(
    sa.select(property_options.c.id, property_options.c.name).where(
        *_OF_PROPERTY, any_of(property_options.c.name, "names", TextList())
    )
)
_PEOPLE = Reference(workspace_members, column="user_id")


async def resolve_options(call: Call, owner: Row, given: Sequence[Any]) -> list[Any]:
    """The values with the names of options replaced by their ids, as plane-compose sends them. What names several
    options, or none, stays as it is."""
    names = [one for one in given if isinstance(one, str) and not is_uuid(one)]
    if not names or owner["property_type"] not in WITH_OPTIONS:
        return list(given)
    keys = {"workspace_id": call.workspace_id, "property_id": owner["id"]}
    found = await call.reader.fetch_all(_NAMED, **keys, names=names)
    times = Counter(row["name"] for row in found)
    ids = {row["name"]: row["id"] for row in found if times[row["name"]] == 1}
    return [ids.get(one, one) if isinstance(one, str) else one for one in given]


async def check_targets(call: Call, owner: Row, values: Sequence[Row]) -> None:
    """Raises Invalid, in the words for an unknown id, for an id that names nothing the property can have."""
    ids = [value["value_id"] for value in values if value["value_id"] is not None]
    known = await _find_known(call, owner, ids) if ids else set[str]()
    missing = [f'Invalid pk "{one}" - object does not exist.' for one in ids if one not in known]
    if missing:
        raise Invalid({"value": missing}, {"value": "does_not_exist"})


async def _find_known(call: Call, owner: Row, ids: list[str]) -> set[str]:
    if owner["property_type"] in WITH_OPTIONS:
        keys = {"workspace_id": call.workspace_id, "property_id": owner["id"]}
        return {row["id"] for row in await call.reader.fetch_all(_OPTIONS, **keys, ids=ids)}
    match owner["relation_type"]:
        case "USER":
            return set(ids) - set(await find_missing(call, _PEOPLE, ids))
        case "ISSUE":
            return set(await expand_parent(call, ids))
        case _:
            return set()  # releases, of which there are none
