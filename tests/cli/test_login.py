"""`airside login`, `whoami` and `logout` against a running site, and somebody at a browser."""

import json
import os
import stat
from pathlib import Path

import pytest
import requests

from tests.cli.laptop import log_in
from tests.support.servers import ADMIN, CommandFailed, Server


@pytest.fixture
def computer(server: Server, tmp_path: Path) -> Server:
    """Where the command line is used: it knows the site by its address only."""
    server.env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    return server


def credentials_file(server: Server) -> Path:
    return Path(server.env["XDG_CONFIG_HOME"]) / "airside" / "credentials.json"


def test_log_in_say_who_and_log_out(computer: Server) -> None:
    status, output = log_in(computer, "allow")
    assert (status, output["site"], output["email"]) == (0, computer.url, ADMIN)
    path = credentials_file(computer)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
    kept = json.loads(path.read_text())[computer.url]
    assert computer.cli("whoami", "--base-url", computer.url)["email"] == ADMIN
    computer.cli("logout", "--base-url", computer.url)
    assert json.loads(path.read_text()) == {}
    headers = {"Authorization": f"Bearer {kept['access_token']}"}
    assert requests.get(f"{computer.url}/api/v1/users/me/", headers=headers, timeout=10).status_code == 401
    with pytest.raises(CommandFailed, match="not signed in"):
        computer.cli("whoami", "--base-url", computer.url)


def test_a_token_that_ran_out_is_refreshed(computer: Server) -> None:
    log_in(computer, "allow")
    path = credentials_file(computer)
    kept = json.loads(path.read_text())
    kept[computer.url]["access_token"] = "pln_gone"
    path.write_text(json.dumps(kept))
    assert computer.cli("whoami", "--base-url", computer.url)["email"] == ADMIN
    fresh = json.loads(path.read_text())[computer.url]
    assert fresh["access_token"] != "pln_gone"
    assert fresh["refresh_token"] != kept[computer.url]["refresh_token"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_refusal_ends_the_login(computer: Server) -> None:
    status, output = log_in(computer, "deny")
    assert (status, output) == (1, None)
    assert not credentials_file(computer).exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "file:///etc", "example", "{url}/api"])
def test_an_address_that_is_no_site_is_refused(computer: Server, address: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        computer.cli("login", "--base-url", address.format(url=computer.url))
    assert caught.value.status == 1
    assert "Traceback" not in caught.value.error_text
