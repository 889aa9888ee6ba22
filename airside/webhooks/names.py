"""Names of receivers: asked for once, however many wait, and off the event loop's own few threads.

libuv resolves two names at a time for a whole process, so two names whose servers are silent would hold up
everybody's. Here each question has a thread, up to a bound.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

Resolve = Callable[
    [str], Awaitable[list[str]]
]  # a host's addresses; OSError or UnicodeError when there are none

KNOWN_SECONDS = 10.0  # how long an answer serves
MAX_LOOKUPS = 64  # questions under way in a process; further ones fail, to be tried again
MAX_KNOWN_NAMES = 1_000

_asked = threading.BoundedSemaphore(MAX_LOOKUPS)


async def resolve_host(host: str) -> list[str]:
    """Every address of the host. OSError or UnicodeError when there is none."""
    if not _asked.acquire(blocking=False):
        raise OSError("too many names are being resolved")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def conclude(found: list[str], error: Exception | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def ask() -> None:
        found, failure = list[str](), None
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [str(info[4][0]) for info in infos]
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            failure = error
        finally:
            _asked.release()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(conclude, found, failure)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    return await answer


class _Lookup(NamedTuple):
    addresses: asyncio.Task[list[str]]
    good_until: float  # in the loop's time


class Names:
    """What one sender knows of names."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._loop = asyncio.get_running_loop()
        self._lookups: dict[str, _Lookup] = {}

    async def locate(self, host: str) -> list[str]:
        """Its addresses. Raises OSError when there are none."""
        lookup = self._lookups.get(host)
        if lookup is None or (lookup.addresses.done() and lookup.good_until <= self._loop.time()):
            lookup = self._ask(host)
        return await asyncio.shield(lookup.addresses)

    def close(self) -> None:
        for lookup in self._lookups.values():
            lookup.addresses.cancel()
        self._lookups.clear()

    def _ask(self, host: str) -> _Lookup:
        if len(self._lookups) >= MAX_KNOWN_NAMES:
            self._lookups = {name: one for name, one in self._lookups.items() if not one.addresses.done()}
        task = self._loop.create_task(self._find(host))
        lookup = self._lookups[host] = _Lookup(task, self._loop.time() + KNOWN_SECONDS)
        task.add_done_callback(lambda ended: self._forget_failed(host, ended))
        return lookup

    async def _find(self, host: str) -> list[str]:
        try:
            found = await self._resolve(host)
        except UnicodeError as error:
            raise OSError(f"no name: {error}") from error
        if not found:
            raise OSError("a name without an address")
        return found

    def _forget_failed(self, host: str, ended: asyncio.Task[list[str]]) -> None:
        """The next who asks asks anew; also takes the error of a question that nobody waits for any more."""
        if not ended.cancelled() and ended.exception() is None:
            return
        lookup = self._lookups.get(host)
        if lookup is not None and lookup.addresses is ended:
            del self._lookups[host]
