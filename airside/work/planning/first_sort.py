"""Where a new cycle or module goes: before all others of its project."""

from functools import cache

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call

FIRST, STEP = 65_535.0, 10_000.0


async def choose_sort_order(call: Call, table: sa.Table) -> float:
    keys = {"workspace_id": call.workspace_id, "project_id": call.project_id}
    first = await call.reader.fetch_value(_first_of(table), **keys)
    return FIRST if first is None else first - STEP


@cache
def _first_of(table: sa.Table) -> Statement:
    columns = table.c
    return Statement(
        sa.select(sa.func.min(columns.sort_order).label("first")).where(
            tenant(table),
            columns.project_id == sa.bindparam("project_id", type_=columns.project_id.type),
            live(table),
        )
    )
