"""The one background queue, in which everything that happens after an answer waits: activity rows, notifications,
webhooks. What is in it is lost when the worker is killed."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.upstream.site import Settings

Task = Callable[[], Awaitable[None] | None]
LAG_SECONDS = 0.09  # until a task begins


class Worker:
    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._waiting: deque[Task] = deque()
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._busy = False
        self._retries: set[asyncio.TimerHandle] = set()
        self.lost = 0
        self.after_task: Callable[[], Awaitable[None]] | None = None

    def add(self, task: Task) -> None:
        self._waiting.append(task)
        self._changed.set()

    def add_later(self, seconds: float, task: Task) -> None:
        """Queue it after this many of a Community Edition's seconds."""

        def enqueue() -> None:
            self._retries.discard(handle)
            self.add(task)

        handle = asyncio.get_running_loop().call_later(seconds * self._settings.seconds, enqueue)
        self._retries.add(handle)

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        for handle in self._retries:
            handle.cancel()
        self._retries.clear()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
            self._busy = False

    async def kill(self) -> int:
        """Kill it: what waits, or is being done, never happens. Retries come again, since the broker has them."""
        retries = set(self._retries)
        self._retries.clear()
        lost = len(self._waiting) + self._busy
        self._waiting.clear()
        await self.stop()
        self._retries = retries
        self.lost += lost
        return lost

    @property
    def waiting(self) -> int:
        return len(self._waiting) + self._busy

    async def settle(self, retries: bool = False) -> None:
        """Wait until nothing waits any more; `retries`: of those that are due later either."""
        while self.waiting or (retries and self._retries):
            await asyncio.sleep(0.001)

    async def _run(self) -> None:
        while True:
            while not self._waiting:
                self._changed.clear()
                await self._changed.wait()
            self._busy = True
            if self._settings.seconds:
                await asyncio.sleep(LAG_SECONDS * self._settings.seconds)
            outcome = self._waiting.popleft()()
            if outcome is not None:
                await outcome
            if self.after_task is not None:
                await self.after_task()
            self._busy = False
