"""A nats-server for one test, which can be killed, emptied and restarted."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import START_SECONDS, free_port

PROGRAM = shutil.which("nats-server") or shutil.which(
    "nats-server", path=f"/usr/sbin{os.pathsep}/usr/local/bin"
)

PORTS_TRIED = 3


class NatsServer:
    """With JetStream, on a free port that stays the same once it has started."""

    def __init__(self, folder: Path) -> None:
        if PROGRAM is None:
            pytest.skip("nats-server is not installed")
        self.folder = folder
        self.port = free_port()
        self._has_answered = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers. Another process may have taken the port since it was free."""
        for _ in range(PORTS_TRIED):
            if self._launch():
                self._has_answered = True
                return
            if not self._has_answered:
                self.port = free_port()
        raise TimeoutError("nats-server doesn't answer")

    def _launch(self) -> bool:
        """Whether it answers; False when it has ended instead."""
        assert PROGRAM
        command = [PROGRAM, "--addr", "127.0.0.1", "--port", str(self.port), "--jetstream"]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--store_dir", str(self.folder)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._greets():
                return True
            time.sleep(0.02)
        self.kill()
        return False

    def _greets(self) -> bool:
        """NATS speaks first: whatever else listens there doesn't say this."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                return probe.recv(5) == b"INFO "
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9; keeps its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def lose(self) -> None:
        """Lose all data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running_nats(folder: Path) -> Iterator[NatsServer]:
    server = NatsServer(folder / "nats")
    server.start()
    try:
        yield server
    finally:
        server.kill()
