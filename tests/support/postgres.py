"""A PostgreSQL server for one test, with its own port and folder, which can be killed."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import START_SECONDS, free_port

# The machine itself doesn't crash: data written to the kernel survives every kill without fsync.
OPTIONS = ("fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=100")


class PostgresServer:
    """A server that isn't started yet. Needs PostgreSQL's programs, and as root the user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self._programs = _find_programs()
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        initdb = [self._programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-N"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **_as_postgres())

    def start(self) -> None:
        """Start it, and wait until it responds. After a kill -9 the old children may take a moment to exit."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL doesn't answer; see {self.folder / 'log'}")
            if self._process is None or self._process.poll() is not None:
                self._launch()
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of the postmaster; its children detect it, and exit."""
        self._end(signal.SIGKILL)

    def stop_at_once(self) -> None:
        """Like `pg_ctl stop -m immediate`: no checkpoint, so the next start recovers from the WAL."""
        self._end(signal.SIGQUIT)

    def kill_backend(self, random: random.Random) -> None:
        """kill -9 of one client's backend: the server ends all connections and recovers by itself."""
        found = self._ask(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).stdout.split()
        if found:  # there may be no connection yet
            with suppress(ProcessLookupError):  # it may be the backend of this query
                os.kill(int(random.choice(found)), signal.SIGKILL)

    def _launch(self) -> None:
        options = [word for option in OPTIONS for word in ("-c", option)]
        command = [self._programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_as_postgres())

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        return self._ask("SELECT 1").returncode == 0

    def _ask(self, query: str) -> "subprocess.CompletedProcess[str]":
        command = [self._programs / "psql", self.url, "-AXtqc", query]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="airside-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop_at_once()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL's own programs are not installed")
    return Path(initdb).resolve().parent


def _as_postgres() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
