"""README.md, "From nothing to a webhook in five minutes": its own commands, against a running server."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.support.servers import Server, free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def commands(server: Server, port: int) -> list[str]:
    """The blocks of the walk, with this server's port and the listener's."""
    walk = (ROOT / "README.md").read_text().split("## From nothing", 1)[1].split("\n## ", 1)[0]
    here = walk.replace("http://127.0.0.1:8000", server.url).replace("9000", str(port))
    return re.findall(r"```sh\n(.*?)```", here, re.DOTALL)


@contextmanager
def listening(command: str, port: int) -> Iterator[IO[str]]:
    _, *arguments = shlex.split(command)
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        late = threading.Timer(2 * PATIENCE, process.kill)  # what is waited for in vain ends as a failure
        late.start()
        try:
            wait_until_open(port)
            yield process.stdout
        finally:
            late.cancel()
            process.kill()


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(server: Server, block: str, **kept: str) -> str:
    """What the block prints, with the values that one keeps from the steps before it."""
    filled = re.sub(r"(\w+)=…", lambda found: f"{found[1]}={shlex.quote(kept[found[1]])}", block)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", filled],
        env=server.environment | {"PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_step_of_the_walk_does_what_the_next_one_needs(server: Server) -> None:
    port = free_port()
    listen, create, install, get_token, change = commands(server, port)
    with listening(listen, port) as printed:
        made = dict(line.split() for line in run(server, create).splitlines())
        keys = {"CLIENT_ID": made["client_id"], "CLIENT_SECRET": made["client_secret"]}
        installed = dict(line.split() for line in run(server, install, **keys).splitlines())
        assert {printed.readline().split()[0] for _ in range(2)} == {"workspace_member", "app_installation"}
        asked = " ".join(f"{name}={shlex.quote(value)}" for name, value in keys.items())
        token = run(server, f"{asked}\n{get_token}", INSTALLATION=installed["app_installation_id"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/callback?app_installation_id=1") as answer:
            assert answer.read() == b"See the terminal", "a consent in the pages ends there"
        assert printed.readline() == "/callback?app_installation_id=1\n"
        project = json.loads(run(server, change, TOKEN=json.loads(token)["access_token"]))
        assert project["identifier"] == "APO"
        assert any(line.startswith("project ") for line in printed)
