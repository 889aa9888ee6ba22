"""A real `airside serve` on a free port, with the command line beside it on the same database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

START_SECONDS = 30.0  # a cold start on a busy machine; warm it takes about one


class Instance:
    """One data folder with a server that can be started, stopped and killed."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRSIDE_")},
            "AIRSIDE_DATA": str(folder),
            "AIRSIDE_BASE_URL": self.base_url,
            "AIRSIDE_API_RATE_LIMIT": "100000/minute",
            "AIRSIDE_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1,localhost",
            **{f"AIRSIDE_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        path = self.folder / "serve.log"
        return path.read_text() if path.exists() else ""

    def start(self) -> None:
        """Start the server and wait for its first answer."""
        log = (self.folder / "serve.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "airside", "serve", "--port", str(self.port)],
            env=self.env,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log
            with suppress(requests.ConnectionError):
                requests.get(f"{self.base_url}/healthz", timeout=5).raise_for_status()
                return
            time.sleep(0.05)
        raise TimeoutError(self.log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as Ctrl-C (SIGINT), a service manager (SIGTERM) or a crash (SIGKILL) would; the exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(number)
        status = self._process.wait(timeout=20)
        self._process = None
        return status

    def cli(self, *words: str, stdin: str | None = None) -> dict[str, Any]:
        """Run a command with --json; what it printed."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command, however it ends."""
        return subprocess.run(
            [sys.executable, "-m", "airside", *words],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def running_instance(folder: Path, **settings: str) -> Iterator[Instance]:
    """A started server, stopped at the end."""
    instance = Instance(folder, **settings)
    instance.start()
    try:
        yield instance
    finally:
        instance.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
