"""Slow reads: others run concurrently, they have a timeout, and a cancelled one is interrupted."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.db import sqlite_reads
from airside.db.away import DatabaseBusy
from airside.db.base import new_id
from airside.db.database import Database, Reader
from airside.db.sqlite import SqliteDatabase
from airside.db.statements import Statement
from airside.events import outbox
from airside.identity.tables import users
from airside.rest.routes import list_routes
from tests.db.test_database import user_row
from tests.support.databases import fresh_database

COUNTING = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
    "SELECT count(*) AS count FROM numbers"
)


def counting(count: int) -> Statement:
    """A read of so many rows; 300,000 take some tenths of a second."""
    return Statement(sa.text(COUNTING.format(count=count)).columns(sa.column("count", sa.Integer)))


LONG, ENDLESS = counting(300_000), counting(10**15)


@pytest.fixture
async def file(tmp_path: Path) -> Any:
    async with fresh_database("sqlite", tmp_path) as db:
        yield db


async def test_others_read_and_write_while_a_long_read_runs(file: Database) -> None:
    reading = asyncio.create_task(file.fetch_value(ENDLESS))
    for number in range(20):
        async with file.transaction() as tx:
            await tx.insert(users, user_row(f"{number}@example.com"))
        assert len(await file.find_all(users)) == number + 1
    assert not reading.done()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await file.fetch_value(LONG) == 300_000, "the threads are free again"


async def test_a_long_read_answers_what_a_short_one_would_and_is_remembered(file: Database) -> None:
    assert [await file.fetch_value(LONG) for _ in range(2)] == [300_000, 300_000]
    assert list(file._reads._slow) == [LONG.form(file.dialect).text]  # type: ignore[attr-defined]


async def test_no_statement_that_writes_is_interrupted_on_a_slow_machine(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would roll back the whole transaction, and commit alone what comes after it."""
    monkeypatch.setattr(sqlite_reads, "LOOP_SECONDS", -1.0)
    watched = file._watched  # type: ignore[attr-defined]
    watched.connection.set_progress_handler(watched._limit.is_over, 1)
    workspace_id, entity_id = new_id(), new_id()
    async with file.transaction() as tx:
        await tx.insert(users, user_row("before@example.com"))
        for number in (1, 2):
            row = {"workspace_id": workspace_id, "entity_id": entity_id}
            assert await tx.fetch_value(outbox._NEXT_SEQUENCE, **row) == number
        assert await tx.find(users, email="before@example.com") is not None
    assert len(await file.find_all(users)) == 1


def test_every_statement_says_whether_it_only_reads() -> None:
    """Also those that are written as text."""
    list_routes((*TABLE, *TABLE_V2))
    statements = [
        one
        for name, module in sys.modules.items()
        if name.startswith("airside.")
        for one in vars(module).values()
        if isinstance(one, Statement)
    ]
    forms = [one.form(SqliteDatabase.dialect) for one in statements]
    assert len(forms) > 100
    assert [one.text for one in forms if one.only_reads != one.text.startswith(("SELECT", "WITH"))] == []


async def test_many_long_reads_at_once_all_end_at_the_limit(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_reads, "STATEMENT_SECONDS", 0.2)
    with capture_logs() as logs:
        results = await asyncio.gather(*(file.fetch_value(ENDLESS) for _ in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseBusy] * 6
    assert {entry["event"] for entry in logs} == {"statement_given_up"}
    assert "RECURSIVE" in logs[0]["statement"]
    assert await file.find_all(users) == []


async def test_a_long_read_inside_a_transaction_leaves_the_loop_and_harms_nothing(file: Database) -> None:
    async with file.transaction() as tx:
        await tx.insert(users, user_row("before@example.com"))
        reading = asyncio.create_task(read_long(tx))
        turns = 0
        while not reading.done():
            assert await file.find_all(users) == []
            turns += 1
            await asyncio.sleep(0)
        assert await reading == 300_000
        await tx.insert(users, user_row("after@example.com"))
    assert turns > 1
    assert len(await file.find_all(users)) == 2


async def read_long(reader: Reader) -> Any:
    return await reader.fetch_value(LONG)


async def test_a_transaction_that_is_cancelled_at_a_long_read_is_rolled_back(file: Database) -> None:
    began = asyncio.Event()

    async def write_and_read() -> None:
        async with file.transaction() as tx:
            await tx.insert(users, user_row("lost@example.com"))
            began.set()
            await tx.fetch_value(ENDLESS)

    task = asyncio.create_task(write_and_read())
    await began.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with file.transaction() as tx:
        await tx.insert(users, user_row("kept@example.com"))
    assert [row["email"] for row in await file.find_all(users)] == ["kept@example.com"]
