"""Reading a SQLite file without blocking the event loop: short reads run in the loop, long ones in a thread.

A short read costs 10 µs in the loop and ten times that in a thread, so each starts in the loop. One that isn't done
within milliseconds is interrupted and restarted in a thread, with a timeout. Its SQL is remembered, so that the
same statement then starts in a thread.
"""

import asyncio
import math
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from airside.db.away import STATEMENT_SECONDS, DatabaseBusy
from airside.db.base import Row
from airside.db.large_values import is_large
from airside.db.sqlite_connections import connect_reader, read, was_interrupted
from airside.db.statements import Form

LOOP_SECONDS = 0.003  # that a read may block the event loop
STEPS = 5_000  # instructions of SQLite's VM between two checks of the clock: a millisecond or less
SLOW_SECONDS = 60.0  # for which a statement starts in a thread after it was slow
MAX_SLOW = 1_000  # slow statements remembered
THREADS = 2  # more would compete with the loop for the CPU
TOO_LONG = f"a read took longer than {STATEMENT_SECONDS:.0f} seconds and was broken off"


class Limit:
    """Interrupts a connection's statement at a deadline."""

    def __init__(self) -> None:
        self.until = math.inf  # monotonic

    def watch(self, connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(self.is_over, STEPS)

    def is_over(self) -> bool:
        return time.monotonic() > self.until


class Watched:
    """One connection, read with a time limit: first in the event loop, then in a thread of `executor`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._limit = Limit()
        self._limit.watch(connection)

    def try_here(self, form: Form, values: Sequence[Any]) -> list[Row] | None:
        """The rows, or None when finding or reading them takes too long."""
        if form.reads_texts:
            return None
        until = self._limit.until = time.monotonic() + LOOP_SECONDS
        rows: list[Row] = []
        try:
            cursor = self.connection.execute(form.text, values)
            for row in cursor:
                if rows and time.monotonic() > until:
                    cursor.close()
                    return None
                if form.converted and is_large(row[at] for at in form.converted):  # takes longer alone
                    cursor.close()
                    return None
                rows.append(form.shape(row))
            return rows
        except sqlite3.OperationalError as error:
            if not was_interrupted(error):
                raise
            return None
        finally:
            self._limit.until = math.inf

    async def read_in_thread(self, executor: Executor, form: Form, values: Sequence[Any]) -> list[Row]:
        """Read in a thread. A cancelled caller still waits for the end: nothing else may use the connection."""
        self._limit.until = time.monotonic() + STATEMENT_SECONDS
        work = asyncio.get_running_loop().run_in_executor(
            executor, _read_to_end, self.connection, form, values
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._limit.until = -math.inf
            while not work.done():
                await asyncio.wait([work])
            raise
        finally:
            self._limit.until = math.inf


class Reads:
    """Reads outside of transactions."""

    def __init__(self, reader: sqlite3.Connection, path: str) -> None:
        self._here = Watched(reader)
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, "sqlite-read")
        self._local = threading.local()  # each thread's connection
        self._connections: list[sqlite3.Connection] = []
        self._running: set[Limit] = set()
        self._slow: dict[str, float] = {}  # text → until when

    async def fetch(self, form: Form, values: Sequence[Any]) -> list[Any]:
        """Raises sqlite3.Error and DatabaseBusy."""
        if self._slow.get(form.text, 0.0) < time.monotonic():
            rows = self._here.try_here(form, values)
            if rows is not None:
                return rows
        return await self._fetch_in_thread(form, values)

    async def _fetch_in_thread(self, form: Form, values: Sequence[Any]) -> list[Row]:
        limit = Limit()
        limit.until = time.monotonic() + STATEMENT_SECONDS  # including the wait for a thread
        self._running.add(limit)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._read_in_thread, limit, form, values
            )
        except asyncio.CancelledError:
            limit.until = -math.inf  # interrupt it: no caller awaits it
            raise
        finally:
            self._running.discard(limit)

    def _read_in_thread(self, limit: Limit, form: Form, values: Sequence[Any]) -> list[Row]:
        if limit.is_over():
            raise DatabaseBusy(TOO_LONG)
        connection = self._connection()
        limit.watch(connection)
        begun = time.monotonic()
        rows = _read_to_end(connection, form, values)
        if time.monotonic() - begun > LOOP_SECONDS:
            self._remember_slow(form.text)
        return rows

    def _remember_slow(self, text: str) -> None:
        if len(self._slow) >= MAX_SLOW:
            self._slow.clear()
        self._slow[text] = time.monotonic() + SLOW_SECONDS

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = connect_reader(self._path)
            self._connections.append(found)
        return found

    def close(self) -> None:
        for limit in self._running:
            limit.until = -math.inf
        self._threads.shutdown()
        for connection in (self._here.connection, *self._connections):
            connection.close()


def _read_to_end(connection: sqlite3.Connection, form: Form, values: Sequence[Any]) -> list[Row]:
    try:
        return read(connection, form, values)
    except sqlite3.OperationalError as error:
        if was_interrupted(error):
            raise DatabaseBusy(TOO_LONG) from error
        raise
