"""Thirty days of delivery log, and no more."""

from airside.assets.purge import purge_files
from airside.developer.usage import purge_usage
from airside.events.tables import events
from airside.gateway.signing_in import purge_ended
from airside.installations.purge_unused import purge_unused
from airside.marketplace.purge import purge_orphaned
from airside.oauth import expiry
from airside.rest.stored_answers import purge_answers
from airside.runtime.site import Site
from airside.webhooks import purge
from airside.webhooks.listeners import end_forgotten
from airside.webhooks.purge import purge_delivered
from airside.worker.retention import PURGES
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import attempts, deliveries, happen, listen, work


async def count_rows(site: Site) -> tuple[int, int, int]:
    return len(await site.db.find_all(events)), len(await deliveries(site)), len(await attempts(site))


async def test_the_log_is_kept_for_30_days_and_events_a_little_longer(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    await work(site)
    clock.advance(days=29)
    await happen(site)
    await work(site)
    assert await purge_delivered(site) == 0
    clock.advance(days=2)
    assert await purge_delivered(site) == 2
    assert await count_rows(site) == (2, 1, 1)
    clock.advance(days=4)
    assert await purge_delivered(site) == 1
    assert await count_rows(site) == (1, 1, 1)


async def test_what_still_waits_is_kept_however_old(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    await happen(site)
    receiver.answers = [500]
    await work(site)
    await happen(site)
    clock.advance(days=31)
    await purge_delivered(site)
    assert await count_rows(site) == (2, 1, 0)


async def test_many_rows_go_in_small_batches_in_every_workspace(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    from airside.db.base import new_id

    purge._built.clear()
    purge.BATCH, before = 3, purge.BATCH
    try:
        for workspace_id in (new_id(), new_id(), new_id()):
            await listen(site, receiver.url, workspace_id=workspace_id)
            for _ in range(4):
                await happen(site, workspace_id=workspace_id)
        await work(site)
        clock.advance(days=40)
        assert await purge_delivered(site) == 36
        assert await count_rows(site) == (0, 0, 0)
    finally:
        purge.BATCH = before
        purge._built.clear()


def test_the_worker_is_given_every_purge() -> None:
    every = (
        expiry.clear_expired,
        purge_delivered,
        purge_unused,
        purge_usage,
        purge_orphaned,
        end_forgotten,
        purge_answers,
        purge_files,
        purge_ended,
    )
    assert every == PURGES
