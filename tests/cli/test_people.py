"""People and workspaces from the command line, as their operator keeps them."""

import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.test_commands import failed
from tests.support.servers import Instance

CEO = "ceo@corp.example"
ADD = ("workspace", "add", "acme", CEO, "--role", "admin")


@pytest.fixture
def stranger(instance: Instance) -> str:
    """Somebody whose account came by an invitation's link."""
    instance.cli("user", "create", CEO)
    with closing(sqlite3.connect(instance.folder / "data" / "airside.db")) as connection, connection:
        connection.execute("UPDATE users SET email_proven_at = NULL WHERE email = ?", (CEO,))
    return CEO


def test_id1_a_command_gives_an_unproven_account_nothing_without_a_yes(
    instance: Instance, stranger: str
) -> None:
    for words in (
        ADD,
        ("workspace", "create", "more", "--name", "More", "--owner", stranger),
        ("user", "operator", stranger, "--on"),
    ):
        refused = failed(instance, *words)
        assert (refused["status"], "--accept-unproven" in refused["error"]) == (409, True)
        instance.cli(*words, "--accept-unproven")


def test_id1_a_person_at_a_terminal_is_warned_and_asked(instance: Instance, stranger: str) -> None:
    assert answer_at_terminal(instance, "n") != 0
    assert "--accept-unproven" in failed(instance, *ADD)["error"]  # so they aren't there yet
    assert answer_at_terminal(instance, "y") == 0


def answer_at_terminal(instance: Instance, answer: str) -> int:
    """The status of `workspace add`, whose question is answered so."""
    terminal, stdin = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "airside", *ADD],
            env=instance.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(terminal, f"{answer}\n".encode())
        _, output = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(stdin)
    assert "is not verified" in output
    return process.returncode


def test_id3_a_key_from_a_command_expires_unless_never_expires_is_given(instance: Instance) -> None:
    create = ("token", "create", "--user", "ana@example.com")
    made = [instance.cli(*create, *more) for more in ((), ("--expires-in-days", "7"))]
    days = [(datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC)).days for key in made]
    assert days == [89, 6]
    assert instance.cli(*create, "--never-expires")["expires_at"] is None
    assert failed(instance, *create, "--never-expires", "--expires-in-days", "7")["error"]


def test_a_command_in_a_wrong_folder_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    for words in (("user", "list"), ("worker",), ("token", "create", "--user", "ana@example.com")):
        ended = Instance(folder).run(*words)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "there is no Airside at" in ended.stderr
        assert "AIRSIDE_DATA" in ended.stderr
    assert Instance(folder).run("settings").returncode == 0
    assert list(folder.iterdir()) == []


def test_a_command_makes_no_second_key_and_no_tables(instance: Instance, tmp_path: Path) -> None:
    url = f"sqlite:///{instance.folder / 'data' / 'airside.db'}"
    without_key = Instance(tmp_path / "elsewhere", {"AIRSIDE_DATABASE_URL": url})
    assert "there is no secret key" in failed(without_key, "user", "list")["error"]
    (tmp_path / "empty.db").touch()
    env = {"AIRSIDE_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}", "AIRSIDE_SECRET_KEY": "0" * 64}
    assert "is empty" in failed(Instance(tmp_path / "elsewhere", env), "user", "list")["error"]


def test_people_and_workspaces_are_listed(instance: Instance, stranger: str) -> None:
    ana, ceo = instance.cli("user", "list")["users"]
    assert (ana["email"], ana["workspaces"], ana["is_active"], ana["email_proven"]) == (
        "ana@example.com",
        ["acme"],
        True,
        True,
    )
    assert (ceo["email"], ceo["workspaces"], ceo["email_proven"]) == (stranger, [], False)
    assert re.search(rf"^{stranger} .* e-mail not proven$", instance.run("user", "list").stdout, re.MULTILINE)
    [acme] = instance.cli("workspace", "list")["workspaces"]
    assert (acme["slug"], acme["name"], acme["people"]) == ("acme", "Acme", 1)


def test_a_person_is_deactivated_and_let_back_in(instance: Instance, stranger: str) -> None:
    instance.cli("token", "create", "--user", stranger)
    ended = instance.cli("user", "deactivate", stranger)
    assert (ended["is_active"], ended["keys_revoked"]) == (False, 1)
    assert "deactivated" in instance.run("user", "list").stdout
    assert instance.cli("user", "deactivate", stranger)["keys_revoked"] == 0
    assert instance.cli("user", "reactivate", stranger)["is_active"] is True
    assert failed(instance, "user", "deactivate", "nobody@example.com")["status"] == 404


def test_a_workspace_is_renamed(instance: Instance) -> None:
    assert instance.cli("workspace", "rename", "acme", "--name", "Acme & Sons")["slug"] == "acme"
    [acme] = instance.cli("workspace", "list")["workspaces"]
    assert acme["name"] == "Acme & Sons"
    assert failed(instance, "workspace", "rename", "acme", "--name", " ")["status"] == 400
    assert failed(instance, "workspace", "rename", "nope", "--name", "X")["status"] == 404


def test_the_command_says_its_version_and_completes_its_words(instance: Instance) -> None:
    assert instance.run("--version").stdout == f"airside {version('airside')}\n"
    asked = {"_AIRSIDE_COMPLETE": "complete_bash", "COMP_WORDS": "airside workspace re", "COMP_CWORD": "2"}
    command = [str(Path(sys.executable).with_name("airside"))]
    env = instance.environment | asked
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "rename\n"


def test_an_operator_proves_an_email_and_gives_its_owner_the_password(
    instance: Instance, stranger: str
) -> None:
    instance.cli("token", "create", "--user", stranger)
    assert instance.cli("user", "set-password", stranger)["email_proven"] is False
    assert "airside user prove" in instance.run("user", "set-password", stranger).stdout
    proven = instance.cli("user", "prove", stranger)
    assert (proven["email_proven"], proven["keys_revoked"]) == (True, 1)
    assert len(proven["password"]) >= 16
    assert "proven already" in failed(instance, "user", "prove", stranger)["error"]
    assert failed(instance, "user", "prove", "nobody@example.com")["status"] == 404
    assert instance.cli(*ADD)["role"] == "admin"
