"""What holds work items, such as milestones, holds none that is deleted."""

import sqlalchemy as sa

from airside.db.base import Id, Instant
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.work.planning.milestone_tables import milestone_work_items
from airside.work.planning.tables import cycle_work_items, module_work_items

_TABLES = (milestone_work_items, cycle_work_items, module_work_items)

_ENDS = tuple(
    Statement(
        sa.update(table)
        .where(
            tenant(table, "key_workspace_id"),
            table.c.issue_id == sa.bindparam("key_issue_id", type_=Id()),
            live(table),
        )
        .values(deleted_at=sa.bindparam("now", type_=Instant()))
    )
    for table in _TABLES
)


async def end_memberships(call: Call, work_item_id: str) -> None:
    """Take a work item that is being deleted out of everything that holds it."""
    keys = {"key_workspace_id": call.workspace_id, "key_issue_id": work_item_id}
    for statement in _ENDS:
        await call.writer.execute(statement, **keys, now=call.now)
