"""SQLite: one writer with durable group commit, reads direct on the event loop.

Statements take microseconds and run in the loop; only the commit waits for the disk, so it runs in a
thread. While it does, the next transactions queue up and share the following commit: each is a savepoint of
its own, and every caller returns after the one fsync. Checkpoints run beside, with a bound on the WAL.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from airside.db.away import DatabaseAway, note_commit
from airside.db.base import Row
from airside.db.database import Database, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.private_files import make_file

GROUP_LIMIT = 128  # transactions that share one commit; bounds how long the first of them waits
BUSY_SECONDS = 15.0  # how long a write waits for another process's write, such as the CLI's
CHECKPOINT_COMMITS = 200  # commits between two background checkpoints
WAL_PAGES_BOUND = 16_384  # 64 MiB at 4 KiB a page: past it writers wait for the checkpoint


class _Group:
    """The transactions that one commit makes durable."""

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.done = done
        self.size = 0
        self.callbacks: list[Callable[[], None]] = []


class SqliteDatabase(Database):
    """A SQLite file opened for one process; any number of processes may share the file."""

    dialect = SQLiteDialect_pysqlite(paramstyle="qmark")

    def __init__(self, url: str) -> None:
        super().__init__(url)
        path = url.removeprefix("sqlite:///")
        with suppress(OSError):  # then sqlite3 has the words for what is wrong with it
            make_file(path)  # and the files that SQLite makes beside it take over its mode
        self._writer = _connect(path)
        self._reader = _connect(path)
        self._reader.execute("PRAGMA query_only=ON")
        self._checkpointer = _connect(path)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._disk = ThreadPoolExecutor(1, "sqlite-commit")
        self._sweeper = ThreadPoolExecutor(1, "sqlite-checkpoint")
        self._tasks: set[asyncio.Task[None]] = set()

    async def fetch_all(self, statement: Statement, /, **params: Any) -> list[Row]:
        try:
            return _fetch_all(self._reader, self.dialect, statement, params)
        except sqlite3.OperationalError as error:
            raise self._judge(error) from error

    async def fetch_one(self, statement: Statement, /, **params: Any) -> Row | None:
        try:
            return _fetch_one(self._reader, self.dialect, statement, params)
        except sqlite3.OperationalError as error:
            raise self._judge(error) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
        await self._take_turn()
        try:
            group = await self._join_group(deadline)
        except BaseException:
            self._turn.release()
            raise
        tx = _SqliteTransaction(self._writer, self.dialect)
        try:
            yield tx
            self._writer.execute("RELEASE one")
        except BaseException:
            self._writer.execute("ROLLBACK TO one")
            self._writer.execute("RELEASE one")
            self._pass_turn(group)
            raise
        group.callbacks.extend(tx.callbacks)
        self._pass_turn(group)
        await asyncio.shield(group.done)
        note_commit()

    async def close(self) -> None:
        async with self.transaction():
            pass  # whatever was under way is committed before the file is closed
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in (self._disk, self._sweeper):
            pool.shutdown()
        for connection in (self._reader, self._checkpointer, self._writer):
            connection.close()

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        except BaseException:
            # The group may have been left open for this very waiter: let an empty transaction close it.
            self._start(self._touch())
            raise
        finally:
            self._waiting -= 1

    async def _touch(self) -> None:
        async with self.transaction():
            pass

    async def _join_group(self, deadline: float) -> _Group:
        if self._group is None:
            await self._begin(deadline)
            self._group = _Group(asyncio.get_running_loop().create_future())
        self._group.size += 1
        self._writer.execute("SAVEPOINT one")
        return self._group

    async def _begin(self, deadline: float) -> None:
        """`deadline` counts the wait for the turn too, or those who queue would each wait as long again."""
        loop, pause = asyncio.get_running_loop(), 0.001
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or loop.time() > deadline:
                    raise self._judge(error) from error
            else:
                self.reach.note_answer()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _pass_turn(self, group: _Group) -> None:
        if self._waiting and group.size < GROUP_LIMIT:
            self._turn.release()
        else:
            self._start(self._commit(group))

    async def _commit(self, group: _Group) -> None:
        loop = asyncio.get_running_loop()
        self._group = None
        try:
            await loop.run_in_executor(self._disk, self._writer.execute, "COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            _settle(group, self._judge(error))
        else:
            self.commits += 1
            _settle(group, None)
            if self.commits % CHECKPOINT_COMMITS == 0:
                await self._checkpoint()
        finally:
            self._turn.release()

    async def _checkpoint(self) -> None:
        """Start moving the WAL into the file; wait for it only when the WAL has outgrown its bound."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._sweeper, _run_checkpoint, self._checkpointer, "PASSIVE")
        if self.commits % (CHECKPOINT_COMMITS * 16) == 0 and await future > WAL_PAGES_BOUND:
            await loop.run_in_executor(self._sweeper, _run_checkpoint, self._checkpointer, "TRUNCATE")

    def _judge(self, error: sqlite3.Error) -> Exception:
        """DatabaseAway where another process has the file; else the error itself."""
        if not _is_busy(error):
            return error
        return self.reach.note_away(DatabaseAway("another process keeps the database file busy"))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _SqliteTransaction(Transaction):
    def __init__(self, connection: sqlite3.Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect
        self.callbacks: list[Callable[[], None]] = []

    async def fetch_all(self, statement: Statement, /, **params: Any) -> list[Row]:
        return _fetch_all(self._connection, self._dialect, statement, params)

    async def fetch_one(self, statement: Statement, /, **params: Any) -> Row | None:
        return _fetch_one(self._connection, self._dialect, statement, params)

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        form = statement.form(self._dialect)
        try:
            return self._connection.execute(form.text, form.bind(params)).rowcount
        except sqlite3.IntegrityError as error:
            raise _violation(error) from error

    async def execute_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> None:
        form = statement.form(self._dialect)
        try:
            self._connection.executemany(form.text, [form.bind(row) for row in rows])
        except sqlite3.IntegrityError as error:
            raise _violation(error) from error

    def on_commit(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    # The busy handler is only for opening: switching to WAL needs the file for itself for a moment.
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint could roll back needs no file
    connection.execute("PRAGMA busy_timeout=0")
    return connection


def _fetch_all(connection: sqlite3.Connection, dialect: Any, statement: Statement, params: Any) -> list[Row]:
    form = statement.form(dialect)
    try:
        rows = connection.execute(form.text, form.bind(params)).fetchall()
    except sqlite3.IntegrityError as error:
        raise _violation(error) from error
    return [form.shape(row) for row in rows]


def _fetch_one(connection: sqlite3.Connection, dialect: Any, statement: Statement, params: Any) -> Row | None:
    form = statement.form(dialect)
    try:
        # fetchall, not fetchone: RETURNING takes effect only as its rows are read to the end
        rows = connection.execute(form.text, form.bind(params)).fetchall()
    except sqlite3.IntegrityError as error:
        raise _violation(error) from error
    return form.shape(rows[0]) if rows else None


def _violation(error: sqlite3.IntegrityError) -> Exception:
    if error.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return UniqueViolation(str(error))
    return error


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the upper bits say what with


def _run_checkpoint(connection: sqlite3.Connection, mode: str) -> int:
    """Pages that were in the WAL."""
    return int(connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[1])


def _settle(group: _Group, error: Exception | None) -> None:
    if error is not None:
        group.done.set_exception(error)
        group.done.exception()  # every member may have been cancelled; its error isn't lost to a warning
        return
    group.done.set_result(None)
    for callback in group.callbacks:
        callback()
