"""A disk that is full, a server that is read-only: reads work, and no response claims to have saved."""

import asyncio
import resource
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from airside.db import away
from airside.db.away import Unwritable
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.http import health
from airside.identity.tables import users
from tests.db.test_database import user_row
from tests.faults.test_database_away import Scene, ask, serving
from tests.support.databases import fresh_database, opened
from tests.support.postgres import PostgresServer, running_postgres


@pytest.fixture(autouse=True)
def reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(away, "QUIET_SECONDS", 0.0)


@pytest.fixture
async def on_file(tmp_path: Path) -> AsyncIterator[Scene]:
    async with fresh_database("sqlite", tmp_path) as db, serving(db, tmp_path) as scene:
        yield scene


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        yield running


@pytest.fixture
async def postgres_url(server: PostgresServer) -> str:
    name = f"airside_{uuid.uuid4().hex}"
    await ask(server.url, f"CREATE DATABASE {name}")
    url = server.url.rsplit("/", 1)[0] + f"/{name}"
    await migrate(url)
    return url


@contextmanager
def no_room_beyond(path: Path) -> Generator[None]:
    """No file of this process may grow beyond the size of this one, as on a disk without a free block."""
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_on_a_full_disk_writes_get_retry_after_and_reads_work(on_file: Scene, tmp_path: Path) -> None:
    scene = on_file
    assert (await scene.make_project("ENG")).status_code == 201
    with no_room_beyond(tmp_path / "test.db-wal"), capture_logs() as logs:
        for answer in (await scene.make_project("OPS"), await scene.make_project("WEB")):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "Nothing can be saved" in answer.json["error"]
        refused = await scene.ask_token()
        assert (refused.status_code, refused.json["error"]) == (503, "temporarily_unavailable")
        ready = await scene.get("/readyz")
        assert ready.status_code == 503
        assert ready.json["status"].startswith("nothing can be saved: ")
        assert int(ready.headers["retry-after"]) > 0
        found = await scene.list_projects()
        assert [row["identifier"] for row in found.json["results"]] == ["ENG"]
        assert (await scene.get("/healthz")).status_code == 200
    assert [entry["event"] for entry in logs if entry["event"].startswith("database")] == [
        "database_unwritable"
    ]
    assert "unexpected_error" not in {entry["event"] for entry in logs}
    assert (await scene.get("/readyz")).json == {"status": "ok"}
    assert (await scene.make_project("OPS")).status_code == 201


async def test_on_a_full_file_all_that_would_share_a_commit_fail_and_nothing_is_saved(tmp_path: Path) -> None:
    async with fresh_database("sqlite", tmp_path) as db:
        writer = db._writer  # type: ignore[attr-defined]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count={pages}")
        results = await asyncio.gather(
            *(write_much(db, number) for number in range(4)), return_exceptions=True
        )
        assert {type(result) for result in results} == {Unwritable}
        assert {str(result) for result in results} == {"the disk is full"}
        assert await db.find_all(users) == []
        writer.execute("PRAGMA max_page_count=1000000")
        await write_much(db, 9)
        assert len(await db.find_all(users)) == 1


async def write_much(db: Database, number: int) -> None:
    async with db.transaction() as tx:
        await tx.insert(users, user_row(f"{number}@example.com") | {"display_name": "x" * 100_000})


async def test_a_disk_that_is_nearly_full_is_not_ready(
    on_file: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FULL_BYTES", 10**18)
    answer = await on_file.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "nothing can be saved: the disk is full"}


async def test_a_data_folder_that_has_gone_is_not_ready(on_file: Scene, tmp_path: Path) -> None:
    on_file.site.settings.data = tmp_path / "gone"
    answer = await on_file.get("/readyz")
    assert answer.status_code == 503
    assert "can't be used: No such file" in answer.json["status"]


async def test_a_read_only_server_is_not_ready_and_is_written_to_as_soon_as_it_can_be(
    server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    name = postgres_url.rsplit("/", 1)[1]
    async with opened(postgres_url) as db, serving(db, tmp_path) as scene:
        assert (await scene.make_project("ENG")).status_code == 201
        await ask(server.url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await end_connections(postgres_url)
        answer = await scene.get("/readyz")
        while answer.json["status"] == "the database can't be reached":  # by a connection that was ended
            answer = await scene.get("/readyz")
        assert answer.json == {"status": "nothing can be saved: PostgreSQL is read-only"}
        refused = await scene.make_project("OPS")
        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        assert (await scene.list_projects()).status_code == 200
        await ask(server.url, f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        answers = [(await scene.make_project(f"P{number}")).status_code for number in range(20)]
        assert answers[1:] == [201] * 19, (
            "one finds out for all that the connections from before are read-only"
        )
        assert (await scene.get("/readyz")).json == {"status": "ok"}


async def end_connections(url: str) -> None:
    await ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
