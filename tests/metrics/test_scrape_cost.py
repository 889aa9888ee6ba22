"""A scrape reads what waits, never what is kept for the log."""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Instant, new_id
from airside.db.statements import Statement
from airside.events.tables import events
from airside.metrics import gauges
from airside.runtime.site import Site
from tests.support.effort import effort, record_growth
from tests.webhooks.scenes import happen, listen
from tests.webhooks.test_backlog import pile_up

MANY = 5_000


def statements_of(site: Site) -> dict[str, Statement]:
    """Every statement of a scrape, by its name."""
    found: dict[str, Statement] = {}
    for name, value in vars(gauges).items():
        if isinstance(value, dict) and name != "Row":
            value = value.get(site.db.dialect.name)
        if isinstance(value, Statement):
            found[name] = value
    assert len(found) >= 9
    return found


async def measure(site: Site) -> dict[str, int]:
    params: dict[str, Any] = {"now": site.clock.now(), "resting": []}
    return {name: await effort(site.db, one, **params) for name, one in statements_of(site).items()}


async def test_a_scrape_costs_the_same_whatever_is_kept(site: Site) -> None:
    endpoint_id = await listen(site, "http://127.0.0.1:1/")
    event_id = await happen(site, is_private=True)
    await mark_fanned_out(site)
    before = await measure(site)
    await pile_up(site, endpoint_id, event_id, MANY, "delivered")
    event = await site.db.find(events, id=event_id)
    assert event is not None
    async with site.db.transaction() as tx:
        await tx.insert_all(events, [event | {"id": new_id()} for _ in range(MANY)])
    await record_growth(site.db, "webhook_deliveries")
    await record_growth(site.db, "events")
    after = await measure(site)
    grown = {name: (before[name], count) for name, count in after.items() if count > before[name] + 12}
    assert grown == {}


async def mark_fanned_out(site: Site) -> None:
    mark = Statement(sa.update(events).values(fanned_out_at=sa.bindparam("now", type_=Instant())))
    async with site.db.transaction() as tx:
        await tx.execute(mark, now=site.clock.now())
