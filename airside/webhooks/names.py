"""DNS lookups of receivers' host names: one per name, shared by all who wait for it, each in a thread of its own.

libuv resolves two names at a time for a whole process, so two unresponsive name servers would block all lookups.
Here each lookup has a thread, up to a limit.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

# A host's addresses; raises OSError or UnicodeError when there are none.
Resolve = Callable[[str], Awaitable[list[str]]]

CACHE_SECONDS = 10.0  # how long a result is used
MAX_LOOKUPS = 64  # concurrent lookups of a process; further ones fail, and the delivery is retried
MAX_KNOWN_NAMES = 1_000

_lookup_slots = threading.BoundedSemaphore(MAX_LOOKUPS)


async def resolve_host(host: str) -> list[str]:
    """Every address of the host. OSError or UnicodeError when there is none."""
    if not _lookup_slots.acquire(blocking=False):
        raise OSError("too many names are being resolved")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def conclude(found: list[str], error: Exception | None) -> None:
        if answer.done():  # the caller was cancelled
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def look_up() -> None:
        found, failure = list[str](), None
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [str(info[4][0]) for info in infos]
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            failure = error
        finally:
            _lookup_slots.release()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(conclude, found, failure)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return await answer


class _Lookup(NamedTuple):
    addresses: asyncio.Task[list[str]]
    good_until: float  # by the loop's clock


class Names:
    """One sender's cache of host names and their addresses."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._loop = asyncio.get_running_loop()
        self._lookups: dict[str, _Lookup] = {}

    async def locate(self, host: str) -> list[str]:
        """Its addresses. Raises OSError when there are none."""
        lookup = self._lookups.get(host)
        if lookup is None or (lookup.addresses.done() and lookup.good_until <= self._loop.time()):
            lookup = self._start_lookup(host)
        return await asyncio.shield(lookup.addresses)

    def close(self) -> None:
        for lookup in self._lookups.values():
            lookup.addresses.cancel()
        self._lookups.clear()

    def _start_lookup(self, host: str) -> _Lookup:
        if len(self._lookups) >= MAX_KNOWN_NAMES:
            self._lookups = {name: one for name, one in self._lookups.items() if not one.addresses.done()}
        task = self._loop.create_task(self._find(host))
        lookup = self._lookups[host] = _Lookup(task, self._loop.time() + CACHE_SECONDS)
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
        """The next caller retries the lookup. Also retrieves the error of a lookup that no caller awaits."""
        if not ended.cancelled() and ended.exception() is None:
            return
        lookup = self._lookups.get(host)
        if lookup is not None and lookup.addresses is ended:
            del self._lookups[host]
