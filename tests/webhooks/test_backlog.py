"""A hundred thousand deliveries are redelivered: no other writer waits for them, and a claim costs the same."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from airside.db.base import Id, Instant, new_id
from airside.db.statements import Statement
from airside.runtime.site import Site
from airside.webhooks.cancel import BATCH, IMMEDIATE_ROWS, cancel_waiting
from airside.webhooks.deliveries import redeliver_selected, redeliver_since
from airside.webhooks.endpoints import (
    OFF,
    cancel_deliveries_of,
    disable_endpoint,
    enable_endpoint,
    end_endpoint,
    end_endpoints_of,
    update_endpoints_of,
)
from airside.webhooks.queue.database import _DUE, ENDPOINT_WINDOW, LEASE, DatabaseQueue
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints
from tests.support.clocks import FrozenClock
from tests.support.effort import effort
from tests.support.receivers import Receiver
from tests.webhooks.scenes import WORKSPACE, happen, listen, work

MANY = 100_000
_d = webhook_deliveries.c
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
    "SELECT n, printf('00000000-0000-7000-8000-%012x', n) AS id FROM numbers",
    "postgresql": "SELECT n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id "
    "FROM generate_series(1, {count}) AS numbers(n)",
}


async def pile_up(site: Site, endpoint_id: str, event_id: str, count: int, status: str = "failed") -> None:
    """So many deliveries of one event to one endpoint, created at one instant; pending ones are due at it."""
    now = sa.bindparam("now", type_=Instant())
    text = _NUMBERS[site.db.dialect.name].format(count=count)
    numbers = sa.text(text).columns(sa.column("n", sa.Integer), sa.column("id", Id)).subquery("made")
    row = {
        "workspace_id": sa.bindparam("in_workspace", type_=Id()),
        "id": numbers.c.id,
        "endpoint_id": sa.bindparam("endpoint", type_=Id()),
        "event_id": sa.bindparam("event", type_=Id()),
        "event_name": sa.literal_column("'issue'"),
        "version": sa.literal_column("'v1'"),
        "part": numbers.c.n,
        "status": sa.literal_column(f"'{status}'"),
        "attempts": sa.literal_column("1"),
        "created_at": now,
        "next_attempt_at": now if status == "pending" else sa.null(),
    }
    insert = sa.insert(webhook_deliveries).from_select(list(row), sa.select(*row.values()))
    async with site.db.transaction() as tx:
        await tx.execute(
            Statement(insert),
            now=site.clock.now(),
            in_workspace=WORKSPACE,
            endpoint=endpoint_id,
            event=event_id,
        )


async def effort_of_claim(site: Site) -> int:
    due = _DUE[site.db.dialect.name]
    return await effort(site.db, due, now=site.clock.now(), limit=100, resting=[], single=[])


async def test_a_claim_costs_the_same_whatever_waits_at_one_instant(site: Site) -> None:
    endpoint_id = await listen(site, "http://127.0.0.1:1/")
    event_id = await happen(site, is_private=True)
    await pile_up(site, endpoint_id, event_id, 2 * ENDPOINT_WINDOW, "pending")
    few = await effort_of_claim(site)
    async with site.db.transaction() as tx:
        await tx.delete(webhook_deliveries, endpoint_id=endpoint_id)
    await pile_up(site, endpoint_id, event_id, 20_000, "pending")
    assert await effort_of_claim(site) <= 3 * few + 20
    assert len(await DatabaseQueue(site).claim(100)) == ENDPOINT_WINDOW


async def test_a_hundred_thousand_are_sent_again_in_order_while_others_are_served(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, f"{receiver.url}/recovered")
    other_id = await listen(site, f"{receiver.url}/other", event_names=["project.created"])
    event_id = await happen(site, is_private=True)
    few = await effort_of_claim(site)
    await pile_up(site, endpoint_id, event_id, MANY)
    endpoint = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert endpoint is not None
    since = clock.now() - timedelta(days=1)
    assert await redeliver_since(site, endpoint=endpoint, since=since) == MANY
    assert await redeliver_since(site, endpoint=endpoint, since=since) == 0, "all of them wait already"

    spread = await site.db.fetch_one(_SPREAD)
    assert spread == {"pending": MANY, "instants": MANY, "last": clock.now() - timedelta(seconds=1) + timedelta(
        microseconds=MANY - 1
    )}  # fmt: skip
    assert await effort_of_claim(site) <= few + 100, "a claim looks at the windows alone"

    queue = DatabaseQueue(site)
    first = await queue.claim(100)
    assert [lease.delivery_id[-4:] for lease in first] == [f"{n:04x}" for n in range(1, 11)], "oldest first"
    await queue.release(first)
    clock.advance(seconds=LEASE.total_seconds())
    await happen(site, "project.created")
    await deliver_for_a_while(site, 3)
    assert await site.db.fetch_value(_ARRIVED, endpoint=endpoint_id) == 3 * ENDPOINT_WINDOW
    assert await site.db.fetch_value(_ARRIVED, endpoint=other_id) == 1


async def test_a_hundred_thousand_are_cancelled_at_once_and_stay_so_while_their_rows_follow(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, f"{receiver.url}/recovered")
    event_id = await happen(site, is_private=True)
    await pile_up(site, endpoint_id, event_id, MANY, "pending")
    async with site.db.transaction() as tx:
        await disable_endpoint(tx, WORKSPACE, endpoint_id, OFF, clock.now())
    assert await count(site, "cancelled") == IMMEDIATE_ROWS, "disabling waits for no more"
    async with site.db.transaction() as tx:
        await enable_endpoint(tx, WORKSPACE, endpoint_id, clock.now())
    await happen(site, "project.created")
    await deliver_for_a_while(site, 3)
    sent = [got.headers["X-Plane-Event"] for got in receiver.received]
    assert sent == ["project"], (
        "what was cancelled isn't sent, whatever its row says as yet; what came after is"
    )

    assert await cancel_waiting(site)
    assert await count(site, "cancelled") <= IMMEDIATE_ROWS + 3 * ENDPOINT_WINDOW + BATCH, (
        "in short transactions"
    )
    while await cancel_waiting(site):
        pass
    assert await count(site, "cancelled") == MANY
    await work(site)
    assert len(receiver.received) == 1
    endpoint = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert endpoint is not None
    assert (endpoint["cancelling_since"], endpoint["generation"]) == (None, 1)


@pytest.mark.parametrize("way", ["ended", "disabled", "without a URL", "uninstalled", "suspended"])
async def test_each_way_of_ending_what_waits_leaves_its_rows_for_later(
    site: Site, clock: FrozenClock, receiver: Receiver, way: str
) -> None:
    installation_id = new_id()
    endpoint_id = await listen(site, receiver.url, installation_id=installation_id)
    event_id = await happen(site, is_private=True)
    await pile_up(site, endpoint_id, event_id, 3 * IMMEDIATE_ROWS, "pending")
    async with site.db.transaction() as tx:
        if way == "ended":
            await end_endpoint(tx, WORKSPACE, endpoint_id, clock.now())
        elif way == "disabled":
            await disable_endpoint(tx, WORKSPACE, endpoint_id, OFF, clock.now())
        elif way == "without a URL":
            await update_endpoints_of(tx, installation_id, url=None, version="v1", now=clock.now())
        elif way == "uninstalled":
            await end_endpoints_of(tx, installation_id, clock.now())
        else:
            await cancel_deliveries_of(tx, installation_id, clock.now())
    assert await count(site, "cancelled") == IMMEDIATE_ROWS
    await deliver_for_a_while(site, 2)
    assert receiver.received == []
    while await cancel_waiting(site):
        pass
    assert await count(site, "cancelled") == 3 * IMMEDIATE_ROWS


async def test_what_is_sent_again_before_its_row_was_cancelled_is_sent(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    endpoint_id = await listen(site, receiver.url)
    event_id = await happen(site)
    await pile_up(site, endpoint_id, event_id, 2 * IMMEDIATE_ROWS, "pending")
    async with site.db.transaction() as tx:
        await disable_endpoint(tx, WORKSPACE, endpoint_id, OFF, clock.now())
        await enable_endpoint(tx, WORKSPACE, endpoint_id, clock.now())
    endpoint = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert endpoint is not None
    last = f"00000000-0000-7000-8000-{2 * IMMEDIATE_ROWS:012x}"
    async with site.db.transaction() as tx:
        count_again = await redeliver_selected(
            tx, site.wakeups, endpoint=endpoint, ids=[last], now=clock.now()
        )
    assert count_again == 1
    assert await redeliver_since(site, endpoint=endpoint, since=clock.now() - timedelta(days=1)) == (
        2 * IMMEDIATE_ROWS - 1
    ), "all the others, although half of them didn't say yet that they were cancelled"
    assert await count(site, "pending") == 2 * IMMEDIATE_ROWS
    await deliver_for_a_while(site, 1)
    assert len(receiver.received) == ENDPOINT_WINDOW


async def count(site: Site, status: str) -> int:
    return await site.db.fetch_value(_COUNT, status=status)


async def deliver_for_a_while(site: Site, claims: int) -> None:
    """As a worker does, but stop after so many claims."""

    class Ending(DatabaseQueue):
        left = claims

        async def claim(self, limit: int, *rest: object) -> list[object]:  # type: ignore[override]
            self.left -= 1
            return await super().claim(limit) if self.left >= 0 else []

    await work(site, Ending(site))


_SPREAD = Statement(
    sa.select(
        sa.func.count().label("pending"),
        sa.func.count(_d.next_attempt_at.distinct()).label("instants"),
        sa.func.max(_d.next_attempt_at, type_=Instant()).label("last"),
    ).where(_d.status == sa.literal_column("'pending'"))
)
_COUNT = Statement(sa.select(sa.func.count()).where(_d.status == sa.bindparam("status", type_=sa.Text())))
_ARRIVED = Statement(
    sa.select(sa.func.count()).where(
        _d.endpoint_id == sa.bindparam("endpoint", type_=Id()), _d.status == sa.literal_column("'delivered'")
    )
)
