"""The connections of one process to PostgreSQL: at most so many, each kept for the next who needs one.

Where the server has no room for another one, the pool makes do with those that it has, and whoever needs one waits
for them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

IDLE_SECONDS = 300.0  # after which a connection that nobody used is closed
AGAIN_SECONDS = 0.5  # between two attempts to get one from a server without room


class Pool:
    """Connections are used one after the other by whoever holds them, and given back."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self.size = size
        self._connect = connect
        self._idle: deque[tuple[Any, float]] = deque()  # and since when; the one used last at the end
        self._current: set[Any] = set()  # all that are as a new one would be
        self._open = 0  # also those that are being made
        self._full_until = 0.0  # in the loop's time: the server has refused one
        self._waiting: deque[asyncio.Future[Any]] = deque()

    def adopt(self, connection: Any) -> None:
        """Take one that was made already."""
        self._open += 1
        self._current.add(connection)
        self._hand_on(connection)

    async def acquire(self) -> Any:
        """Wait for one, as long as the caller likes. Raises what a new connection raises but for a full server."""
        while True:
            connection = self._take_idle()
            if connection is None and self._may_grow():
                connection = await self._make()
            if connection is None:
                connection = await self._wait_turn()
            if connection is not None:
                return connection

    def release(self, connection: Any) -> None:
        """Give it back. One that has ended, or is still in a transaction, or belongs to the past, isn't kept."""
        if connection in self._current and not connection.is_closed() and not connection.is_in_transaction():
            self._hand_on(connection)
        else:
            self._end(connection)
            self._hand_on(None)
        self._end_old()

    def renew(self) -> None:
        """Keep none of those that are open: a new one may be answered otherwise."""
        self._current.clear()
        while self._idle:
            self._end(self._idle.pop()[0])

    async def close(self) -> None:
        while self._idle:
            connection, _ = self._idle.pop()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
            self._end(connection)

    def _take_idle(self) -> Any:
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._end(connection)
        return None

    def _may_grow(self) -> bool:
        is_refused = self._open > 0 and asyncio.get_running_loop().time() < self._full_until
        return self._open < self.size and not is_refused

    async def _make(self) -> Any:
        """None when the server has no room."""
        self._open += 1
        try:
            connection = await self._connect()
        except asyncpg.TooManyConnectionsError:
            self._open -= 1
            self._full_until = asyncio.get_running_loop().time() + AGAIN_SECONDS
            return None
        except BaseException:
            self._open -= 1
            self._hand_on(None)
            raise
        self._current.add(connection)
        return connection

    async def _wait_turn(self) -> Any:
        """The next that is given back; None when it is time to try for another one."""
        turn: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait([turn], timeout=AGAIN_SECONDS)
        except BaseException:
            if turn.done():
                self._hand_on(turn.result())
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(turn)
        return turn.result() if turn.done() else None

    def _hand_on(self, connection: Any) -> None:
        """To the one who has waited longest; None tells that there is room for another connection."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is not None:
            self._idle.append((connection, asyncio.get_running_loop().time()))

    def _end(self, connection: Any) -> None:
        self._open -= 1
        self._current.discard(connection)
        if not connection.is_closed():
            connection.terminate()

    def _end_old(self) -> None:
        before = asyncio.get_running_loop().time() - IDLE_SECONDS
        while len(self._idle) > 1 and self._idle[0][1] < before:
            self._end(self._idle.popleft()[0])
