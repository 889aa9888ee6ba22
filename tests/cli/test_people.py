"""People and workspaces from the command line, as their operator keeps them."""

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

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
        _, told = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(stdin)
    assert "Nobody has proven" in told
    return process.returncode


def test_id3_a_key_from_a_command_expires_unless_it_is_told_not_to(instance: Instance) -> None:
    create = ("token", "create", "--user", "ana@example.com")
    made = [instance.cli(*create, *more) for more in ((), ("--expires-in-days", "7"))]
    days = [(datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC)).days for key in made]
    assert days == [89, 6]
    assert instance.cli(*create, "--never-expires")["expires_at"] is None
    assert failed(instance, *create, "--never-expires", "--expires-in-days", "7")["error"]


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
