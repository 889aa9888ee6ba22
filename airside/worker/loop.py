"""The worker: runs the jobs concurrently until it is stopped."""

import asyncio
from collections.abc import Sequence

import structlog

from airside.db.away import DatabaseAway
from airside.runtime.site import Site
from airside.webhooks.deliver import Deliverer
from airside.webhooks.queue.engine import open_queue
from airside.webhooks.send import Sender
from airside.worker.jobs import Job, Purge, list_jobs

STOP_SECONDS = 1.5  # for deliveries in flight when the worker is stopped; then their leases are released
PAUSE_SECONDS = 1.0  # after a job raised, or while the database is unreachable

_log = structlog.get_logger("airside.worker")


class Worker:
    """Fans out, delivers, and purges. Any number may run on one PostgreSQL database."""

    def __init__(self, site: Site, *, purges: Sequence[Purge] = ()) -> None:
        """`purges` delete expired rows."""
        self._site = site
        self._purges = purges

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish the deliveries in flight or release them, within two seconds."""
        async with open_queue(self._site) as queue, Sender(self._site.settings) as sender:
            deliverer = Deliverer(self._site, queue, sender)
            jobs = list_jobs(self._site, queue, deliverer, self._purges)
            tasks = [asyncio.create_task(self._repeat(job, stop)) for job in jobs]
            try:
                await stop.wait()
            finally:
                for job in jobs:
                    self._site.wakeups.wake(job.wake_up)
                await _finish(tasks, STOP_SECONDS / 3)
                await deliverer.finish(STOP_SECONDS)

    async def _repeat(self, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if await job.run():
                    continue
            except DatabaseAway:  # logged where it was raised
                await _sleep(PAUSE_SECONDS, stop)
            except Exception:  # noqa: BLE001 - one error must not end deliveries for good
                _log.exception("job_broke", job=job.name)
                await _sleep(PAUSE_SECONDS, stop)
            await self._site.wakeups.wait(job.wake_up, job.every_seconds)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _finish(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
