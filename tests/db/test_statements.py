"""Statements compiled for SQLite."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from airside.db.base import IdList
from airside.db.migrate import migrate
from airside.db.sqlite import SqliteDatabase
from airside.db.statements import Statement, any_of
from airside.webhooks.tables import webhook_deliveries


async def test_many_ids_are_found_by_the_key_and_not_by_reading_the_whole_table(tmp_path: Path) -> None:
    """Core appends `= 1` to conditions for dialects without booleans, and then no index is used."""
    await migrate(f"sqlite:///{tmp_path / 'airside.db'}")
    d = webhook_deliveries.c
    given = sa.select(webhook_deliveries).where(
        any_of(d.workspace_id, "workspace_ids", IdList()), any_of(d.id, "ids", IdList())
    )
    form = Statement(given).form(SqliteDatabase.dialect)
    connection = sqlite3.connect(tmp_path / "airside.db")
    values = form.bind({"workspace_ids": ["a"], "ids": ["b", "c"]})
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {form.text}", values)]
    connection.close()
    assert plan[0].startswith("SEARCH webhook_deliveries USING INDEX")
    assert plan[0].endswith("(workspace_id=? AND id=?)")
