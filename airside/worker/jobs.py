"""The list of background jobs, with how often each runs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from airside.agents.timeouts import EVERY_SECONDS, RUNS_UNRESPONSIVE, mark_unresponsive_runs
from airside.events.outbox import FAN_OUT
from airside.gateway.leftovers import EVERY_SECONDS as EVERY
from airside.gateway.leftovers import WAKE_UP, finish_accounts
from airside.host.chosen import host_of
from airside.rest.followups import FOLLOW_UP
from airside.runtime.site import Site
from airside.webhooks.cancel import CANCEL, cancel_waiting
from airside.webhooks.deliver import Deliverer
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue import DELIVER, RECONCILE, DeliveryQueue

PURGE = "worker.purge"
SNOOZE = "worker.snooze"

Purge = Callable[[Site], Awaitable[object]]


class Job(NamedTuple):
    """Runs at its wake-up, and otherwise after `every_seconds`; again at once while it returns True."""

    name: str
    wake_up: str
    every_seconds: float
    run: Callable[[], Awaitable[bool]]


def list_jobs(site: Site, queue: DeliveryQueue, deliverer: Deliverer, purges: Sequence[Purge]) -> list[Job]:
    return [
        Job("fan_out", FAN_OUT, 0.5, lambda: fan_out(site, queue)),
        Job("deliver", DELIVER, 0.5, deliverer.start_due),
        Job("reconcile", RECONCILE, 2.0, queue.reconcile),
        Job("cancel_waiting", CANCEL, 1.0, lambda: cancel_waiting(site)),
        Job("mark_unresponsive_runs", RUNS_UNRESPONSIVE, EVERY_SECONDS, lambda: mark_unresponsive_runs(site)),
        Job("wake_snoozed", SNOOZE, 5.0, lambda: host_of(site).wake_snoozed(site)),
        Job("finish_followups", FOLLOW_UP, 1.0, lambda: host_of(site).finish_followups(site)),
        Job("finish_accounts", WAKE_UP, EVERY, lambda: finish_accounts(site)),
        Job("purge_expired", PURGE, 600.0, lambda: purge_expired(site, purges)),
    ]


async def purge_expired(site: Site, purges: Sequence[Purge]) -> bool:
    """Delete expired rows; each purge keeps its own transactions short."""
    for purge in purges:
        await purge(site)
    return False
