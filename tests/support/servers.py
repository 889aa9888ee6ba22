"""Airside as operators run it: real processes with a data folder of their own.

with running_server(tmp_path) as server:
    requests.get(f"{server.url}/healthz")
    made = server.cli("user", "create", "ana@example.com")
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.programs import Program, start_airside

START_SECONDS = 30.0  # generous, for a busy machine
ADMIN = "admin@example.com"


class CommandFailed(Exception):
    """A command ended with a status other than 0; `error_text` is its stderr."""

    def __init__(self, status: int, error_text: str) -> None:
        super().__init__(f"status {status}: {error_text}")
        self.status = status
        self.error_text = error_text


@dataclass
class Instance:
    """A data folder and its environment variables."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRSIDE_")}
        return {
            **inherited,
            "AIRSIDE_DATA": str(self.folder / "data"),
            "AIRSIDE_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1,localhost,::1",
            "AIRSIDE_API_RATE_LIMIT": "100000/minute",
            "AIRSIDE_TOKEN_RATE_LIMIT": "100000/minute",
            **self.env,
        }

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One `airside` command, whatever its status."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        program = start_airside(*arguments, env=self.environment, **streams)
        out, error_text = program.communicate(stdin, timeout=START_SECONDS)
        return subprocess.CompletedProcess(program.args, program.wait(), out, error_text)

    def cli(self, *arguments: str, stdin: str = "") -> Any:
        """Run `airside … --json`; returns its JSON. Raises CommandFailed."""
        ended = self.run(*arguments, "--json", stdin=stdin)
        if ended.returncode:
            raise CommandFailed(ended.returncode, ended.stderr)
        return json.loads(ended.stdout)


@dataclass
class Server(Instance):
    """A running `airside serve`."""

    url: str = ""
    password: str | None = None  # the sandbox admin's, on the first start
    process: "Program | subprocess.Popen[str]" = field(default=None, repr=False)  # type: ignore[assignment]

    def stop(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Stop it; returns its exit status and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(START_SECONDS)
        return status, time.monotonic() - started

    @property
    def log(self) -> str:
        """Its stderr so far."""
        return (self.folder / "serve.log").read_text()


@contextmanager
def running_server(
    folder: Path,
    env: Mapping[str, str] | None = None,
    port: int | None = None,
    descriptors: int | None = None,
) -> Iterator[Server]:
    """Start `airside serve`, on a free port unless one is given; stopped at the end. The data stays in `folder`
    for a next start. `descriptors`: its limit of file descriptors."""
    port = port or free_port()
    server = Server(folder, env or {}, url=f"http://127.0.0.1:{port}")
    with (folder / "serve.log").open("a") as log, (folder / "serve.out").open("w") as out:
        words, env = ("serve", "--port", str(port)), server.environment
        if descriptors is None:
            server.process = start_airside(*words, env=env, stdout=out, stderr=log)
        else:
            command = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"]
            command += [sys.executable, "-m", "airside", *words]
            server.process = subprocess.Popen(command, env=env, stdout=out, stderr=log, text=True)
    try:
        wait_answering(server)
        shown = re.search(r"Password\s+(\S+)", (folder / "serve.out").read_text())
        server.password = shown[1] if shown else None
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(START_SECONDS)


def wait_answering(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise CommandFailed(server.process.returncode, server.log)
        try:
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=5):
                break
        except OSError:
            time.sleep(0.02)
    # The welcome text is written just after the port is open.
    while not (server.folder / "serve.out").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
