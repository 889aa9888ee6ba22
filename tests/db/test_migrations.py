"""Migrations lead to exactly the tables that the code declares, on both databases."""

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from airside.db.migrate import (
    DatabaseTooNew,
    current_revision,
    is_current,
    migrate,
    newest_revision,
    open_scripts,
)
from airside.db.open import open_database
from tests.support.databases import create_tables, fresh_postgres

REGENERATE = "the tables changed: see docs/how-to/add-a-migration.md"


def sqlite_schema(path: Path) -> set[Any]:
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    schema: set[Any] = set()
    for table in set(tables) - {"alembic_version"}:
        schema.update((table, *column[1:]) for column in connection.execute(f"PRAGMA table_info({table})"))
        for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})"):
            on = [row[2] for row in connection.execute(f"PRAGMA index_info({index})")]
            text = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()[0]
            where = text.split(" WHERE ")[1] if partial else None
            schema.add((table, index if origin == "c" else origin, unique, tuple(on), where))
    schema.update(connection.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"))
    connection.close()
    return schema


async def postgres_schema(url: str) -> set[Any]:
    connection = await asyncpg.connect(url)
    columns = await connection.fetch(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    )
    indexes = await connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    triggers = await connection.fetch(
        "SELECT pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger WHERE NOT tgisinternal"
    )
    await connection.close()
    return {tuple(row) for row in (*columns, *indexes, *triggers)}


async def test_migrations_give_the_declared_tables_on_sqlite(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path / 'migrated.db'}")
    declared = await open_database(f"sqlite:///{tmp_path / 'declared.db'}")
    await create_tables(declared)
    await declared.close()
    migrated, declared_schema = (sqlite_schema(tmp_path / name) for name in ("migrated.db", "declared.db"))
    assert migrated ^ declared_schema == set(), REGENERATE


async def test_migrations_give_the_declared_tables_on_postgres() -> None:
    async with fresh_postgres() as migrated, fresh_postgres() as declared_url:
        await migrate(migrated)
        declared = await open_database(declared_url)
        await create_tables(declared)
        await declared.close()
        assert await postgres_schema(migrated) ^ await postgres_schema(declared_url) == set(), REGENERATE


async def test_a_database_knows_whether_it_is_current(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    db = await open_database(url)
    assert await current_revision(db) is None
    assert not await is_current(db)
    await migrate(url)
    assert await is_current(db)
    await migrate(url)  # nothing left to do
    assert await current_revision(db) == newest_revision()
    await db.close()


async def test_a_database_of_a_later_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    await migrate(url)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    db = await open_database(url)
    with pytest.raises(DatabaseTooNew, match="9999"):
        await is_current(db)
    await db.close()


def test_revisions_form_one_line_and_their_numbers_follow_it() -> None:
    scripts, _ = open_scripts()
    assert scripts.get_heads() == [newest_revision()]
    line = [script.revision for script in scripts.walk_revisions()]
    assert line == sorted(line, reverse=True)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_processes_that_start_at_once_migrate_once(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        await migrate_from_three_processes(f"sqlite:///{tmp_path / 'shared.db'}")
        return
    async with fresh_postgres() as url:
        await migrate_from_three_processes(url)


async def migrate_from_three_processes(url: str) -> None:
    code = f"import asyncio; from airside.db.migrate import migrate; asyncio.run(migrate({url!r}))"
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", code) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    db = await open_database(url)
    assert await is_current(db)
    await db.close()
