"""Ending the links to work items with the cycle or module that is deleted.

The event of the deletion says it for all of them, and the history of each work item says it, too.
"""

from functools import cache

import sqlalchemy as sa

from airside.db.base import Instant, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.parameters import Link
from airside.work.planning.plan_history import record_removed


async def empty_plan(call: Call, link: Link, noun: str, row: Row) -> None:
    """End the links of a cycle or module. `link.value` is its id; `noun` is cycle or module."""
    ended = await call.writer.fetch_all(
        _end(link), workspace_id=call.workspace_id, ended_id=row["id"], now=call.now
    )
    await record_removed(call, ended, noun, row["id"], row["name"])


@cache
def _end(link: Link) -> Statement:
    columns = link.table.c
    return Statement(
        sa.update(link.table)
        .where(
            tenant(link.table),
            columns[link.value] == sa.bindparam("ended_id", type_=columns[link.value].type),
            live(link.table),
        )
        .values(deleted_at=sa.bindparam("now", type_=Instant()))
        .returning(columns.issue_id, columns.project_id)
    )
