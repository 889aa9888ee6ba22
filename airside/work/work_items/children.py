"""How many work items are below others, for what links them."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.work.work_items.tables import listed, work_items

_CHILDREN = Statement(
    sa.select(work_items.c.parent_id, sa.func.count().label("children"))
    .where(tenant(work_items), any_of(work_items.c.parent_id, "ids"), listed)
    .group_by(work_items.c.parent_id)
)


async def load_children(call: Call, rows: Sequence[Row]) -> Mapping[str, int]:
    """How many work items are below the one that each row links. Archived ones and drafts don't count."""
    ids = [row["issue_id"] for row in rows]
    found = await call.reader.fetch_all(_CHILDREN, workspace_id=call.workspace_id, ids=ids)
    children = {one["parent_id"]: one["children"] for one in found}
    return {row["id"]: children.get(row["issue_id"], 0) for row in rows}
