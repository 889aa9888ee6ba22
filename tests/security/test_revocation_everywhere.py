"""Row RV3, and TK9 with it: what one process ends has ended in two others within a second. And what is guessed at
one is counted at the other (TK7).

Two servers on one database; what ends something is a third process, the command line."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.consent import Person
from tests.support.servers import ADMIN, Server, running_server

WITHIN = 1.0  # seconds
LOOK_EVERY = 0.02  # seconds: what a client would have to hit to get in late
SLACK = 0.5  # seconds that a busy machine may take for the request itself


@dataclass
class Pair:
    """Two servers on one database, and the app Courier in the workspace Sandbox."""

    servers: list[Server]
    app: dict[str, Any]
    installation_id: str
    project_id: str

    @property
    def here(self) -> tuple[str, ...]:
        return ("--workspace", "sandbox", "--as", ADMIN)

    def cli(self, *words: str) -> Any:
        return self.servers[0].cli(*words)

    def token(self, server: Server) -> requests.Response:
        asked = {
            "grant_type": "client_credentials",
            "client_id": self.app["client_id"],
            "client_secret": self.app["client_secret"],
            "app_installation_id": self.installation_id,
        }
        return requests.post(f"{server.url}/auth/o/token/", data=asked, timeout=10)

    def get(self, server: Server, token: str, path: str = "projects/") -> int:
        url = f"{server.url}/api/v1/workspaces/sandbox/{path}"
        return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code

    def ask_both(self, has_ended: Callable[[Server], bool]) -> bool:
        answers = [has_ended(server) for server in self.servers]
        time.sleep(LOOK_EVERY)
        return all(answers)

    def end_everywhere(self, end: Callable[[], Any], has_ended: Callable[[Server], bool]) -> None:
        """Keep asking both while it ends: nothing may be let through later than a second after that."""
        for server in self.servers:
            assert not has_ended(server)
        with ThreadPoolExecutor(1) as pool:
            ending = pool.submit(end)
            while not ending.done():  # so that both remember that it was good until the last moment
                self.ask_both(has_ended)
            ending.result()
        ended_at = time.monotonic()
        while not self.ask_both(has_ended):
            assert time.monotonic() - ended_at < WITHIN + SLACK
        assert all(has_ended(server) for server in self.servers)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder: Path = tmp_path_factory.mktemp("pair")
    env = {"AIRSIDE_DATA": str(folder / "data"), "AIRSIDE_DATABASE_URL": f"sqlite:///{folder / 'airside.db'}"}
    with ExitStack() as running:
        servers: list[Server] = []
        for number in range(2):
            (folder / str(number)).mkdir()
            servers.append(running.enter_context(running_server(folder / str(number), env)))
        one = servers[0]
        app = one.cli(
            "app", "create", "--workspace", "sandbox", "--name", "Courier",
            "--redirect-uri", "https://courier.example/callback",
        )  # fmt: skip
        key = one.cli("token", "create", "--user", ADMIN)["token"]
        made = requests.post(
            f"{one.url}/api/v1/workspaces/sandbox/projects/",
            headers={"X-API-Key": key},
            json={"name": "Engine", "identifier": "ENG"},
            timeout=10,
        )
        yield Pair(servers, app, "", made.json()["id"])


@pytest.fixture
def installed(pair: Pair) -> Pair:
    made = pair.cli("app", "install", pair.app["client_id"], *pair.here)
    pair.installation_id = made["app_installation_id"]
    return pair


def test_rv3_suspension_and_its_end_are_noticed_everywhere(installed: Pair) -> None:
    client_id, token = (
        installed.app["client_id"],
        installed.token(installed.servers[0]).json()["access_token"],
    )
    installed.end_everywhere(
        lambda: installed.cli("app", "suspend", client_id, *installed.here),
        lambda server: installed.get(server, token) == 401,
    )
    assert {installed.token(server).status_code for server in installed.servers} == {400}
    installed.cli("app", "unsuspend", client_id, *installed.here)
    assert [installed.get(server, token) for server in installed.servers] == [200, 200]


def test_rv3_a_smaller_choice_of_projects_is_noticed_everywhere(installed: Pair) -> None:
    client_id, token = (
        installed.app["client_id"],
        installed.token(installed.servers[0]).json()["access_token"],
    )
    other = requests.post(
        f"{installed.servers[0].url}/api/v1/workspaces/sandbox/projects/",
        headers={"Authorization": f"Bearer {token}"},
        json={"name": "Wagon", "identifier": "WAG"},
        timeout=10,
    )
    assert other.status_code == 201
    installed.end_everywhere(
        lambda: installed.cli("app", "projects", client_id, *installed.here, "--project", "WAG"),
        lambda server: installed.get(server, token, f"projects/{installed.project_id}/") == 404,
    )
    installed.cli("app", "projects", client_id, *installed.here, "--all")


def test_rv3_a_client_secret_that_ends_is_dead_everywhere(installed: Pair) -> None:
    client_id, by = installed.app["client_id"], ("--as", ADMIN)
    old = installed.cli("app", "secret", "list", client_id)["secrets"][0]["id"]
    new = installed.cli("app", "secret", "create", client_id, *by, "--name", "Second server")
    assert new["name"] == "Second server"
    installed.end_everywhere(
        lambda: installed.cli("app", "secret", "end", client_id, old, *by),
        lambda server: installed.token(server).status_code == 401,
    )
    installed.app["client_secret"] = new["client_secret"]
    assert [installed.token(server).status_code for server in installed.servers] == [200, 200]


def test_rv3_a_smaller_role_is_noticed_everywhere(installed: Pair) -> None:
    one = installed.servers[0]
    one.cli("user", "create", "ben@example.com", "--name", "Ben")
    one.cli("workspace", "add", "sandbox", "ben@example.com", "--role", "admin")
    key = one.cli("token", "create", "--user", "ben@example.com")["token"]

    def may_change(server: Server) -> bool:
        url = f"{server.url}/api/v1/workspaces/sandbox/projects/{installed.project_id}/"
        answer = requests.patch(url, headers={"X-API-Key": key}, json={"description": "x"}, timeout=10)
        return answer.status_code == 200

    installed.end_everywhere(
        lambda: one.cli("workspace", "add", "sandbox", "ben@example.com", "--role", "guest"),
        lambda server: not may_change(server),
    )


def test_rv3_uninstalling_is_noticed_everywhere(installed: Pair) -> None:
    client_id, token = (
        installed.app["client_id"],
        installed.token(installed.servers[0]).json()["access_token"],
    )
    installed.end_everywhere(
        lambda: installed.cli("app", "uninstall", client_id, *installed.here),
        lambda server: installed.get(server, token) == 401,
    )
    assert {installed.token(server).status_code for server in installed.servers} == {400}


def test_tk7_guesses_at_a_password_are_counted_together(pair: Pair) -> None:
    at = [Person(server.url, "somebody@example.com", "") for server in pair.servers]
    at[1].session = at[0].session  # one browser
    answers = [
        person.submit(person.open("/sign-in/"), "password", email=person.email, password="wrong").status_code
        for _ in range(6)
        for person in at
    ]
    assert answers == [401] * 10 + [429] * 2
