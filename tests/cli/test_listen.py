"""`airside listen` as a process, against a real site and a real server on this computer."""

import hashlib
import hmac
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from airside.webhooks.signing import spell_whsec
from tests.cli.laptop import PATIENCE, Listening, Local, log_in
from tests.support.databases import fresh_postgres
from tests.support.servers import ADMIN, Server, free_port, running_server

STOP_SECONDS = 10.0  # see test_serve.py


@pytest.fixture
def key(server: Server) -> str:
    made = server.cli("token", "create", "--user", ADMIN)["token"]
    server.env = {"AIRSIDE_API_KEY": made}
    return made


@pytest.fixture
def app(server: Server, key: str) -> dict[str, str]:
    return install_courier(server)


def install_courier(server: Server) -> dict[str, str]:
    """Courier without a webhook URL, installed in the sandbox."""
    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier",
        "--redirect-uri", "https://courier.example/", "--webhook-version", "v2",
    )  # fmt: skip
    server.cli("app", "install", made["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    wait_fanned_out(server)  # else a listener receives the installation too
    return made


def wait_fanned_out(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while "\nairside_events_waiting 0" not in requests.get(f"{server.url}/metrics", timeout=PATIENCE).text:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def change(server: Server, key: str, name: str) -> None:
    """A change whose event the app receives."""
    answer = requests.post(
        f"{server.url}/api/v1/workspaces/sandbox/projects/",
        headers={"X-API-Key": key},
        json={"name": name, "identifier": name},
        timeout=PATIENCE,
    )
    assert answer.status_code == 201, answer.text


def test_a_laptop_receives_its_app_s_events_through_restarts_of_everything(
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
            _, output = back.process.communicate(timeout=PATIENCE)
            assert back.process.returncode == 1
            assert "taken over" in output
            other.stop()
            assert local.is_idle()
            log = read_log(again, key, app["client_id"])
            assert {row["state"] for row in log} == {"delivered"}
            assert [row["attempt_count"] for row in log] == [1, 1, 2, 1]
            ended = again.cli("listen", "--app", app["client_id"], "--end", "--base-url", again.url)
            assert ended["ended"] is True


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("--app", "nonsense", "--forward-to", "9000"), "there is no such app"),
        (("--app", "{client_id}"), "say where to post"),
        (("--app", "{client_id}", "--forward-to", "ftp://127.0.0.1/"), "can't post to ftp://127.0.0.1/"),
        (("--app", "{client_id}", "--forward-to", "9000", "--event", "zz"), "There is no event zz."),
    ],
)
def test_what_cannot_be_listened_to_is_one_sentence(
    server: Server, app: dict[str, str], arguments: tuple[str, ...], output: str
) -> None:
    filled = [one.format(client_id=app["client_id"]) for one in arguments]
    ended = server.run("listen", *filled, "--base-url", server.url)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert output in ended.stderr


def test_without_a_credential_it_says_how_to_get_one(server: Server, tmp_path: Path) -> None:
    server.env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    ended = server.run("listen", "--app", "x", "--forward-to", "9000", "--base-url", server.url)
    assert (ended.returncode, "airside login" in ended.stderr) == (1, True)
    server.env = {"AIRSIDE_API_KEY": "plane_api_wrong"}
    ended = server.run("listen", "--app", "x", "--forward-to", "9000", "--base-url", server.url)
    assert (ended.returncode, "AIRSIDE_API_KEY" in ended.stderr) == (1, True)


def read_log(server: Server, key: str, client_id: str) -> list[dict[str, Any]]:
    """The app's delivery log, newest first."""
    answer = requests.get(
        f"{server.url}/api/v1/workspaces/sandbox/applications/{client_id}/deliveries/",
        headers={"X-API-Key": key},
        timeout=PATIENCE,
    )
    return answer.json()["results"]


def test_signed_in_by_a_code_it_listens_on_when_its_token_runs_out(
    server: Server, key: str, app: dict[str, str], tmp_path: Path
) -> None:
    """What `airside login` keeps is good for a day, and an `airside listen` runs for longer."""
    server.env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    assert log_in(server, "allow")[0] == 0
    local, port = Local(), free_port()
    listening = Listening(
        server, "--app", app["client_id"], "--forward-to", str(port), "--base-url", server.url,
        "--event", "project.created",
    )  # fmt: skip
    assert listening.line()["listening"]
    with local.running(port):
        change(server, key, "ONE")
        assert listening.delivery()["status"] == 200
        before = kept_tokens(server)
        with (
            closing(sqlite3.connect(tmp_path / "data" / "airside.db", timeout=PATIENCE)) as database,
            database,
        ):
            database.execute("UPDATE access_tokens SET expires_at = '2026-01-01T00:00:00.000000Z'")
        change(server, key, "TWO")
        assert listening.delivery()["status"] == 200
        change(server, key, "THREE")
        assert listening.delivery()["status"] == 200
        wait_until(lambda: kept_tokens(server) != before)
        assert listening.stop() < STOP_SECONDS
        assert [json.loads(local.take()[1])["data"]["name"] for _ in range(3)] == ["ONE", "TWO", "THREE"]
    assert server.cli("whoami", "--base-url", server.url)["email"] == ADMIN, "nothing was refreshed twice"


def kept_tokens(server: Server) -> Any:
    """What `airside login` keeps for the site."""
    path = Path(server.env["XDG_CONFIG_HOME"]) / "airside" / "credentials.json"
    return json.loads(path.read_text())[server.url]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Balancer:
    """The one address of several servers: each connection goes to the first of them that answers."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def running(self) -> Generator[None]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield
        finally:
            self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._join, args=(self._listener.accept()[0],), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        for port in list(self.ports):
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=_pour, args=(server, client), daemon=True).start()
                _pour(client, server)
                return
        client.close()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


async def test_of_two_servers_on_one_database_either_may_be_killed(tmp_path: Path) -> None:
    """The laptop hangs on one, the changes are made at the other, and the first is killed with -9: once while the
    local server has something in hand, and between changes."""
    balancer, local, port = Balancer(), Local(), free_port()
    async with fresh_postgres() as database:
        env = {
            "AIRSIDE_DATABASE_URL": database, "AIRSIDE_BASE_URL": balancer.url, "AIRSIDE_SECRET_KEY": "7" * 64,
        }  # fmt: skip
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        with (
            running_server(folders[0], env) as one,
            running_server(folders[1], env) as two,
            balancer.running(),
        ):
            balancer.ports = [int(server.url.rsplit(":", 1)[1]) for server in (one, two)]
            key = two.cli("token", "create", "--user", ADMIN)["token"]
            app = install_courier(two)
            two.env = {**env, "AIRSIDE_API_KEY": key}
            with local.running(port):
                listening = Listening(
                    two, "--app", app["client_id"], "--forward-to", str(port), "--base-url", balancer.url,
                    "--event", "project.created",
                )  # fmt: skip
                assert listening.line()["listening"]
                change(two, key, "HEARD")
                assert listening.delivery()["status"] == 200
                local.may_answer.clear()
                change(two, key, "INHAND")
                names = [json.loads(local.take()[1])["data"]["name"] for _ in range(2)]
                assert names == ["HEARD", "INHAND"]
                one.process.kill()
                one.process.wait()
                change(two, key, "MISSED")
                local.may_answer.set()
                change(two, key, "AFTER")
                taken = {json.loads(local.take()[1])["data"]["name"] for _ in range(2)}
                assert taken == {"MISSED", "AFTER"}
                wait_until(
                    lambda: (
                        [row["state"] for row in read_log(two, key, app["client_id"])] == ["delivered"] * 4
                    )
                )
                assert listening.stop() < STOP_SECONDS
                assert local.is_idle(), "each arrived once"
