"""PostgreSQL's side of a backup: one REPEATABLE READ snapshot out, one transaction in, both streamed by COPY."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import sqlalchemy as sa

from airside.backup.errors import BackupRefused, TargetNotEmpty
from airside.backup.lines import INSTANT, TEXT, TableHead
from airside.backup.tables import STEP_BYTES, Sink, describe_full, quote, quote_all
from airside.db.migrate import LOCK_KEY, run_migrations
from airside.db.tables import load_tables

CONNECT_SECONDS = 10.0
LOCK_SECONDS = 10  # how long a restore waits for a table that somebody uses
# How values are spelt in lines, whatever the server's settings are.
SPELLING = "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET extra_float_digits = 1"
VERSION_TABLE = "alembic_version"


class PostgresSnapshot:
    """A `Snapshot`."""

    def __init__(self, connection: Any, revision: str | None) -> None:
        self._connection = connection
        self.revision = revision

    async def copy_rows(self, head: TableHead, sink: Sink) -> None:
        rest = bytearray()

        async def receive(data: bytes) -> None:
            rest.extend(data)
            if len(rest) >= STEP_BYTES and (end := rest.rfind(b"\n") + 1):
                whole = bytes(rest[:end])
                del rest[:end]
                await sink(whole)

        await self._connection.copy_from_query(_select(head), output=receive)
        if rest:
            await sink(bytes(rest))


class PostgresTarget(PostgresSnapshot):
    """A `Target`: everything happens in one transaction, migrations too."""

    def __init__(self, connection: Any, revision: str, engine: Any) -> None:
        super().__init__(connection, revision)
        self._engine = engine

    async def load_rows(self, head: TableHead, blocks: AsyncIterator[bytes]) -> None:
        names = [name for name, _ in head.columns]
        try:
            await self._connection.copy_to_table(head.name, source=blocks, columns=names)
        except asyncpg.PostgresError as error:
            raise BackupRefused(f"The table {head.name} can't be restored: {error}") from error

    async def migrate(self) -> None:
        await self._engine.run_sync(run_migrations, "head")

    async def keep(self) -> None:
        await self._engine.commit()


@asynccontextmanager
async def open_postgres_snapshot(url: str) -> AsyncGenerator[PostgresSnapshot]:
    connection = await cast(Any, asyncpg).connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(SPELLING)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield PostgresSnapshot(connection, await _find_revision(connection))
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def open_postgres_target(url: str, revision: str, *, replace: bool) -> AsyncGenerator[PostgresTarget]:
    from sqlalchemy.ext.asyncio import create_async_engine

    address = sa.make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(address, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK_KEY})"))
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.execute(SPELLING)
        await _require_alone(raw)
        try:
            await _drop_tables(raw, replace=replace)
        except asyncpg.LockNotAvailableError as error:
            raise BackupRefused(f"The database is in use: {error}") from None
        await connection.run_sync(run_migrations, revision)
        yield PostgresTarget(raw, revision, connection)


def _select(head: TableHead) -> str:
    """As lines of COPY; texts are in the order of their bytes, as on SQLite."""
    kinds = dict(head.columns)
    columns = ", ".join(_spell(name, kind) for name, kind in head.columns)
    order = ", ".join(quote(name) + (' COLLATE "C"' if kinds[name] == TEXT else "") for name in head.key)
    return f"SELECT {columns} FROM {quote(head.name)} ORDER BY {order}"  # noqa: S608 - quoted names


def _spell(name: str, kind: str) -> str:
    if kind == INSTANT:
        return f"""to_char({quote(name)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return quote(name)


async def _find_revision(connection: Any) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    return await connection.fetchval("SELECT version_num FROM alembic_version")


async def _require_alone(connection: Any) -> None:
    others = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    if others:
        raise BackupRefused(
            f"The database has {others} other connections. Stop `airside serve` and `airside worker` first."
        )


async def _drop_tables(connection: Any, *, replace: bool) -> None:
    """Raises TargetNotEmpty, and BackupRefused for the tables of another application."""
    found = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    names = [row["tablename"] for row in found]
    strangers = sorted(set(names) - load_tables().tables.keys() - {VERSION_TABLE})
    if strangers:
        raise BackupRefused(f"The database holds tables that aren't Airside's: {', '.join(strangers[:5])}.")
    if not replace and await _has_rows(connection, names):
        raise TargetNotEmpty(describe_full("The database"))
    if names:
        await connection.execute(f"DROP TABLE {quote_all(names)}")
    for row in await connection.fetch(
        "SELECT oid::regprocedure::text AS name FROM pg_proc"
        " WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, 'refuse_change_of_')"
    ):
        await connection.execute(f"DROP FUNCTION {row['name']}")


async def _has_rows(connection: Any, names: Sequence[str]) -> bool:
    for name in names:
        asked = f"SELECT EXISTS (SELECT FROM {quote(name)})"  # noqa: S608 - a quoted name
        if name != VERSION_TABLE and await connection.fetchval(asked):
            return True
    return False
