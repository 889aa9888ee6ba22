"""Names that one record of a project has at a time: its states' and its labels'."""

from functools import cache

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Conflict
from airside.rest.call import Call
from airside.rest.record import Record


async def check_name(record: Record, call: Call, name: str) -> None:
    """Raises Conflict with the id of the record in the call's project that has this name."""
    taken = await call.reader.fetch_value(
        _by_name(record.table), workspace_id=call.workspace_id, project_id=call.project_id, name=name
    )
    if taken is not None:
        raise Conflict(f"{record.noun} with the same name already exists in the project", existing=taken)


@cache
def _by_name(table: sa.Table) -> Statement:
    columns = table.c
    return Statement(
        sa.select(columns.id).where(
            tenant(table),
            columns.project_id == sa.bindparam("project_id", type_=columns.project_id.type),
            columns.name == sa.bindparam("name"),
            live(table),
        )
    )
