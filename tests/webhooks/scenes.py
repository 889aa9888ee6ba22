"""Helpers for webhook tests: create an endpoint, record an event, run the worker."""

import asyncio
from collections.abc import Sequence
from typing import Any

from airside.db.base import Row, new_id
from airside.events.outbox import Change, NewEvent, record_event
from airside.runtime.site import Site
from airside.webhooks.deliver import attempt_delivery, list_deliveries_to_send
from airside.webhooks.endpoints import create_endpoint
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue import DeliveryQueue, Lease
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.send import Sender
from airside.webhooks.settle import Settler
from airside.webhooks.signing import SECRET
from airside.webhooks.tables import webhook_attempts, webhook_deliveries
from tests.support.clocks import FrozenClock

WORKSPACE = new_id()
PLAIN_SECRET = "plane_wh_" + "5" * 64
ANA = {
    "id": new_id(), "first_name": "Ana", "last_name": "Owner", "email": "ana@acme.example",
    "avatar": "", "avatar_url": None, "display_name": "ana",
}  # fmt: skip


async def listen(site: Site, url: str, *, version: str = "v1", **kw: Any) -> str:
    """Create an endpoint of an installed app; returns its id."""
    kw = {"workspace_id": WORKSPACE, "installation_id": new_id(), **kw}
    async with site.db.transaction() as tx:
        return await create_endpoint(
            tx,
            url=url,
            version=version,
            secret_sealed=site.sealer.seal(PLAIN_SECRET, SECRET),
            title="Courier",
            by_user_id=ANA["id"],
            now=site.clock.now(),
            **kw,
        )


async def happen(site: Site, name: str = "workitem.updated", **kw: Any) -> str:
    """Record an event in the workspace; returns its id."""
    entity_id = kw.setdefault("entity_id", new_id())
    event = NewEvent(
        **{
            "workspace_id": WORKSPACE,
            "name": name,
            "actor_id": ANA["id"],
            "actor": ANA,
            "at": site.clock.now(),
            "data": {"id": entity_id, "name": "Write tests"},
            "data_v2": {"id": entity_id, "name": "Write tests", "state_id": None},
            **kw,
        }
    )
    async with site.db.transaction() as tx:
        return await record_event(tx, site.wakeups, event)


def changed(*fields: str) -> list[Change]:
    return [Change(field, f"old {field}", f"new {field}") for field in fields]


async def work(site: Site, queue: DatabaseQueue | None = None) -> None:
    """Run the worker: fan out events and attempt due deliveries, until nothing is left to do."""
    queue = queue or DatabaseQueue(site)
    async with Sender(site.settings) as sender:
        while await fan_out(site, queue):
            pass
        while leases := await queue.claim(1000):
            await attempt(site, queue, sender, leases)


async def attempt(site: Site, queue: DeliveryQueue, sender: Sender, leases: Sequence[Lease]) -> None:
    """Attempt a claimed delivery, as a worker does."""
    settler, found = Settler(site, queue), await list_deliveries_to_send(site.db, leases)
    await asyncio.gather(
        *(attempt_delivery(site, settler, sender, lease, found.get(lease.delivery_id)) for lease in leases)
    )


async def attempts(site: Site) -> list[Row]:
    rows = await site.db.find_all(webhook_attempts)
    return sorted(rows, key=lambda row: (row["started_at"], row["id"]))


async def deliveries(site: Site) -> list[Row]:
    rows = await site.db.find_all(webhook_deliveries)
    return sorted(rows, key=lambda row: row["id"])


async def wait_until_due(site: Site, clock: FrozenClock) -> None:
    """Advance the clock to the next attempt, if there is one."""
    due = [row["next_attempt_at"] for row in await deliveries(site) if row["next_attempt_at"]]
    if due:
        clock.time = max(clock.time, *due)
