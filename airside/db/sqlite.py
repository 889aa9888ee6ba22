"""SQLite: one writer with durable group commit; reads run on the event loop unless they are slow.

Statements take microseconds and run in the loop; only the commit waits for the disk, so it runs in a thread. While
it does, the next transactions queue up and share the following commit: each is a savepoint, and all callers return
after the one fsync. Checkpoints run in the background, with a limit on the WAL's size. A full or read-only disk
fails the transaction, or the whole group when SQLite has rolled it back by itself.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from airside.db.away import DatabaseAway, mark_committed
from airside.db.base import R
from airside.db.database import Database, Transaction
from airside.db.large_values import MANY_ROWS, is_large
from airside.db.sqlite_connections import as_away, as_violation, connect, connect_reader, is_busy, read
from airside.db.sqlite_reads import Reads, Watched
from airside.db.statements import Form, Statement
from airside.system.private_files import make_file

GROUP_LIMIT = 128  # transactions that share one commit; limits how long the first of them waits
BUSY_SECONDS = 15.0  # how long a write waits for another process's write, such as the CLI's
CHECKPOINT_COMMITS = 200  # commits between two background checkpoints
WAL_PAGES_BOUND = 16_384  # 64 MiB at 4 KiB a page: beyond that, writers wait for the checkpoint

_log = structlog.get_logger("airside.db")


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
        with suppress(OSError):  # sqlite3 then raises with a better message
            make_file(path)  # SQLite gives the WAL and other files the same mode
        self._writer = connect(path)
        self._watched = Watched(self._writer)
        self._reads = Reads(connect_reader(path), path)
        self._checkpointer = connect(path)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._disk = ThreadPoolExecutor(1, "sqlite-commit")
        self._sweeper = ThreadPoolExecutor(1, "sqlite-checkpoint")
        self._tasks: set[asyncio.Task[None]] = set()
        self._changes = 0  # the writer's `total_changes` at the last successful write

    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]:
        form = statement.form(self.dialect)
        try:
            return await self._reads.fetch(form, form.bind(params))
        except (sqlite3.OperationalError, DatabaseAway) as error:
            raise self.judge(error, form.text) from error

    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        rows = await self.fetch_all(statement, **params)
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
        await self._take_turn()
        try:
            group = await self._join_group(deadline)
        except BaseException:
            self._turn.release()
            raise
        tx = _SqliteTransaction(self, self._watched, self._disk)
        try:
            yield tx
            tx.release()
        except BaseException as error:
            self._leave(group, error)
            raise
        group.callbacks.extend(tx.callbacks)
        self._pass_turn(group)
        await asyncio.shield(group.done)
        mark_committed()

    async def close(self) -> None:
        with suppress(DatabaseAway):
            async with self.transaction():
                pass  # pending transactions are committed before the file is closed
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in (self._disk, self._sweeper):
            pool.shutdown()
        self._reads.close()
        for connection in (self._checkpointer, self._writer):
            connection.close()

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        except BaseException:
            # The group may have been left open for this waiter: let an empty transaction commit it.
            self._start(self._touch())
            raise
        finally:
            self._waiting -= 1

    async def _touch(self) -> None:
        with suppress(DatabaseAway):
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
        """`deadline` includes the wait for the turn, or every queued caller would wait the full time again."""
        loop, pause = asyncio.get_running_loop(), 0.001
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or loop.time() > deadline:
                    raise self.judge(error) from error
            else:
                self.reach.report_answer()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _leave(self, group: _Group, error: BaseException) -> None:
        """Roll back one transaction of the group; all of it if SQLite has done so, as on a full disk."""
        if self._roll_back_one():
            self._pass_turn(group)
            return
        self._group = None
        _settle(group, error if isinstance(error, DatabaseAway) else DatabaseAway(f"rolled back: {error!r}"))
        self._turn.release()

    def _roll_back_one(self) -> bool:
        """False when the group is lost: without a savepoint one transaction can't be separated from the others."""
        if not self._writer.in_transaction:
            return False
        try:
            self._writer.execute("ROLLBACK TO one")
            self._writer.execute("RELEASE one")
        except sqlite3.Error:
            self._writer.execute("ROLLBACK")
            return False
        return True

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
            _settle(group, self.judge(error))
        else:
            self.commits += 1
            if self._writer.total_changes != self._changes:
                self._changes = self._writer.total_changes
                self.writing.report_answer()
            _settle(group, None)
            if self.commits % CHECKPOINT_COMMITS == 0:
                await self._checkpoint()
        finally:
            self._turn.release()

    async def _checkpoint(self) -> None:
        """Start a checkpoint; wait for it only when the WAL has outgrown its limit."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._sweeper, _run_checkpoint, self._checkpointer, "PASSIVE")
        if self.commits % (CHECKPOINT_COMMITS * 16) == 0 and await future > WAL_PAGES_BOUND:
            await loop.run_in_executor(self._sweeper, _run_checkpoint, self._checkpointer, "TRUNCATE")

    def judge(self, error: Exception, statement: str = "") -> Exception:
        """DatabaseAway for a temporary error, which is logged; else the error itself."""
        away = as_away(error) if isinstance(error, sqlite3.Error) else error
        return self.report_outage(away, statement) if isinstance(away, DatabaseAway) else error

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _SqliteTransaction(Transaction):
    def __init__(self, db: SqliteDatabase, watched: Watched, executor: Executor) -> None:
        self._db = db
        self._watched = watched
        self._connection = watched.connection
        self._executor = executor
        self._failure: Exception | None = None  # SQLite may have rolled everything back after it
        self.callbacks: list[Callable[[], None]] = []

    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]:
        form = self._form_of(statement)
        try:
            return await self._fetch(form, form.bind(params))
        except (sqlite3.OperationalError, DatabaseAway) as error:
            raise self._fail(error, form) from error

    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        rows = await self.fetch_all(statement, **params)
        return rows[0] if rows else None

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        form = self._form_of(statement)
        try:
            if form.reads_texts or is_large(params.values()):
                return await _run_in_thread(self._write, form, params)
            return self._write(form, params)
        except sqlite3.IntegrityError as error:
            raise as_violation(error) from error
        except sqlite3.OperationalError as error:
            raise self._fail(error, form) from error

    def _write(self, form: Form, params: Mapping[str, Any]) -> int:
        return self._connection.execute(form.text, form.bind(params)).rowcount

    async def execute_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> None:
        form = self._form_of(statement)
        try:
            if len(rows) > MANY_ROWS:
                await _run_in_thread(self._write_all, form, rows)
            else:
                self._write_all(form, rows)
        except sqlite3.IntegrityError as error:
            raise as_violation(error) from error
        except sqlite3.OperationalError as error:
            raise self._fail(error, form) from error

    def _write_all(self, form: Form, rows: Sequence[Mapping[str, Any]]) -> None:
        self._connection.executemany(form.text, [form.bind(row) for row in rows])

    async def lock_name(self, *parts: str) -> None:
        """Nothing: there is one writing transaction at a time."""

    def on_commit(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def release(self) -> None:
        """Release the savepoint into its group. Raises an earlier failure again if the caller has caught it."""
        if self._failure is not None:
            raise self._failure
        try:
            self._connection.execute("RELEASE one")
        except sqlite3.OperationalError as error:
            raise self._db.judge(error, "RELEASE") from error

    async def _fetch(self, form: Form, values: Sequence[Any]) -> list[Any]:
        if not form.only_reads:
            return read(self._connection, form, values)
        rows = self._watched.try_here(form, values)
        return await self._watched.read_in_thread(self._executor, form, values) if rows is None else rows

    def _form_of(self, statement: Statement[Any]) -> Form:
        if self._failure is not None:
            raise self._failure
        return statement.form(self._db.dialect)

    def _fail(self, error: Exception, form: Form) -> Exception:
        judged = self._db.judge(error, form.text)
        if isinstance(judged, DatabaseAway):
            self._failure = judged
        return judged


async def _run_in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run in a thread. A cancelled caller still waits for its end, so that nothing else uses the connection."""
    done = asyncio.get_running_loop().run_in_executor(None, work, *arguments)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done])
        raise


def _run_checkpoint(connection: sqlite3.Connection, mode: str) -> int:
    """Returns the number of pages in the WAL. Pages that can't be moved now are moved later."""
    try:
        return int(connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[1])
    except sqlite3.OperationalError as error:
        _log.warning("checkpoint_failed", reason=str(error))
        return 0


def _settle(group: _Group, error: Exception | None) -> None:
    if error is not None:
        group.done.set_exception(error)
        group.done.exception()  # mark as retrieved: every caller may have been cancelled
        return
    group.done.set_result(None)
    for callback in group.callbacks:
        callback()
