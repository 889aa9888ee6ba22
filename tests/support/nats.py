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


class NatsServer:
    """With JetStream, on a free port that stays the same."""

    def __init__(self, folder: Path) -> None:
        if PROGRAM is None:
            pytest.skip("nats-server is not installed")
        self.folder = folder
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM
        command = [PROGRAM, "--addr", "127.0.0.1", "--port", str(self.port), "--jetstream"]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--store_dir", str(self.folder)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError("nats-server doesn't answer")

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
