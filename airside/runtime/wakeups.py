"""In-process nudges: a commit wakes the loop that works on what it wrote, so nobody waits for the next poll, and
announces what has changed to whoever shows it."""

import asyncio
from collections.abc import Callable


class Wakeups:
    """Named events. A nudge is only a hint: every loop also polls, since other processes write too."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._hearers: list[Callable[[str], None]] = []
        self.is_stopping = False  # the process ends: whoever waits for something goes home

    def stop(self) -> None:
        """End every wait, also those to come."""
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
        """Something that pages show has changed: `deliveries:<endpoint id>`. To be called after the commit."""
        for subscribe in self._hearers:
            subscribe(topic)

    def subscribe(self, subscriber: Callable[[str], None]) -> None:
        """Call back, quickly, at every announcement."""
        self._hearers.append(subscriber)

    def forget(self, name: str) -> None:
        """Nobody waits for it here any more."""
        self._events.pop(name, None)

    def _event(self, name: str) -> asyncio.Event:
        return self._events.setdefault(name, asyncio.Event())
