"""Servers and workers that start before their database: they wait, and their log stays one line for each event."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.postgres import PostgresServer
from tests.support.servers import START_SECONDS, running_server


@contextmanager
def stopped_postgres() -> Generator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="airside-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.stop_at_once()
        shutil.rmtree(folder, ignore_errors=True)


def start_when_missed(server: PostgresServer, log: Path) -> threading.Thread:
    """Start the database as soon as it is logged as away."""

    def wait() -> None:
        deadline = time.monotonic() + START_SECONDS
        while (
            "database_away" not in (log.read_text() if log.exists() else "") and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        server.start()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def wait_until_ready_says(url: str, status: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while requests.get(f"{url}/readyz").status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_waits_for_its_database_and_logs_nothing_but_lines_of_json(tmp_path: Path) -> None:
    with stopped_postgres() as database:
        starting = start_when_missed(database, tmp_path / "serve.log")
        with running_server(tmp_path, {"AIRSIDE_DATABASE_URL": database.url}) as server:
            starting.join()
            assert requests.get(f"{server.url}/readyz").json() == {"status": "ok"}
            database.stop_at_once()
            wait_until_ready_says(server.url, 503)
            for _ in range(3):
                assert requests.get(f"{server.url}/marketplace/").status_code < 504
            database.start()
            wait_until_ready_says(server.url, 200)
            lines = [json.loads(line) for line in server.log.splitlines()]
    events = [line["event"] for line in lines]
    assert events[:2] == ["database_away", "database_back"]
    assert events.count("database_away") == 2
    assert not any("Traceback" in line.get("exception", "") for line in lines)
