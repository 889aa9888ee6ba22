"""`airside serve` as a process: the first start, stopping, starting again, and what keeps it from starting."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.databases import fresh_postgres
from tests.support.servers import ADMIN, Instance, Server, free_port, running_server

# Two are promised, on a machine that has a moment to spare; here many tests run beside this one, and what has to
# be noticed is a server that waits for something.
STOP_SECONDS = 10.0


def test_the_first_start_creates_a_workspace_and_prints_its_admins_password_once(tmp_path: Path) -> None:
    with running_server(tmp_path) as first:
        assert first.password
        assert first.password not in first.log
        output = (tmp_path / "serve.out").read_text()
        assert ADMIN in output
        assert f"{first.url}/sandbox/settings/applications/" in output
    with running_server(tmp_path) as second:
        assert second.password is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_quickly_without_a_traceback(server: Server, number: int) -> None:
    status, seconds = server.stop(number)
    assert status == 0
    assert seconds < STOP_SECONDS
    assert "Traceback" not in server.log


def test_a_connection_kept_alive_does_not_keep_it_from_stopping(server: Server) -> None:
    with requests.Session() as session:
        session.get(f"{server.url}/healthz")
        status, seconds = server.stop()
    assert status == 0
    assert seconds < STOP_SECONDS


def test_the_next_start_keeps_everything(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        key = server.cli("token", "create", "--user", ADMIN)["token"]
        before = requests.get(f"{server.url}/api/v1/users/me/", headers={"X-API-Key": key}).json()
    with running_server(tmp_path) as server:
        after = requests.get(f"{server.url}/api/v1/users/me/", headers={"X-API-Key": key}).json()
    assert before == after
    assert before["email"] == ADMIN


def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        key = server.cli("token", "create", "--user", ADMIN)["token"]
        made = requests.post(
            f"{server.url}/api/v1/workspaces/sandbox/projects/",
            headers={"X-API-Key": key},
            json={"name": "Engine", "identifier": "ENG"},
        )
        assert made.status_code == 201
        server.process.kill()
        server.process.wait()
    with running_server(tmp_path) as server:
        url = f"{server.url}/api/v1/workspaces/sandbox/projects/{made.json()['id']}/"
        assert requests.get(url, headers={"X-API-Key": key}).json()["name"] == "Engine"


async def test_it_serves_on_postgres_and_the_command_line_works_beside_it(tmp_path: Path) -> None:
    async with fresh_postgres() as url:
        with running_server(tmp_path, {"AIRSIDE_DATABASE_URL": url}) as server:
            key = server.cli("token", "create", "--user", ADMIN)["token"]
            answer = requests.get(f"{server.url}/api/v1/users/me/", headers={"X-API-Key": key})
            assert answer.json()["email"] == ADMIN
            assert server.stop()[0] == 0


def test_a_taken_port_is_one_sentence(server: Server, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1]
    output = refused(Instance(tmp_path / "second"), "serve", "--port", port)
    assert output == f"airside: can't listen at 127.0.0.1:{port}: Address already in use\n"


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands in the way")
    output = refused(Instance(tmp_path), "serve", "--port", str(free_port()))
    assert output.startswith("airside: can't use the data folder: ")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "airside.db").write_bytes(b"no database at all, " * 100)
    (tmp_path / "data" / "airside.db").chmod(0o600)
    output = refused(Instance(tmp_path), "serve", "--port", str(free_port()))
    assert output.startswith("airside: can't open the database sqlite:///")


@pytest.mark.parametrize(
    ("command", "url", "expected"),
    [
        # A server waits for it (test_await_database.py); a command ends.
        ("migrate", "postgresql://u:s3cret@127.0.0.1:1/a", "can't reach the database postgresql://127.0.0.1:1/a: "),
        ("serve", "mysql://127.0.0.1/airside", "AIRSIDE_DATABASE_URL must start with sqlite:/// or postgresql://"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, command: str, url: str, expected: str
) -> None:
    output = refused(Instance(tmp_path, {"AIRSIDE_DATABASE_URL": url}), command)
    assert output.startswith(f"airside: {expected}")
    assert "s3cret" not in output


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.cli("migrate")
    with sqlite3.connect(tmp_path / "data" / "airside.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "revision 9999" in refused(instance, "serve", "--port", str(free_port()))
    assert "revision 9999" in refused(instance, "user", "create", "ana@example.com")


def test_the_worker_alone_stops_cleanly(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.cli("migrate")
    command = [sys.executable, "-m", "airside", "worker"]
    with subprocess.Popen(command, env=instance.environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "The worker is running\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def refused(instance: Instance, *arguments: str) -> str:
    """What a command that must not start says."""
    ended = instance.run(*arguments)
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    return ended.stderr
