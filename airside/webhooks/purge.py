"""Deletes expired rows of the delivery log: attempts, deliveries and their events.

Ids are ordered by time, so the oldest rows of a workspace come first in the primary key, and no further index is
needed.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Instant
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.events.tables import events
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_attempts, webhook_deliveries

KEEP = timedelta(days=30)
KEEP_EVENTS = KEEP + timedelta(days=4)  # a delivery redelivered on its last day can still use all its retries
BATCH = 500  # rows deleted in one transaction; on SQLite other writers wait for it


_d = webhook_deliveries.c
_IS_SETTLED = sa.and_(_d.next_attempt_at.is_(None), _d.forward_at.is_(None))


async def purge_delivered(site: Site) -> int:
    """Delete what has expired; returns how many rows. Pending deliveries are kept, however old."""
    now, purged = site.clock.now(), 0
    for table, time, keep, is_done in (
        (webhook_attempts, webhook_attempts.c.started_at, KEEP, sa.true()),
        (webhook_deliveries, webhook_deliveries.c.created_at, KEEP, _IS_SETTLED),
        (events, events.c.created_at, KEEP_EVENTS, events.c.fanned_out_at.is_not(None)),
    ):  # fmt: skip
        delete, following = _statements(table, time, is_done)
        workspace_id = await site.db.fetch_value(following, after=_BEFORE_ALL)
        while workspace_id is not None:
            purged += await _purge_workspace(site, delete, workspace_id, now - keep)
            workspace_id = await site.db.fetch_value(following, after=workspace_id)
    return purged


async def _purge_workspace(site: Site, delete: Statement, workspace_id: str, before: Any) -> int:
    total = 0
    while True:
        async with site.db.transaction() as tx:
            deleted = await tx.execute(delete, in_workspace=workspace_id, before=before)
        total += deleted
        if not deleted:  # not `< BATCH`: a batch is smaller when some of the oldest rows are still needed
            return total


def _build(table: sa.Table, time: sa.ColumnElement[Any], is_done: Any) -> tuple[Statement, Statement]:
    """Two statements: delete the oldest rows of one workspace; find the next workspace that has rows."""
    workspace_id = table.c.workspace_id
    here = sa.bindparam("in_workspace", type_=Id())
    inner = table.alias("oldest")
    oldest = (
        sa.select(inner.c.id)
        .where(tenant(inner, "in_workspace"))
        .order_by(inner.c.id)
        .limit(sa.literal_column(str(BATCH)))
    )
    delete = sa.delete(table).where(
        workspace_id == here,
        table.c.id.in_(oldest),
        time < sa.bindparam("before", type_=Instant()),
        is_done,
    )
    following = (
        sa.select(workspace_id)
        .where(workspace_id > sa.bindparam("after", type_=Id()))
        .order_by(workspace_id)
        .limit(sa.literal_column("1"))
    )
    return Statement(delete), Statement(following)


_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
_built: dict[str, tuple[Statement, Statement]] = {}


def _statements(table: sa.Table, time: sa.ColumnElement[Any], is_done: Any) -> tuple[Statement, Statement]:
    if table.name not in _built:
        _built[table.name] = _build(table, time, is_done)
    return _built[table.name]
