"""A database that is temporarily unavailable: recognized, logged once, and used again when it is back."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from airside.db import away, postgres, sqlite
from airside.db.away import DatabaseAway, DatabaseBusy, OutcomeUnknown
from airside.db.base import Row, new_id
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.statements import Statement
from airside.identity.tables import users
from tests.db.test_database import user_row
from tests.support.databases import fresh_database, opened
from tests.support.postgres import PostgresServer, running_postgres

ENDED_BY_COMMIT = """
    CREATE FUNCTION end_me() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER end_me AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION end_me();
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        asyncio.run(migrate(running.url))
        yield running


async def ask(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute(statement)
    await connection.close()


async def write(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.insert(users, user_row(f"{new_id()}@example.com"))


async def test_a_server_that_stops_is_away_and_comes_back_by_itself(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(away, "QUIET_SECONDS", 0.0)
    async with opened(server.url) as db:
        await write(db)
        server.stop_at_once()
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(DatabaseAway, match="PostgreSQL can't be used"):
                    await db.find_all(users)
                with pytest.raises(DatabaseAway):
                    await write(db)
        assert [entry["event"] for entry in logs] == ["database_away"]
        assert "exc_info" not in logs[0]
        server.start()
        with capture_logs() as logs:
            await write(db)
            await db.find_all(users)
        assert [entry["event"] for entry in logs] == ["database_back"]


async def test_a_transaction_whose_connection_is_ended_has_not_happened(server: PostgresServer) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    async with opened(server.url) as db:
        before = await db.find_all(users)
        with pytest.raises(DatabaseAway) as caught:
            async with db.transaction() as tx:
                await tx.insert(users, user_row("lost@example.com"))
                await ask(server, others + " AND backend_type = 'client backend'")
                await tx.find_all(users)
        assert not isinstance(caught.value, OutcomeUnknown)
        assert await db.find_all(users) == before


async def test_other_errors_inside_a_transaction_stay_what_they_are(db: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with db.transaction() as tx:
            await tx.insert(users, user_row("ana@example.com"))
            raise FileNotFoundError
    assert await db.find_all(users) == []


async def test_a_connection_that_ends_while_it_commits_leaves_the_outcome_unknown(
    server: PostgresServer,
) -> None:
    await ask(server, ENDED_BY_COMMIT)
    try:
        async with opened(server.url) as db:
            commits, called = db.commits, []
            with pytest.raises(OutcomeUnknown):
                async with db.transaction() as tx:
                    tx.on_commit(lambda: called.append("committed"))
                    await tx.insert(users, user_row("perhaps@example.com"))
            assert called == []
            assert db.commits > commits, "what was remembered from before may be stale"
    finally:
        await ask(server, "DROP FUNCTION end_me CASCADE")


async def test_on_a_full_server_requests_wait_for_the_connections_that_are_there(
    server: PostgresServer,
) -> None:
    await ask(server, "CREATE ROLE narrow LOGIN; GRANT SELECT, INSERT ON users TO narrow")
    async with opened(server.url.replace("postgres@", "narrow@")) as db:
        await db.find_all(users)
        await ask(server, "ALTER ROLE narrow CONNECTION LIMIT 1")
        before = len(await db.find_all(users))
        with capture_logs() as logs:
            await asyncio.gather(*(write(db) for _ in range(30)), *(db.find_all(users) for _ in range(30)))
        assert logs == []
        assert len(await db.find_all(users)) == before + 30


async def test_a_pool_is_no_larger_than_the_server_has_room_for(server: PostgresServer) -> None:
    await ask(server, "CREATE ROLE small LOGIN CONNECTION LIMIT 3")
    with capture_logs() as logs:
        async with opened(server.url.replace("postgres@", "small@")) as db:
            assert isinstance(db, postgres.PostgresDatabase)
            assert db._pool.size == 3
    assert logs[0] == {"event": "database_pool_too_large", "log_level": "warning", "asked": 10, "used": 3}


async def test_a_pool_that_stays_taken_is_away(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "POOL", 1)
    async with opened(server.url) as db:
        monkeypatch.setattr(postgres, "CONNECT_SECONDS", 0.01)
        async with db.transaction():
            with pytest.raises(DatabaseAway, match="no connection"):
                await db.find_all(users)
        monkeypatch.setattr(postgres, "CONNECT_SECONDS", 10.0)
        await db.find_all(users)


async def test_one_idle_transaction_on_a_row_leaves_connections_for_others_and_ends_no_process(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 0.5)
    async with opened(server.url) as db, opened(server.url) as other:
        row = user_row(f"{new_id()}@example.com")
        async with db.transaction() as tx:
            await tx.insert(users, row)
        async with other.transaction() as idle:
            await idle.lock(users, id=row["id"])
            waiting = [asyncio.create_task(hold(db, row)) for _ in range(20)]
            with capture_logs() as logs:
                while not any(task.done() for task in waiting):
                    assert await db.find(users, id=row["id"]) is not None
                results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {DatabaseBusy}
        assert {entry["event"] for entry in logs} == {"statement_given_up"}
        await hold(db, row)


async def hold(db: Database, row: Row) -> None:
    async with db.transaction() as tx:
        await tx.lock(users, id=row["id"])


async def test_a_statement_that_takes_too_long_is_given_up(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "STATEMENT_SECONDS", 0.2)
    endless = sa.text("SELECT count(*) AS count FROM generate_series(1, 10000000000)")
    async with opened(server.url) as db:
        with pytest.raises(DatabaseBusy):
            await db.fetch_value(Statement(endless.columns(sa.column("count", sa.Integer))))
        await db.find_all(users)


async def test_a_file_that_another_process_keeps_busy_is_away_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(away, "QUIET_SECONDS", 0.0)
    async with fresh_database("sqlite", tmp_path) as db:
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with capture_logs() as logs:
            results = await asyncio.gather(*(write(db) for _ in range(5)), return_exceptions=True)
            assert await db.find_all(users) == []
        assert [type(result) for result in results] == [DatabaseAway] * 5
        assert [entry["event"] for entry in logs] == ["database_away"]
        other.execute("ROLLBACK")
        with capture_logs() as logs:
            await write(db)
        assert [entry["event"] for entry in logs] == ["database_back"]
        assert len(await db.find_all(users)) == 1
        other.close()


def test_one_that_refuses_now_and_then_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(away.time, "monotonic", lambda: now)
    reach = away.Reach()
    with capture_logs() as logs:
        for _ in range(10):
            reach.report_outage(DatabaseAway("no room"))
            now += 1
            reach.report_answer()
        now += away.QUIET_SECONDS
        reach.report_answer()
        reach.report_answer()
    assert [entry["event"] for entry in logs] == ["database_away", "database_back"]
    assert logs[0]["reason"] == "no room"
