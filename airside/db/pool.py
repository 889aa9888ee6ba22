"""The connection pool of one process to PostgreSQL.

When the server refuses further connections, the pool works with those that it has, and callers wait for one of
them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

IDLE_SECONDS = 300.0  # after which an unused connection is closed
RETRY_SECONDS = 0.5  # between two attempts to connect to a server that has too many connections
CLOSE_SECONDS = 1.0  # how long closing waits for running statements


class Pool:
    """Callers acquire connections for exclusive use, and release them."""

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], prepare: Callable[[Any], Awaitable[None]], size: int
    ) -> None:
        """`prepare` sets up a new connection; if it fails, the connection is closed."""
        self.size = size
        self._connect = connect
        self._prepare = prepare
        self._idle: deque[tuple[Any, float]] = deque()  # and since when; the last used at the end
        self._made: set[Any] = set()  # all open connections, in use or idle
        self._current: set[Any] = set()  # those of them made since the last `renew`
        self._open = 0  # including connections that are being made
        self._full_until = 0.0  # by the loop's clock: the server has refused a connection
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._cancelling: set[asyncio.Task[Any]] = set()  # of closed connections
        self._is_closed = False

    def adopt(self, connection: Any) -> None:
        """Add an open connection."""
        self._open += 1
        self._track_created(connection)
        self._pass_to_waiter(connection)

    async def acquire(self) -> Any:
        """Wait for a connection; the caller sets a timeout. Raises the errors of connecting, except
        TooManyConnectionsError: then it waits."""
        while True:
            connection = self._take_idle()
            if connection is None and self._may_grow():
                connection = await self._make()
            if connection is None:
                connection = await self._wait_turn()
            if connection is not None:
                return connection

    def release(self, connection: Any) -> None:
        """Return it to the pool. One in a transaction, or older than the last `renew`, is closed instead."""
        if self._is_kept(connection):
            self._pass_to_waiter(connection)
        else:
            self._end(connection)
            self._pass_to_waiter(None)
        self._end_old()

    def renew(self) -> None:
        """Replace all open connections by new ones: the server may be writable again for a new one."""
        self._current.clear()
        while self._idle:
            self._end(self._idle.pop()[0])

    async def close(self) -> None:
        """Close all connections, also those in use: cancelling a statement of one later would start a task that
        nobody awaits. Such tasks that are running already are awaited."""
        self._is_closed = True
        for connection in self._made:
            self._track_cancelled(connection)
        while self._idle:
            connection, _ = self._idle.pop()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=CLOSE_SECONDS)
            self._end(connection)
        for connection in tuple(self._made):
            self._track_cancelled(connection)
            connection.terminate()
        await self._end_cancelling()

    async def _end_cancelling(self) -> None:
        if self._cancelling:
            _, late = await asyncio.wait(set(self._cancelling), timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _track_cancelled(self, connection: Any) -> None:
        """Track the driver's cancellation tasks. asyncpg cancels an abandoned statement over a separate connection,
        in a private task; when the statement's connection is closed, it cancels that task without awaiting it."""
        for task in tuple(connection._cancellations):
            self._cancelling.add(task)
            task.add_done_callback(self._cancelling.discard)

    def _track_created(self, connection: Any) -> None:
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
        """A new connection; None when the server has too many."""
        self._open += 1
        connection = None
        try:
            connection = await self._connect()
            await self._prepare(connection)
        except asyncpg.TooManyConnectionsError:
            self._open -= 1
            self._full_until = asyncio.get_running_loop().time() + RETRY_SECONDS
            return None
        except BaseException:  # also CancelledError, which may leave a statement running
            if connection is None:
                self._open -= 1
            else:
                self._end(connection)
            self._pass_to_waiter(None)
            raise
        self._track_created(connection)
        return connection

    async def _wait_turn(self) -> Any:
        """The next released connection; None when it is time to try to connect again."""
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
        """Hand it to the caller that has waited longest; None means that there is room for a new connection."""
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
        self._track_cancelled(connection)
        if not connection.is_closed():
            connection.terminate()

    def _end_old(self) -> None:
        before = asyncio.get_running_loop().time() - IDLE_SECONDS
        while len(self._idle) > 1 and self._idle[0][1] < before:
            self._end(self._idle.popleft()[0])
