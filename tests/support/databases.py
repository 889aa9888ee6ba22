"""Fresh databases for tests: a SQLite file always, a PostgreSQL database if a server is found.

Migrated once per test process. SQLite's file is copied for every test; creating a PostgreSQL database takes a third
of a second, so it is emptied and reused.
"""

# asyncpg is untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import Table
from sqlalchemy.schema import CreateIndex, CreateTable

from airside.db.append_only import append_only_ddl, is_append_only
from airside.db.base import metadata
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.open import open_database
from airside.db.postgres import PostgresDatabase
from airside.db.sqlite import SqliteDatabase
from airside.db.tables import load_tables

POSTGRES = os.environ.get("AIRSIDE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")

PREFIX = "airside_test_"

_kept: list[str] = []  # URLs of this process's emptied PostgreSQL databases
_made: list[str] = []  # and of all that it created
_emptying: dict[str, asyncpg.Connection] = {}  # the connections that empty them


@asynccontextmanager
async def fresh_database(kind: str, folder: Path) -> AsyncGenerator[Database]:
    """An empty database with every table; skips the test if there is no PostgreSQL."""
    if kind == "sqlite":
        shutil.copyfile(sqlite_template(), folder / "test.db")
        async with opened(f"sqlite:///{folder / 'test.db'}") as db:
            yield db
        return
    async with kept_postgres() as url, opened(url) as db:
        yield db


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    db = await open_database(url)
    try:
        yield db
    finally:
        await db.close()


@cache
def sqlite_template() -> Path:
    """A SQLite file with every table and no row, for copying."""
    path = Path(tempfile.mkdtemp(prefix="airside-test-")) / "template.db"

    with ThreadPoolExecutor(1) as pool:  # the caller's thread has a running event loop
        pool.submit(asyncio.run, migrate(f"sqlite:///{path}")).result()
    return path


@asynccontextmanager
async def kept_postgres() -> AsyncGenerator[str]:
    """The URL of a PostgreSQL database with every table and no row; emptied again for the next test."""
    if _kept:
        url = _kept.pop()
    else:
        url = await create_postgres()
        await migrate(url)
    try:
        yield url
    finally:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(empty_postgres(url), _emptying_loop()))
        _kept.append(url)


async def empty_postgres(url: str) -> None:
    """Delete every row, over a connection that stays open: a new one would first read the catalog of all tables,
    which takes ten times as long. It can belong to no test's event loop, so this runs on a loop of its own."""
    statements = "".join(emptying(table) for table in load_tables().tables.values())
    try:
        if url not in _emptying:
            _emptying[url] = await asyncpg.connect(url)
        await _emptying[url].execute(statements)
    except _ENDED:
        _emptying[url] = await asyncpg.connect(url)
        await _emptying[url].execute(statements)


# A test may end every connection to its database.
_ENDED = (OSError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError)


@cache
def _emptying_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="emptying", daemon=True).start()
    return loop


def emptying(table: Table) -> str:
    """The statements that empty it, including append-only tables."""
    delete = f'DELETE FROM "{table.name}";'
    if not is_append_only(table):
        return delete
    alter = f'ALTER TABLE "{table.name}"'
    return f"{alter} DISABLE TRIGGER USER; {delete} {alter} ENABLE TRIGGER USER;"


@asynccontextmanager
async def database_url(kind: str, folder: Path) -> AsyncGenerator[str]:
    """The URL of a new database: a SQLite file in the folder, or one of the server's on PostgreSQL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'airside.db'}"
        return
    async with fresh_postgres() as url:
        yield url


@asynccontextmanager
async def fresh_postgres() -> AsyncGenerator[str]:
    """The URL of a new PostgreSQL database without any table."""
    url = await create_postgres()
    try:
        yield url
    finally:
        await drop_postgres(url)


async def create_postgres() -> str:
    try:
        admin = await asyncpg.connect(POSTGRES, timeout=3)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        pytest.skip(f"PostgreSQL not found at {POSTGRES}: {error}")
    if not _made:
        await _drop_orphans(admin)
    name = f"{PREFIX}{os.getpid()}_{uuid.uuid4().hex[:12]}"
    await admin.execute(f'CREATE DATABASE "{name}"')
    # Tests need no durability, and each commit would wait for the disk.
    await admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    await admin.close()
    url = POSTGRES.rsplit("/", 1)[0] + "/" + name
    _made.append(url)
    return url


async def _drop_orphans(admin: asyncpg.Connection) -> None:
    """Drop databases of killed test processes of this machine."""
    if not {"127.0.0.1", "localhost", "::1"} & {urlsplit(POSTGRES).hostname}:
        return
    for row in await admin.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX):
        owner = row["datname"].removeprefix(PREFIX).split("_")[0]
        if "_" in row["datname"].removeprefix(PREFIX) and owner.isdigit() and not is_running(int(owner)):
            # another process may be dropping it at this moment
            await admin.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def drop_postgres(url: str) -> None:
    admin = await asyncpg.connect(POSTGRES, timeout=3)
    await admin.execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')
    await admin.close()
    _made.remove(url)
    _emptying.pop(url, None)


def drop_all() -> None:
    """At the end of the session: drop every database that it created."""

    async def drop() -> None:
        for url in list(_made):
            await drop_postgres(url)

    asyncio.run(drop())
    if sqlite_template.cache_info().currsize:
        shutil.rmtree(sqlite_template().parent, ignore_errors=True)


async def create_tables(db: Database) -> None:
    """The declared tables, to compare with the result of the migrations."""
    for statement in ddl(db.dialect.name):
        if isinstance(db, SqliteDatabase):
            db._writer.execute(statement)  # pyright: ignore[reportPrivateUsage]
        elif isinstance(db, PostgresDatabase):
            async with db._connection() as connection:  # pyright: ignore[reportPrivateUsage]
                await connection.execute(statement)


@cache
def ddl(dialect_name: str) -> list[str]:
    load_tables()
    dialect = {"sqlite": SqliteDatabase.dialect, "postgresql": PostgresDatabase.dialect}[dialect_name]
    statements: list[str] = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [
            str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=str)
        ]
        if is_append_only(table):
            statements += append_only_ddl(table.name)[dialect_name]
    return statements
