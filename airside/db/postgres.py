"""PostgreSQL with asyncpg: pooled connections that are never reset, single statements in autocommit."""

import asyncio
import ctypes
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

import asyncpg
import structlog
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from airside.db.away import (
    STATEMENT_SECONDS,
    DatabaseAway,
    DatabaseBusy,
    OutcomeUnknown,
    Unwritable,
    mark_committed,
)
from airside.db.base import R, Row
from airside.db.database import Database, Transaction, UniqueViolation
from airside.db.large_values import is_large
from airside.db.pool import Pool
from airside.db.statements import Form, Statement

Ask = Callable[..., Awaitable[Any]]  # a connection, one of its methods, the method's arguments

POOL = 10  # connections of one process by default
CONNECT_SECONDS = 10.0  # how long a statement waits for a connection
LOCK_SECONDS = 3.0  # how long a statement waits for a row locked by another transaction
IDLE_SECONDS = 60.0  # after which the server ends an idle transaction

_log = structlog.get_logger("airside.db")

# Temporary errors: the server is stopping, starting, recovering or out of resources, or the connection was lost.
AWAY = (
    OSError,  # TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,  # the statement was sent while the server closed the connection
)

# The server cancelled this one statement: a row is locked by another transaction, or it took too long.
BUSY = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError)
UNWRITABLE = (asyncpg.ReadOnlySQLTransactionError, asyncpg.DiskFullError)


