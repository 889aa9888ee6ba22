"""Times out inactive runs: after five minutes they are stale, until their agent reports again."""

from functools import partial

import sqlalchemy as sa

from airside.agents.notifications import announce_run
from airside.agents.statuses import (
    CREATED,
    ENDED,
    IN_PROGRESS,
    STALE_AFTER,
    STOPPING,
    status_after_timeout,
)
from airside.agents.tables import agent_runs
from airside.db.base import Instant, Row
from airside.db.conditions import live
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.events.catalog import AGENT_RUN_UPDATED
from airside.events.outbox import NewEvent, record_event
from airside.runtime.site import Site

RUNS_UNRESPONSIVE = "agents.unheard"  # the worker's wake-up
EVERY_SECONDS = 15.0
BATCH = 100  # runs per transaction

_r = agent_runs.c
_UNRESPONSIVE = Statement(
    sa.select(agent_runs)
    .where(
        sa.or_(_r.status == CREATED, _r.status == IN_PROGRESS, _r.status == STOPPING),
        _r.last_activity_at <= sa.bindparam("before", type_=Instant()),
        live(agent_runs),
    )
    .order_by(_r.last_activity_at)
    .limit(sa.literal_column(str(BATCH)))
    .with_for_update(skip_locked=True)
)


async def mark_unresponsive_runs(site: Site) -> bool:
    """Update the status of runs that timed out; True when there may be more."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        found = await tx.fetch_all(_UNRESPONSIVE, before=now - STALE_AFTER)
        for run in found:
            await _time_out(tx, site, run)
    return len(found) == BATCH


async def _time_out(tx: Transaction, site: Site, run: Row) -> None:
    now, status = site.clock.now(), status_after_timeout(run["status"])
    changes = {"status": status, "ended_at": now if status in ENDED else None, "updated_at": now}
    await tx.update(agent_runs, changes, workspace_id=run["workspace_id"], id=run["id"])
    event = NewEvent(
        workspace_id=run["workspace_id"],
        project_id=run["project_id"],
        name=AGENT_RUN_UPDATED,
        entity_id=run["id"],
        actor_id=None,
        at=now,
        data={"id": run["id"], "status": status},
        is_private=True,  # no actor caused it, and Plane sends the agent no event for it
    )
    await record_event(tx, site.wakeups, event)
    tx.on_commit(partial(announce_run, site.wakeups, run))
