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
RETRY_SECONDS = 0.5  # between two attempts to get one from a server without room
CLOSE_SECONDS = 1.0  # that closing waits for what a connection has still under way


class Pool:
    """Connections are used one after the other by whoever holds them, and given back."""

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], prepare: Callable[[Any], Awaitable[None]], size: int
    ) -> None:
        """`prepare` makes a new connection ready for use; where it fails, the connection ends."""
        self.size = size
        self._connect = connect
        self._prepare = prepare
        self._idle: deque[tuple[Any, float]] = deque()  # and since when; the one used last at the end
        self._made: set[Any] = set()  # all that haven't ended, also those in use
        self._current: set[Any] = set()  # of these all that are as a new one would be
        self._open = 0  # also those that are being made
        self._full_until = 0.0  # in the loop's time: the server has refused one
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._cancelling: set[asyncio.Task[Any]] = set()  # of connections that have ended
        self._is_closed = False

    def adopt(self, connection: Any) -> None:
        """Take one that was made already."""
        self._open += 1
        self._note_made(connection)
        self._pass_to_waiter(connection)

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
        if self._is_kept(connection):
            self._pass_to_waiter(connection)
        else:
            self._end(connection)
            self._pass_to_waiter(None)
        self._end_old()

    def renew(self) -> None:
        """Keep none of those that are open: a new one may be answered otherwise."""
        self._current.clear()
        while self._idle:
            self._end(self._idle.pop()[0])

    async def close(self) -> None:
        """Also those in use: a statement that is given up later would be cancelled by a task that nobody waits for.
        Such tasks that run already are waited for."""
        self._is_closed = True
        for connection in self._made:
            self._note_cancelling(connection)
        while self._idle:
            connection, _ = self._idle.pop()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=CLOSE_SECONDS)
            self._end(connection)
        for connection in tuple(self._made):
            self._note_cancelling(connection)
            connection.terminate()
        await self._end_cancelling()

    async def _end_cancelling(self) -> None:
        if self._cancelling:
            _, late = await asyncio.wait(set(self._cancelling), timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _note_cancelling(self, connection: Any) -> None:
        """A statement that nobody waits for any more is cancelled over a connection of its own, by a task that only
        the driver knows; where its connection ends, it cancels that task and doesn't wait for it."""
        for task in tuple(connection._cancellations):
            self._cancelling.add(task)
            task.add_done_callback(self._cancelling.discard)

    def _note_made(self, connection: Any) -> None:
        self._made.add(connection)
        self._current.add(connection)

    def _is_kept(self, connection: Any) -> bool:
        if self._is_closed or connection not in self._current:
            return False
        return not connection.is_closed() and not connection.is_in_transaction()

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
        connection = None
        try:
            connection = await self._connect()
            await self._prepare(connection)
        except asyncpg.TooManyConnectionsError:
            self._open -= 1
            self._full_until = asyncio.get_running_loop().time() + RETRY_SECONDS
            return None
        except BaseException:  # also a cancelled caller, who leaves a statement under way
            if connection is None:
                self._open -= 1
            else:
                self._end(connection)
            self._pass_to_waiter(None)
            raise
        self._note_made(connection)
        return connection

    async def _wait_turn(self) -> Any:
        """The next that is given back; None when it is time to try for another one."""
        turn: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait([turn], timeout=RETRY_SECONDS)
        except BaseException:
            if turn.done():
                self._pass_to_waiter(turn.result())
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(turn)
        return turn.result() if turn.done() else None

    def _pass_to_waiter(self, connection: Any) -> None:
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
        self._made.discard(connection)
        self._current.discard(connection)
        self._note_cancelling(connection)
        if not connection.is_closed():
            connection.terminate()

    def _end_old(self) -> None:
        before = asyncio.get_running_loop().time() - IDLE_SECONDS
        while len(self._idle) > 1 and self._idle[0][1] < before:
            self._end(self._idle.popleft()[0])
