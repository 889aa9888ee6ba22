"""BR7: no issued secret is written to a log, a trace or an error page, whichever way it was issued or sent back."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.consent import Person
from tests.support.servers import ADMIN, Server, running_server

REDIRECT_URI = "https://courier.example/callback"
RECEIVER_DOWN = "http://127.0.0.1:9/hook"  # nobody listens there, so that every delivery fails and is logged


class Issued:
    """Every secret that the server gave out, and every answer that was an error."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.errors: list[str] = []

    def keep(self, answer: requests.Response) -> Any:
        body = answer.json()
        self.secrets |= {body[name] for name in ("access_token", "refresh_token") if name in body}
        return body

    def keep_error(self, answer: requests.Response) -> None:
        assert answer.status_code >= 400, answer.text
        self.errors.append(answer.text + str(answer.headers))


def register(server: Server, issued: Issued) -> dict[str, str]:
    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier", "--redirect-uri", REDIRECT_URI,
        "--webhook-url", RECEIVER_DOWN,
    )  # fmt: skip
    installed = server.cli("app", "install", made["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    issued.secrets |= {made["client_secret"], made["webhook_secret"]}
    return {**made, "installation": installed["app_installation_id"]}


def misuse(server: Server, issued: Issued, secret: str) -> None:
    """Send it wherever it doesn't belong: in URLs, headers, bodies, cookies, and where it makes things fail."""
    url, timeout = server.url, 20
    for path in (
        f"/no/such/page/{secret}",
        f"/api/v1/{secret}/",
        f"/auth/o/{secret}",
        f"/uploads/logos/{secret}",
    ):
        issued.keep_error(requests.get(f"{url}{path}", timeout=timeout))
    issued.keep_error(requests.get(f"{url}/api/v1/users/me/?access_token={secret}", timeout=timeout))
    issued.keep_error(
        requests.get(f"{url}/auth/o/authorize-app/?client_id={secret}&state={secret}", timeout=timeout)
    )
    bad = {"Authorization": f"Bearer {secret}x"}
    issued.keep_error(requests.get(f"{url}/api/v1/users/me/", headers=bad, timeout=timeout))
    issued.keep_error(requests.post(f"{url}/auth/o/token/", data={"grant_type": secret}, timeout=timeout))
    issued.keep_error(requests.post(f"{url}/auth/o/token/", json={"grant_type": [secret]}, timeout=timeout))
    issued.keep_error(requests.post(f"{url}/sign-in/", data={"password": secret}, timeout=timeout))


@pytest.fixture(scope="module")
def issued_secrets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Issued, Server, str]:
    """A server's day: everything it issued, and everything it wrote."""
    folder: Path = tmp_path_factory.mktemp("logs")
    issued = Issued()
    with running_server(folder) as server:
        app = register(server, issued)
        own = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        token_url = f"{server.url}/auth/o/token/"

        def ask(**fields: str) -> Any:
            return issued.keep(requests.post(token_url, data=own | fields, timeout=20))

        for _ in range(700):
            ask(grant_type="client_credentials", app_installation_id=app["installation"])
        assert server.password
        person = Person(server.url, ADMIN, server.password)
        issued.secrets.add(server.password)
        for _ in range(5):
            query = f"client_id={app['client_id']}&response_type=code&redirect_uri={REDIRECT_URI}"
            code = person.consent(f"/auth/o/authorize-app/?{query}", "sandbox")["code"]
            issued.secrets.add(code)
            tokens = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
            for _ in range(30):
                tokens = ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        issued.secrets |= {value for value in person.session.cookies.values() if len(value) >= 32}
        issued.secrets.add(server.cli("token", "create", "--user", ADMIN)["token"])
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        project = {"name": "Engine", "identifier": "ENG"}  # an event, and so a delivery that fails
        made = requests.post(
            f"{server.url}/api/v1/workspaces/sandbox/projects/", json=project, headers=headers, timeout=20
        )
        assert made.status_code == 201, made.text
        for secret in (app["client_secret"], tokens["access_token"], tokens["refresh_token"]):
            misuse(server, issued, secret)
        exported = server.run("audit", "export").stdout
    return issued, server, exported


def test_br7_a_thousand_issued_secrets_are_in_no_log(issued_secrets: tuple[Issued, Server, str]) -> None:
    issued, server, _ = issued_secrets
    written = server.log + (server.folder / "serve.out").read_text()
    found = [secret[:14] for secret in issued.secrets if secret in written and secret != server.password]
    assert len(issued.secrets) > 1_000
    assert found == []
    assert not re.search(r"pln_[0-9a-f]{16}|pln_\w+_[0-9a-f]{16}|plane_\w+_[0-9a-f]{16}", written)


def test_br7_error_pages_and_answers_repeat_no_secret(issued_secrets: tuple[Issued, Server, str]) -> None:
    issued, _, _ = issued_secrets
    assert len(issued.errors) > 20
    assert [error[:300] for error in issued.errors for secret in issued.secrets if secret in error] == []


def test_br7_the_audit_log_holds_none(issued_secrets: tuple[Issued, Server, str]) -> None:
    issued, _, exported = issued_secrets
    assert len(exported.splitlines()) > 100
    assert [secret[:14] for secret in issued.secrets if secret in exported] == []
