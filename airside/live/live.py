"""The watches of this process. Changes announced in this process notify them at once; those of other processes are
found by one query every quarter of a second, however many watches there are."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from airside.db.away import DatabaseAway
from airside.db.database import Database
from airside.live.topics import (
    WATCHED,
    increment_versions,
    is_unchanged,
    keep_watched,
    list_versions,
    mark_watched,
)
from airside.live.wakeups import Wakeups
from airside.system.clock import Clock

POLL_SECONDS = 0.25  # between two polls for changes announced by other processes
NOTIFY_SECONDS = 0.05  # between two notifications of other processes
RENEW_SECONDS = WATCHED.total_seconds() / 3
PAUSE_SECONDS = 1.0  # before trying again while the database is unreachable

_log = structlog.get_logger("airside.live")


class Watch:
    """The topics that one page watches. Several changes of a topic before the next `wait` count as one."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        self.is_over = False
        self._changed: set[str] = set()
        self._event = asyncio.Event()

    def mark_changed(self, topic: str) -> None:
        self._changed.add(topic)
        self._event.set()

    def end(self) -> None:
        self.is_over = True
        self._event.set()

    async def wait(self, seconds: float) -> list[str]:
        """The topics that have changed, as soon as there are any; none after the timeout or the watch's end."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return []
        self._event.clear()
        changed, self._changed = sorted(self._changed), set()
        return changed


class Live:
    """One for each site. Its loops run only while topics are watched or changes have yet to be sent."""

    def __init__(self, db: Database, clock: Clock, wakeups: Wakeups) -> None:
        self._db = db
        self._clock = clock
        self._watches: dict[str, set[Watch]] = {}  # by topic
        self._versions: dict[
            str, int
        ] = {}  # the last version of each topic that its watches were notified of
        self._renewed_at = 0.0
        self._unsent: set[str] = set()  # changed topics that other processes have yet to be notified of
        self._sending: set[str] = set()
        self._poller: asyncio.Task[None] | None = None
        self._notifier: asyncio.Task[None] | None = None
        self.is_over = False
        wakeups.subscribe(self._on_change)

    @asynccontextmanager
    async def watch(self, topics: Collection[str], since: datetime | None) -> AsyncGenerator[Watch]:
        """A watch that also reports topics changed `since` the page was rendered; all, if that can't be known."""
        watch = Watch(topics)
        for topic in watch.topics:
            self._watches.setdefault(topic, set()).add(watch)
        try:
            await self._start_watching(watch, since)
            yield watch
        finally:
            for topic in watch.topics:
                self._drop(topic, watch)

    def close(self) -> None:
        """End every watch, so that a server that stops waits for none."""
        self.is_over = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()
        for task in (self._poller, self._notifier):
            if task is not None:
                task.cancel()

    async def flush(self) -> None:
        """Notify other processes of the changes not sent yet, before this process ends."""
        self._unsent |= self._sending
        if self._unsent:
            await self._notify()

    async def _start_watching(self, watch: Watch, since: datetime | None) -> None:
        now = self._clock.now()
        async with self._db.transaction() as tx:
            rows = await mark_watched(tx, watch.topics, now)
        for row in rows:
            self._versions.setdefault(row["topic"], row["version"])
            if since is None or not is_unchanged(row, since) or self._has_unsent(row["topic"]):
                watch.mark_changed(row["topic"])
        if self.is_over:
            watch.end()
        elif self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="live-poll")

    def _drop(self, topic: str, watch: Watch) -> None:
        watches = self._watches.get(topic, set())
        watches.discard(watch)
        if not watches:
            self._watches.pop(topic, None)
            self._versions.pop(topic, None)

    def _has_unsent(self, topic: str) -> bool:
        """Whether it has a change that isn't in its row yet."""
        return topic in self._unsent or topic in self._sending

    def _on_change(self, topic: str) -> None:
        for watch in self._watches.get(topic, ()):
            watch.mark_changed(topic)
        self._unsent.add(topic)
        if (self._notifier is None or self._notifier.done()) and not self.is_over:
            self._notifier = asyncio.create_task(self._notify_all(), name="live-notify")

    async def _notify_all(self) -> None:
        """Send the first change at once, and batch those announced during the pause that follows."""
        while self._unsent:
            try:
                await self._notify()
            except DatabaseAway:  # logged where it was raised
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - one lost notification must not stop the loop
                _log.exception("live_told_nobody")
            await asyncio.sleep(NOTIFY_SECONDS)

    async def _notify(self) -> None:
        self._sending, self._unsent = self._unsent, set()
        versions = await increment_versions(self._db, self._sending, self._clock.now())
        self._sending = set()
        for topic, version in versions.items():
            if self._versions.get(topic) == version - 1:  # else another process has changed it, too
                self._versions[topic] = version

    async def _poll(self) -> None:
        while self._watches:
            try:
                await self._poll_once()
            except DatabaseAway:  # logged where it was raised
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - one error must not stop the loop
                _log.exception("live_look_broke")
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(POLL_SECONDS)

    async def _poll_once(self) -> None:
        loop = asyncio.get_running_loop()
        topics = list(self._watches)
        if loop.time() - self._renewed_at > RENEW_SECONDS:
            async with self._db.transaction() as tx:
                await keep_watched(tx, topics, self._clock.now())
            self._renewed_at = loop.time()
        for topic, version in (await list_versions(self._db, topics)).items():
            known = self._versions.get(topic)
            if known is not None and version != known:
                self._versions[topic] = version
                for watch in self._watches.get(topic, ()):
                    watch.mark_changed(topic)