class PostgresDatabase(Database):
    """A PostgreSQL database behind a pool."""

    dialect = PGDialect_asyncpg()

    def __init__(self, url: str, pool: Pool) -> None:
        super().__init__(url)
        self._pool = pool
        # Transactions may all wait for the same row, so a quarter of the connections is reserved for reads.
        self._transactions = asyncio.Semaphore(max(1, pool.size - (pool.size + 3) // 4))

    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]:
        form = statement.form(self.dialect)
        async with self._connection() as connection:
            records = await self._ask(connection, connection.fetch, form.text, *await _bind(form, params))
        return await _shape(form, records)

    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        form = statement.form(self.dialect)
        async with self._connection() as connection:
            record = await self._ask(connection, connection.fetchrow, form.text, *await _bind(form, params))
        return None if record is None else (await _shape(form, [record]))[0]

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        async with self._connection(self._transactions) as connection:
            tx = _PostgresTransaction(self._ask, connection, self.dialect)
            await tx.begin()
            try:
                yield tx
            except BaseException:
                await tx.roll_back()
                raise
            try:
                await tx.commit()
            except OutcomeUnknown:
                self.commits += 1  # it may have been committed, so cached reads are stale
                raise
        self.commits += 1
        if tx.has_written:
            self.writing.report_answer()
        mark_committed()
        for callback in tx.callbacks:
            callback()

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def _connection(self, bound: asyncio.Semaphore | None = None) -> AsyncGenerator[Any]:
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    if bound is not None:
                        await held.enter_async_context(bound)
                    connection = await self._pool.acquire()
            except AWAY as error:
                raise self.reach.report_outage(DatabaseAway(_describe(error))) from error
            held.callback(self._pool.release, connection)
            yield connection

    async def _ask(self, connection: Any, method: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Call the driver. Raises UniqueViolation and DatabaseAway in place of the driver's errors."""
        try:
            answered = await method(*arguments)
        except asyncpg.UniqueViolationError as error:
            raise _violation(error) from error
        except UNWRITABLE as error:
            self._pool.renew()  # a connection may stay read-only when the server no longer is
            is_full = isinstance(error, asyncpg.DiskFullError)
            about = "PostgreSQL's disk is full" if is_full else "PostgreSQL is read-only"
            raise self.report_outage(Unwritable(about)) from error
        except BUSY as error:
            raise self.report_outage(
                DatabaseBusy(f"PostgreSQL gave it up: {error}"), str(arguments[:1])
            ) from error
        except (*AWAY, asyncpg.InterfaceError) as error:
            # asyncpg raises InterfaceError both for wrong parameters and on a closed connection.
            if isinstance(error, asyncpg.InterfaceError) and not _has_ended(connection):
                raise
            raise self.reach.report_outage(DatabaseAway(_describe(error))) from error
        self.reach.report_answer()
        return answered


class _PostgresTransaction(Transaction):
    def __init__(self, ask: Ask, connection: Any, dialect: Dialect) -> None:
        self._connection = connection
        self._ask = partial(ask, connection)
        self._transaction = connection.transaction()
        self._dialect = dialect
        self.has_written = False
        self.callbacks: list[Callable[[], None]] = []

    async def begin(self) -> None:
        await self._ask(self._transaction.start)

    async def commit(self) -> None:
        """Raises OutcomeUnknown if COMMIT was sent and its result wasn't received."""
        is_sent = not _has_ended(self._connection)
        try:
            await self._ask(self._transaction.commit)
        except DatabaseAway as error:
            if not is_sent:
                raise
            raise OutcomeUnknown(error.about) from error

    async def roll_back(self) -> None:
        with suppress(DatabaseAway):  # then the server rolls back by itself
            await self._ask(self._transaction.rollback)

    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]:
        form = statement.form(self._dialect)
        records = await self._ask(self._connection.fetch, form.text, *await _bind(form, params))
        return await _shape(form, records)

    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        form = statement.form(self._dialect)
        record = await self._ask(self._connection.fetchrow, form.text, *await _bind(form, params))
        return None if record is None else (await _shape(form, [record]))[0]

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        form = statement.form(self._dialect)
        status: str = await self._ask(self._connection.execute, form.text, *await _bind(form, params))
        self.has_written = True
        return int(status.rsplit(" ", 1)[1])

    async def execute_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> None:
        form = statement.form(self._dialect)
        await self._ask(self._connection.executemany, form.text, [form.bind(row) for row in rows])
        self.has_written = True

    async def lock_name(self, *parts: str) -> None:
        name = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
        key = int.from_bytes(name, signed=True)
        await self._ask(self._connection.execute, "SELECT pg_advisory_xact_lock($1)", key)

    def on_commit(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)


async def open_postgres(url: str, size: int = POOL) -> PostgresDatabase:
    """Connect; `size` limits the connections. Raises OSError or asyncpg.PostgresError."""
    first = await _connect(url)
    try:
        await _prepare(first)
        room = await first.fetchval(_ROOM)
    except BaseException:
        first.terminate()
        raise
    if room < size:
        _log.warning("database_pool_too_large", asked=size, used=room)
    pool = Pool(partial(_connect, url), _prepare, max(1, min(size, room)))
    pool.adopt(first)
    return PostgresDatabase(url, pool)


# The connections that the server, the database and the role allow.
_ROOM = """
    SELECT least(
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
    )
"""


async def _connect(url: str) -> Any:
    # Its type stubs don't allow a float for the timeout.
    connect = cast(Any, asyncpg).connect
    return await connect(url, timeout=CONNECT_SECONDS, statement_cache_size=512)


async def _prepare(connection: Any) -> None:
    # Ids are strings everywhere in Airside; asyncpg's own UUID objects would cost a conversion each.
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog", format="text")
    await connection.execute(
        "SET jit = off; "  # compiling adds 9 ms to a claim that takes 0.4
        f"SET lock_timeout = {LOCK_SECONDS * 1000:.0f}; "
        f"SET statement_timeout = {STATEMENT_SECONDS * 1000:.0f}; "
        f"SET idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000:.0f}"
    )


async def _bind(form: Form, params: Mapping[str, Any]) -> list[Any]:
    """The arguments; large ones are serialized and encoded in a thread."""
    if is_large(params.values()):
        return await asyncio.to_thread(_bind_large, form, params)
    return form.bind(params)


async def _shape(form: Form, records: Sequence[Any]) -> list[Any]:
    """The rows, of the statement's type; large ones are decoded beside the event loop."""
    if form.converted and is_large(record[at] for record in records for at in form.converted):
        return await asyncio.to_thread(_shape_all, form, records)
    return _shape_all(form, records)


def _shape_all(form: Form, records: Sequence[Any]) -> list[Row]:
    return [form.shape(record) for record in records]


def _bind_large(form: Form, params: Mapping[str, Any]) -> list[Any]:
    values = form.bind(params)
    for value in values:
        if isinstance(value, str):
            # CPython caches a string's UTF-8, which asyncpg would otherwise encode in the event loop.
            _cache_utf8(value, None)
    return values


_cache_utf8 = ctypes.pythonapi.PyUnicode_AsUTF8AndSize
_cache_utf8.argtypes, _cache_utf8.restype = [ctypes.py_object, ctypes.c_void_p], ctypes.c_void_p


def _has_ended(connection: Any) -> bool:
    return bool(connection.is_closed())


def _describe(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return (
            f"no connection to PostgreSQL within {CONNECT_SECONDS:.0f} seconds: it is busy, or doesn't answer"
        )
    return f"PostgreSQL can't be used: {error or type(error).__name__}"


def _violation(error: Any) -> UniqueViolation:
    return UniqueViolation(f"{error.constraint_name}: {error.detail}")
