"""`airside listen` as a process, against a real site and a real server on this computer."""

import hashlib
import hmac
import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from airside.webhooks.signing import spell_whsec
from tests.support.servers import ADMIN, Instance, Server, free_port, running_server

PATIENCE = 30.0  # seconds: for whatever a busy machine is slow at
STOP_SECONDS = 10.0  # see test_serve.py


class Local:
    """A server of the developer's; `answers` are statuses to give in turn, then always 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self._received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    def take(self) -> tuple[dict[str, str], bytes]:
        """The next one that arrived."""
        return self._received.get(timeout=PATIENCE)

    def is_quiet(self) -> bool:
        return self._received.empty()

    @contextmanager
    def running(self, port: int) -> Generator[None]:
        local = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                local._received.put((dict(self.headers), body))
                self.send_response(local.answers.pop(0) if local.answers else 200)
                self.end_headers()
                self.wfile.write(b"thank you")

            def log_message(self, format: str, *args: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", port), Hook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


class Listening:
    """A running `airside listen --json`."""

    def __init__(self, instance: Instance, *arguments: str) -> None:
        command = [sys.executable, "-m", "airside", "listen", "--json", *arguments]
        self.process = subprocess.Popen(
            command, env=instance.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, self.process.communicate()[1]
        return json.loads(text)

    def delivery(self) -> dict[str, Any]:
        """The next line about a delivery; what is said of the connection is passed over."""
        while "event_id" not in (line := self.line()):
            pass
        return line

    def stop(self) -> float:
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0
        return time.monotonic() - started


@pytest.fixture
def key(server: Server) -> str:
    made = server.cli("token", "create", "--user", ADMIN)["token"]
    server.env = {"AIRSIDE_API_KEY": made}
    return made


@pytest.fixture
def app(server: Server, key: str) -> dict[str, str]:
    """Courier without a webhook URL, installed in the sandbox."""
    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier",
        "--redirect-uri", "https://courier.example/", "--webhook-version", "v2",
    )  # fmt: skip
    server.cli("app", "install", made["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    return made


def change(server: Server, key: str, name: str) -> None:
    """Something that the app is told of."""
    answer = requests.post(
        f"{server.url}/api/v1/workspaces/sandbox/projects/",
        headers={"X-API-Key": key},
        json={"name": name, "identifier": name},
        timeout=PATIENCE,
    )
    assert answer.status_code == 201, answer.text


def test_a_laptop_hears_its_app_through_restarts_of_everything(
    server: Server, key: str, app: dict[str, str], tmp_path: Path
) -> None:
    local, port = Local(), free_port()
    url = f"http://127.0.0.1:{port}/hook"
    arguments = ("--app", app["client_id"], "--forward-to", url, "--base-url", server.url)
    listening = Listening(server, *arguments, "--event", "project.created", "--print-json")
    opened = listening.line()
    assert (opened["listening"], opened["installations"], opened["waiting"]) == (True, 1, 0)
    assert opened["secret_last_four"] == app["webhook_secret"][-4:]
    with local.running(port):
        change(server, key, "ONE")
        headers, body = local.take()
        expected = hmac.new(app["webhook_secret"].encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Plane-Signature"] == expected
        lowered = {name.lower(): value for name, value in headers.items()}
        event = Webhook(spell_whsec(app["webhook_secret"])).verify(body, lowered)
        line = listening.delivery()
        assert (line["event"], line["status"], line["body"]) == ("project.created", 200, body.decode())
        assert line["event_id"] == event["event_id"]
    change(server, key, "TWO")
    line = listening.delivery()
    assert (line["status"], line["error"]) == (None, "The address could not be reached.")
    with local.running(port):
        assert json.loads(local.take()[1])["data"]["name"] == "TWO", "retried after five seconds"
        assert listening.delivery()["attempt"] == 2
        old_port = int(server.url.rsplit(":", 1)[1])
        status, seconds = server.stop()
        assert (status, seconds < STOP_SECONDS) == (0, True)
        with running_server(tmp_path, server.env, old_port) as again:
            change(again, key, "THREE")
            assert json.loads(local.take()[1])["data"]["name"] == "THREE"
            assert listening.delivery()["status"] == 200
            assert listening.stop() < STOP_SECONDS
            change(again, key, "FOUR")
            back = Listening(again, *arguments, "--event", "project.created")
            assert back.line()["waiting"] <= 1
            assert json.loads(local.take()[1])["data"]["name"] == "FOUR", "kept while nobody listened"
            assert back.delivery()["attempt"] == 1
            other = Listening(again, *arguments)
            assert other.line()["listening"]
            _, told = back.process.communicate(timeout=PATIENCE)
            assert back.process.returncode == 1
            assert "taken over" in told
            other.stop()
            assert local.is_quiet()
            log = requests.get(
                f"{again.url}/api/v1/workspaces/sandbox/applications/{app['client_id']}/deliveries/",
                headers={"X-API-Key": key},
                timeout=PATIENCE,
            ).json()["results"]
            assert {row["state"] for row in log} == {"delivered"}
            assert [row["attempt_count"] for row in log] == [1, 1, 2, 1]
            ended = again.cli("listen", "--app", app["client_id"], "--end", "--base-url", again.url)
            assert ended["ended"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--app", "nonsense", "--forward-to", "9000"), "there is no such app"),
        (("--app", "{client_id}"), "say where to post"),
        (("--app", "{client_id}", "--forward-to", "ftp://127.0.0.1/"), "can't post to ftp://127.0.0.1/"),
        (("--app", "{client_id}", "--forward-to", "9000", "--event", "zz"), "There is no event zz."),
    ],
)
def test_what_cannot_be_listened_to_is_one_sentence(
    server: Server, app: dict[str, str], arguments: tuple[str, ...], told: str
) -> None:
    filled = [one.format(client_id=app["client_id"]) for one in arguments]
    ended = server.run("listen", *filled, "--base-url", server.url)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert told in ended.stderr


def test_without_a_credential_it_says_how_to_get_one(server: Server, tmp_path: Path) -> None:
    server.env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    ended = server.run("listen", "--app", "x", "--forward-to", "9000", "--base-url", server.url)
    assert (ended.returncode, "airside login" in ended.stderr) == (1, True)
    server.env = {"AIRSIDE_API_KEY": "plane_api_wrong"}
    ended = server.run("listen", "--app", "x", "--forward-to", "9000", "--base-url", server.url)
    assert (ended.returncode, "AIRSIDE_API_KEY" in ended.stderr) == (1, True)
