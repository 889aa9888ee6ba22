"""Fresh databases for tests: a SQLite file always, a PostgreSQL database where a server is found."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from airside.db.base import metadata
from airside.db.database import Database, open_database
from airside.db.postgres import PostgresDatabase
from airside.db.sqlite import SqliteDatabase
from airside.db.tables import load_tables

POSTGRES = os.environ.get("AIRSIDE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@asynccontextmanager
async def fresh_database(kind: str, folder: Path) -> AsyncIterator[Database]:
    """An empty database with every table; skips the test, saying so, where there is no PostgreSQL."""
    if kind == "sqlite":
        db = await open_database(f"sqlite:///{folder / 'test.db'}")
        await create_tables(db)
        yield db
        await db.close()
        return
    async with fresh_postgres() as url:
        db = await open_database(url)
        await create_tables(db)
        yield db
        await db.close()


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """The URL of a new, empty PostgreSQL database that is dropped again."""
    try:
        admin = await asyncpg.connect(POSTGRES, timeout=3)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        pytest.skip(f"PostgreSQL not found at {POSTGRES}: {error}")
    name = f"airside_test_{uuid.uuid4().hex[:12]}"
    await admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield POSTGRES.rsplit("/", 1)[0] + "/" + name
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


async def create_tables(db: Database) -> None:
    for statement in ddl(db.dialect.name):
        if isinstance(db, SqliteDatabase):
            db._writer.execute(statement)
        elif isinstance(db, PostgresDatabase):
            await db._pool.execute(statement)


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
    return statements
