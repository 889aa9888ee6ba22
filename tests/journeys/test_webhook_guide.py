"""docs/how-to/receive-webhooks.md: its code verifies what a real server signs, and refuses what nobody signed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest
import requests
from standardwebhooks.webhooks import WebhookVerificationError

from airside.webhooks.signing import sign_headers
from tests.support.servers import ADMIN, Server, free_port

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md"
PATIENCE = 30.0


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@contextmanager
def running(command: list[str], code: str, secret: str, port: int) -> Iterator[IO[str]]:
    """The code of the guide as a process; what it prints."""
    env = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port)}
    with subprocess.Popen([*command, code], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            wait_for(
                lambda: requests.post(f"http://127.0.0.1:{port}/hook", b"{}", timeout=5).status_code == 401
            )
            yield process.stdout
        finally:
            process.kill()


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if is_so():
                return
        except requests.ConnectionError:
            assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("language", "program"), [("python", sys.executable), ("js", "node")])
def test_the_code_takes_what_the_site_signs_and_nothing_else(
    server: Server, language: str, program: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip("node not found: install Debian's package nodejs")
    port = free_port()
    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier", "--redirect-uri", "https://courier.example/",
        "--webhook-url", f"http://127.0.0.1:{port}/hook",
    )  # fmt: skip
    code = blocks(language)[0]
    command = [program, "-c"] if language == "python" else [program, "--input-type=module", "-e"]
    with running(command, code, made["webhook_secret"], port) as printed:
        server.cli("app", "install", made["client_id"], "--workspace", "sandbox", "--as", ADMIN)
        printed_lines = [printed.readline().split() for _ in range(2)]
        assert {event for event, _ in printed_lines} == {"workspace_member", "app_installation"}
        assert all(re.fullmatch(r"[0-9a-f-]{36}", message_id) for _, message_id in printed_lines)
        forged = requests.post(
            f"http://127.0.0.1:{port}/hook", b"{}", headers={"X-Plane-Signature": "00" * 32}, timeout=PATIENCE
        )
        assert forged.status_code == 401


def test_the_code_for_standard_webhooks_takes_a_signed_body(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "plane_wh_" + "5" * 64
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    printed_lines: dict[str, Any] = {}
    exec(blocks("python")[1], printed_lines)
    body = b'{"event_id": "1"}'
    headers = sign_headers(body, [secret], event_id="1", part=0, at=datetime.now(UTC))
    assert printed_lines["read_event"](body, headers) == {"event_id": "1"}
    with pytest.raises(WebhookVerificationError):
        printed_lines["read_event"](body + b" ", headers)
