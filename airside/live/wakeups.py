"""In-process notifications: a commit wakes the loop that processes what it wrote, ahead of the next poll, and
announces the changed topics to subscribers."""

import asyncio
from collections.abc import Callable


class Wakeups:
    """Named events. A wake-up is only a hint: every loop also polls, since other processes write, too."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._subscribers: list[Callable[[str], None]] = []
        self.is_stopping = False  # the process is shutting down, and every wait returns

    def stop(self) -> None:
        """End every wait, present and future."""
        self.is_stopping = True
        for event in self._events.values():
            event.set()

    def wake(self, name: str) -> None:
        self._event(name).set()

    async def wait(self, name: str, timeout_seconds: float) -> None:
        """Return at the next `wake(name)`, at once if one came since the last wait, or after the time."""
        event = self._event(name)
        if self.is_stopping:
            return
        try:
            async with asyncio.timeout(timeout_seconds):
                await event.wait()
        except TimeoutError:
            return
        finally:
            event.clear()

    def announce(self, topic: str) -> None:
        """Report a change of something that pages show: `deliveries:<endpoint id>`. Call it after the commit."""
        for subscriber in self._subscribers:
            subscriber(topic)

    def subscribe(self, subscriber: Callable[[str], None]) -> None:
        """Call the subscriber at every announcement; it must not block."""
        self._subscribers.append(subscriber)

    def forget(self, name: str) -> None:
        """Drop the event of a name that no caller will wait for again."""
        self._events.pop(name, None)

    def _event(self, name: str) -> asyncio.Event:
        return self._events.setdefault(name, asyncio.Event())
