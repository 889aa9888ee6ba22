"""Names that one record of a project, or of the workspace, has at a time: those of states and labels."""

from functools import cache

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Conflict
from airside.rest.call import Call
from airside.rest.record import Record


async def check_name(record: Record, call: Call, name: str) -> None:
    """Raises Conflict with the id of the record that has this name, in the call's project or in the workspace."""
    taken = await find_named(record, call, name)
    if taken is not None:
        level = "project" if "project_id" in record.table.c else "workspace"
        raise Conflict(f"{record.noun} with the same name already exists in the {level}", existing=taken)


async def find_named(record: Record, call: Call, name: str) -> str | None:
    """The id of the record that has this name, in the call's project or in the workspace."""
    keys = {"workspace_id": call.workspace_id}
    if "project_id" in record.table.c:
        keys["project_id"] = call.project_id
    return await call.reader.fetch_value(_by_name(record.table), **keys, name=name)


@cache
def _by_name(table: sa.Table) -> Statement:
    columns = table.c
    clause = sa.select(columns.id).where(tenant(table), columns.name == sa.bindparam("name"), live(table))
    if "project_id" in columns:
        clause = clause.where(columns.project_id == sa.bindparam("project_id", type_=columns.project_id.type))
    return Statement(clause)
