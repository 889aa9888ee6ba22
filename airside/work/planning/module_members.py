"""The members of modules, in the given order, read for many modules at once."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.parameters import Link, Many
from airside.work.planning.tables import module_members

_MEMBERS = Statement(
    sa.select(module_members.c.module_id, module_members.c.member_id)
    .where(tenant(module_members), any_of(module_members.c.module_id, "ids"))
    .order_by(module_members.c.position)
)


async def _load(call: Call, rows: Sequence[Row]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    ids = [row["id"] for row in rows]
    for link in await call.reader.fetch_all(_MEMBERS, workspace_id=call.workspace_id, ids=ids):
        found.setdefault(link["module_id"], []).append(link["member_id"])
    return found


MEMBERS = Computed(
    load=_load,
    empty=[],
    is_list=True,
    event_name="member_ids",
    filter=Many(
        link=Link(module_members, "module_id", "member_id"),
        sentence="Only those with one of these people, separated by commas.",
    ),
)


async def replace_members(call: Call, module_id: str, user_ids: Sequence[str]) -> None:
    keys = {"workspace_id": call.workspace_id, "module_id": module_id}
    await call.writer.delete(module_members, **keys)
    rows = [{**keys, "member_id": one, "position": position} for position, one in enumerate(user_ids)]
    await call.writer.insert_all(module_members, rows)
