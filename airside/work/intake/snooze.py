"""Snoozed intake work items are pending again at their time, on behalf of the person who snoozed them."""

import sqlalchemy as sa

from airside.db.base import Instant, Row
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.rest.call import Call, Caller
from airside.rest.record import ADMIN
from airside.rest.verbs import change_record
from airside.runtime.site import Site
from airside.work.access import RoleAccess
from airside.work.intake.decisions import record_decision
from airside.work.intake.items import INTAKE_V1, PENDING, intake_items, is_snoozed

BATCH = 100  # per transaction

_DUE = Statement(
    sa.select(intake_items)
    .where(is_snoozed, intake_items.c.snoozed_till <= sa.bindparam("now", type_=Instant()))
    .order_by(intake_items.c.snoozed_till)
    .limit(sa.literal_column(str(BATCH)))
    .with_for_update(skip_locked=True)
)


async def wake_snoozed(site: Site) -> bool:
    """Make those pending whose time has come, with their event; True when there may be more."""
    async with site.db.transaction() as tx:
        found = await tx.fetch_all(_DUE, now=site.clock.now())
        for row in found:
            await _wake(tx, site, row)
    return len(found) == BATCH


async def _wake(tx: Transaction, site: Site, row: Row) -> None:
    user_id = row["updated_by_id"] or row["created_by_id"]
    call = Call(site, RoleAccess(), Caller(user_id, "user", ""), site.clock.now(), "PATCH", {}, {}, tx=tx)
    call.workspace, call.project = {"id": row["workspace_id"]}, {"id": row["project_id"]}
    call.project_role = ADMIN
    after = await change_record(INTAKE_V1, call, dict(row), {"status": PENDING})
    await record_decision(call, row, after)
