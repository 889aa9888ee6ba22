"""PostgreSQL through asyncpg: pooled connections that are never reset, single statements in autocommit."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from airside.db.base import Row
from airside.db.database import Database, Transaction, UniqueViolation
from airside.db.statements import Statement

POOL_MIN, POOL_MAX = 1, 16  # connections of one process


class PostgresDatabase(Database):
    """A PostgreSQL database behind a pool."""

    dialect = PGDialect_asyncpg()

    def __init__(self, url: str, pool: asyncpg.Pool) -> None:
        self.url = url
        self._pool = pool

    async def fetch_all(self, statement: Statement, /, **params: Any) -> list[Row]:
        form = statement.form(self.dialect)
        return [form.shape(record) for record in await self._pool.fetch(form.text, *form.bind(params))]

    async def fetch_one(self, statement: Statement, /, **params: Any) -> Row | None:
        form = statement.form(self.dialect)
        record = await self._pool.fetchrow(form.text, *form.bind(params))
        return None if record is None else form.shape(record)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        callbacks: list[Callable[[], None]] = []
        async with self._pool.acquire() as connection, connection.transaction():
            yield _PostgresTransaction(connection, self.dialect, callbacks)
        self.commits += 1
        for callback in callbacks:
            callback()

    async def close(self) -> None:
        await self._pool.close()


class _PostgresTransaction(Transaction):
    def __init__(self, connection: Any, dialect: Dialect, callbacks: list[Callable[[], None]]) -> None:
        self._connection = connection
        self._dialect = dialect
        self._callbacks = callbacks

    async def fetch_all(self, statement: Statement, /, **params: Any) -> list[Row]:
        form = statement.form(self._dialect)
        try:
            records = await self._connection.fetch(form.text, *form.bind(params))
        except asyncpg.UniqueViolationError as error:
            raise _violation(error) from error
        return [form.shape(record) for record in records]

    async def fetch_one(self, statement: Statement, /, **params: Any) -> Row | None:
        form = statement.form(self._dialect)
        try:
            record = await self._connection.fetchrow(form.text, *form.bind(params))
        except asyncpg.UniqueViolationError as error:
            raise _violation(error) from error
        return None if record is None else form.shape(record)

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        form = statement.form(self._dialect)
        try:
            status: str = await self._connection.execute(form.text, *form.bind(params))
        except asyncpg.UniqueViolationError as error:
            raise _violation(error) from error
        return int(status.rsplit(" ", 1)[1])

    async def execute_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> None:
        form = statement.form(self._dialect)
        try:
            await self._connection.executemany(form.text, [form.bind(row) for row in rows])
        except asyncpg.UniqueViolationError as error:
            raise _violation(error) from error

    def on_commit(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)


async def open_postgres(url: str) -> PostgresDatabase:
    """Connect. OSError or asyncpg.PostgresError says why not."""
    pool = await asyncpg.create_pool(
        url, min_size=POOL_MIN, max_size=POOL_MAX, init=_prepare, reset=_keep, statement_cache_size=512
    )
    return PostgresDatabase(url, pool)


async def _prepare(connection: Any) -> None:
    # Ids are strings everywhere in Airside; asyncpg's own UUID objects would cost a conversion each.
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog", format="text")


async def _keep(connection: Any) -> None:
    """Nothing that Airside does leaves session state behind, so the reset's round trip is saved."""


def _violation(error: Any) -> UniqueViolation:
    return UniqueViolation(f"{error.constraint_name}: {error.detail}")
