"""Cancels the pending deliveries of an endpoint. However many there are, no caller waits for all of them.

Each delivery carries its endpoint's generation at the time it was queued. Cancelling increments the endpoint's
generation. Workers don't send a delivery of an earlier generation, even after the endpoint is enabled again. The
rows are marked afterwards: a few in the caller's transaction, the others in the background in short transactions.
"""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import Id, Instant, Row
from airside.db.conditions import tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints

IMMEDIATE_ROWS = 100  # rows marked in the caller's own transaction
BATCH = 500  # rows marked in one background transaction; on SQLite other writers wait for it
CANCEL = "webhooks.cancel"  # wake-up of the background job, which also polls every second


class _Cancelling(TypedDict):
    workspace_id: str
    id: str
    generation: int


async def cancel_deliveries(tx: Transaction, workspace_id: str, endpoint_id: str, now: datetime) -> None:
    """Cancel every pending delivery of this endpoint. Deliveries queued afterwards are not affected."""
    keys = {"workspace_id": workspace_id, "id": endpoint_id}
    generation = await tx.fetch_value(_NEXT_GENERATION, in_workspace=workspace_id, endpoint=endpoint_id)
    if generation is not None and await _cancel_some(tx, keys, generation, IMMEDIATE_ROWS, now):
        await tx.update(webhook_endpoints, {"cancelling_since": now}, **keys)


async def cancel_waiting(site: Site) -> bool:
    """Mark one more batch of each endpoint that is being cancelled; True when there may be more."""
    cancelling = await site.db.fetch_all(_CANCELLING)
    for endpoint in cancelling:
        await _cancel_more(site, endpoint)
    return bool(cancelling)


async def finish_cancelling(site: Site, workspace_id: str, endpoint_id: str) -> None:
    """Mark all remaining rows now, for a caller that reads them by status."""
    endpoint = await site.db.find(webhook_endpoints, workspace_id=workspace_id, id=endpoint_id)
    if endpoint is not None and endpoint["cancelling_since"] is not None:
        while await _cancel_more(site, endpoint):
            pass


async def _cancel_more(site: Site, endpoint: _Cancelling) -> bool:
    keys, now = {"workspace_id": endpoint["workspace_id"], "id": endpoint["id"]}, site.clock.now()
    async with site.db.transaction() as tx:
        has_more = await _cancel_some(tx, keys, endpoint["generation"], BATCH, now)
        if not has_more:  # a row locked by another transaction is cancelled when a worker claims it
            await tx.execute(
                _DONE,
                in_workspace=keys["workspace_id"],
                endpoint=keys["id"],
                current=endpoint["generation"],
            )
            tx.on_commit(lambda: site.wakeups.announce(f"deliveries:{endpoint['id']}"))
    return has_more


async def _cancel_some(tx: Transaction, keys: Row, generation: int, limit: int, now: datetime) -> bool:
    """Cancel up to `limit` rows, the earliest due first; True when there may be more."""
    which = {"in_workspace": keys["workspace_id"], "endpoint": keys["id"], "current": generation}
    counts = [await tx.execute(cancel, **which, now=now, limit=limit) for cancel in _CANCEL]
    return max(counts) == limit


def _cancel(due: str) -> Statement:
    waiting = webhook_deliveries.alias("waiting")
    # Not filtered by workspace: by the endpoint alone, the index of pending deliveries gives the order.
    first = (
        sa.select(waiting.c.id)
        .where(
            waiting.c.endpoint_id == _endpoint,
            waiting.c[due].is_not(None),  # set for pending deliveries only
            waiting.c.generation < _current,
        )
        .order_by(waiting.c[due], waiting.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .with_for_update(skip_locked=True)
    )
    return Statement(
        sa.update(webhook_deliveries)
        .where(tenant(webhook_deliveries, "in_workspace"), _d.id.in_(first))
        .values(
            status="cancelled",
            next_attempt_at=None,
            forward_at=None,
            leased_until=None,
            completed_at=sa.bindparam("now", type_=Instant()),
        )
    )


_d, _w = webhook_deliveries.c, webhook_endpoints.c
_endpoint = sa.bindparam("endpoint", type_=Id())
_current = sa.bindparam("current", type_=sa.Integer())
_this = (tenant(webhook_endpoints, "in_workspace"), _w.id == _endpoint)
_CANCEL = [_cancel("next_attempt_at"), _cancel("forward_at")]
_NEXT_GENERATION = Statement(
    sa.update(webhook_endpoints).where(*_this).values(generation=_w.generation + 1).returning(_w.generation)
)
_CANCELLING = Statement(
    sa.select(_w.workspace_id, _w.id, _w.generation)
    .where(_w.cancelling_since.is_not(None))
    .order_by(_w.cancelling_since, _w.id)
    .limit(sa.literal_column("10")),
    _Cancelling,
)
_DONE = Statement(
    sa.update(webhook_endpoints)
    .where(*_this, _w.generation == _current)  # a later generation means more was cancelled meanwhile
    .values(cancelling_since=None)
)
