"""Ending the links to work items with the cycle or module that is deleted.

The event of the deletion says it for all of them, and the history of each work item says it, too.
"""

from functools import cache, partial

import sqlalchemy as sa

from airside.db.base import Instant, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.followups import Followup, follow_up
from airside.rest.parameters import Link
from airside.work.planning.plan_history import record_removed
from airside.work.planning.tables import IN_CYCLES, IN_MODULES


async def empty_plan(call: Call, noun: str, row: Row) -> None:
    """End the links of a cycle or module, which `noun` says."""
    await follow_up(call, EMPTIED_PLANS[noun], row["id"], name=row["name"])


async def _end_links(link: Link, noun: str, call: Call, plan_id: str, details: Row, limit: int) -> int:
    """`link.value` is the id of the cycle or module."""
    links = await call.reader.fetch_all(
        _find(link), workspace_id=call.workspace_id, plan_id=plan_id, limit=limit
    )
    ids = [row["id"] for row in links]
    await call.writer.execute(_end(link.table), key_workspace_id=call.workspace_id, ids=ids, now=call.now)
    await record_removed(call, links, noun, plan_id, details["name"])
    return len(links)


EMPTIED_PLANS = {
    noun: Followup(f"{noun}.emptied", partial(_end_links, link, noun))
    for noun, link in (("cycle", IN_CYCLES), ("module", IN_MODULES))
}


@cache
def _find(link: Link) -> Statement:
    columns = link.table.c
    return Statement(
        sa.select(columns.id, columns.issue_id, columns.project_id)
        .where(
            tenant(link.table),
            columns[link.value] == sa.bindparam("plan_id", type_=columns[link.value].type),
            live(link.table),
        )
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .with_for_update()
    )


@cache
def _end(table: sa.Table) -> Statement:
    return Statement(
        sa.update(table)
        .where(tenant(table, "key_workspace_id"), any_of(table.c.id, "ids"))
        .values(deleted_at=sa.bindparam("now", type_=Instant()))
    )
