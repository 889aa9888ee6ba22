"""What an id in a value may name: an option of the property, a person, a work item that the caller sees."""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.db.base import Id, Row
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

_OPTIONS = Statement(
    sa.select(property_options.c.id).where(
        tenant(property_options),
        property_options.c.property_id == sa.bindparam("property_id", type_=Id()),
        any_of(property_options.c.id, "ids"),
        property_options.c.is_active,
        live(property_options),
    )
)
_PEOPLE = Reference(workspace_members, column="user_id")


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
