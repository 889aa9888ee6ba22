"""Migrates a database to the revision that this version of Airside needs, with Alembic but without its files.

Alembic takes long to import, so start-up first compares the revision by one plain query, and imports Alembic only
when there is something to migrate. There are no downgrades: to go back, restore a backup.
"""

import asyncio
import gc
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from airside.db.base import Row
from airside.db.database import Database, Reader
from airside.db.statements import Statement
from airside.system.private_files import make_file

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_KEY = 0x41697273696465  # "Airside": the advisory lock that one migrating process holds on PostgreSQL
LOCK_SECONDS = 60  # how long a process waits for another that is migrating

_FIND_TABLE = {
    "sqlite": Statement(
        sa.text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").columns(sa.column("name"))
    ),
    "postgresql": Statement(
        sa.text("SELECT to_regclass('alembic_version')::text AS name").columns(sa.column("name"))
    ),
}
_FIND_REVISION = Statement(
    sa.text("SELECT version_num FROM alembic_version").columns(sa.column("version_num"))
)

_WRITE_REVISION = Statement(sa.text("UPDATE alembic_version SET version_num = version_num"))


class DatabaseTooNew(Exception):
    """The database was migrated by a later version of Airside."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision}, which this version of Airside doesn't know; "
            "run the version that migrated it, or restore the backup made before"
        )


@cache
def newest_revision() -> str:
    """The revision this version needs, from the numbers in the file names, without importing the files."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def current_revision(db: Database) -> str | None:
    """The revision that the database is at; None when it is empty."""
    if await _first(db, _FIND_TABLE[db.dialect.name]) is None:
        return None
    return await _first(db, _FIND_REVISION)


async def is_current(db: Database) -> bool:
    """Whether the database is fully migrated. Raises DatabaseTooNew."""
    revision = await current_revision(db)
    if revision is not None and revision > newest_revision():
        raise DatabaseTooNew(revision)
    return revision == newest_revision()


async def write_revision(db: Database) -> None:
    """Rewrite the current revision, to test whether the database is writable. Raises DatabaseAway."""
    async with db.transaction() as tx:
        await tx.execute(_WRITE_REVISION)


async def migrate(url: str, revision: str = "head") -> None:
    """Migrate the database of the URL to the newest revision; safe when several processes do it at once.

    `revision`: an earlier one to stop at, for tests of migrations."""
    gc.freeze()  # so that gc.collect() below only scans Alembic's garbage: a copy of every table, in cycles
    try:
        if url.startswith("sqlite:///"):
            await asyncio.to_thread(_migrate_sqlite, url, revision)
        else:
            await _migrate_postgres(url, revision)
    finally:
        gc.collect()
        gc.unfreeze()


async def _first(db: Reader, statement: Statement) -> Any:
    row: Row | None = await db.fetch_one(statement)
    return None if row is None else next(iter(row.values()))


def _migrate_sqlite(url: str, revision: str) -> None:
    with suppress(OSError):  # as in sqlite.py
        make_file(url.removeprefix("sqlite:///"))
    # NullPool: the connection, with its locks on the file, is closed at the end of the block.
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"timeout": LOCK_SECONDS})

    # The driver's implicit BEGIN leaves DDL outside the transaction. Taking the write lock at the start makes a
    # second process wait until the first has finished.
    event.listen(engine, "connect", _begin_explicitly)
    event.listen(engine, "begin", _take_write_lock)
    with engine.begin() as connection:
        run_migrations(connection, revision)


def _begin_explicitly(connection: Any, _: Any) -> None:
    connection.isolation_level = None


def _take_write_lock(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _migrate_postgres(url: str, revision: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    address = sa.make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(address, poolclass=sa.NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK_KEY})"))
        await connection.run_sync(run_migrations, revision)


def run_migrations(connection: sa.Connection, target: str) -> None:
    """Run the missing migrations inside the connection's transaction."""
    from alembic.runtime.environment import EnvironmentContext

    scripts, config = open_scripts()

    def upgrade(revision: Any, _: Any) -> Any:
        return scripts._upgrade_revs(target, revision)  # pyright: ignore[reportPrivateUsage]

    with EnvironmentContext(config, scripts, fn=upgrade) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def open_scripts() -> "tuple[ScriptDirectory, Any]":
    """Alembic's view of the migrations folder."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return ScriptDirectory.from_config(config), config
