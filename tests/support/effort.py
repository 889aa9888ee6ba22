"""How much of a database a statement reads: a measure independent of the machine's load."""

import json
import sqlite3
from typing import Any

from airside.db.database import Database
from airside.db.postgres import PostgresDatabase
from airside.db.statements import Statement

STEPS_COUNTED = 50


async def effort(db: Database, statement: Statement, **params: Any) -> int:
    """Steps of SQLite's virtual machine in fifties, or pages that PostgreSQL read."""
    form = statement.form(db.dialect)
    values = form.bind(params)
    if isinstance(db, PostgresDatabase):
        async with db._connection() as connection:
            [row] = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {form.text}", *values)
        plan = json.loads(row[0])[0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return _count_steps(db.url.removeprefix("sqlite:///"), form.text, values)


async def record_growth(db: Database, table: str) -> None:
    """Update PostgreSQL's statistics of a table, as autovacuum does some time after many writes."""
    if isinstance(db, PostgresDatabase):
        async with db._connection() as connection:
            await connection.execute(f"ANALYZE {table}")


def _count_steps(path: str, text: str, values: list[Any]) -> int:
    count = 0

    def on_steps() -> None:
        nonlocal count
        count += 1

    connection = sqlite3.connect(path)
    connection.set_progress_handler(on_steps, STEPS_COUNTED)
    connection.execute(text, values).fetchall()
    connection.close()
    return count
