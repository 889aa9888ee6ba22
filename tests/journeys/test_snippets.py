"""The code that an app's pages show runs as it stands: copied, given a secret, against a real server."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from airside.webhooks.signing import sign_body
from tests.support.consent import Person
from tests.support.servers import ADMIN, Server, free_port, running_server

# What a redirect URI may hold, and what each language must quote.
REDIRECT_URI = "http://127.0.0.1:9/back?a='\"$(id)`id`${HOME}&b=%20"
LANGUAGES = {"python": [sys.executable], "node": ["node", "--input-type=module"], "shell": ["bash", "-eu"]}


@pytest.fixture(scope="module")
def airside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("snippets")) as server:
        yield server


@pytest.fixture(scope="module")
def made(airside: Server) -> dict[str, str]:
    """Courier, registered and installed in the sandbox."""
    options = ("--workspace", "sandbox", "--name", "Courier", "--redirect-uri", REDIRECT_URI)
    app = airside.cli("app", "create", *options, "--webhook-url", "http://127.0.0.1:9/hook")
    installed = airside.cli("app", "install", app["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    return app | {"installation_id": installed["app_installation_id"]}


@pytest.fixture(scope="module")
def admin(airside: Server) -> Person:
    person = Person(airside.url, ADMIN, airside.password or "")
    person.sign_in(person.open("/sign-in/"))
    return person


def shown_code(page: str, language: str) -> str:
    """What a person copies from the tab of this language."""
    panel = page.rsplit(f'-{language}">', 1)[1].split("<pre", 1)[1]
    return unescape(panel.split(">", 1)[1].split("</pre>")[0])


def require(language: str) -> None:
    if shutil.which(LANGUAGES[language][0]) is None:
        pytest.skip(f"{LANGUAGES[language][0]} not found: install Debian's package nodejs")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_gets_tokens_for_the_app_and_for_the_person(
    airside: Server, made: dict[str, str], admin: Person, language: str
) -> None:
    require(language)
    page = admin.open(f"/sandbox/settings/applications/{made['id']}/oauth/").text
    consent_url = unescape(page.split('class="secret-box"><code>')[1].split("</code>")[0])
    question = admin.open(consent_url)
    answer = admin.submit(question, "chosen", decision="allow")
    assert answer.headers["Location"].startswith(REDIRECT_URI)
    [code] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    ended = subprocess.run(
        LANGUAGES[language],
        input=shown_code(page, language),
        env=os.environ | {"CLIENT_SECRET": made["client_secret"], "CODE": code},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "sandbox" in ended.stdout
    assert "uid=" not in ended.stdout
    again = requests.post(
        f"{airside.url}/auth/o/token/",
        auth=(made["client_id"], made["client_secret"]),
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI},
        timeout=20,
    )
    assert again.status_code == 400, "the code has been exchanged"


@pytest.mark.parametrize("language", ["python", "node"])
def test_the_code_that_receives_takes_what_is_signed_and_nothing_else(
    airside: Server, made: dict[str, str], admin: Person, language: str, tmp_path: Path
) -> None:
    require(language)
    here = f"/sandbox/settings/applications/{made['id']}/webhooks/"
    page = admin.open(here)
    port = free_port()
    environment = os.environ | {"WEBHOOK_SECRET": made["webhook_secret"], "PORT": str(port)}
    with (tmp_path / "received").open("w") as received:
        hook = subprocess.Popen(
            LANGUAGES[language], stdin=subprocess.PIPE, stdout=received, env=environment, text=True
        )
    try:
        assert hook.stdin is not None
        hook.stdin.write(shown_code(page.text, language))
        hook.stdin.close()
        wait_for(lambda: is_open(port))
        forged = requests.post(
            f"http://127.0.0.1:{port}/", b"{}", headers={"X-Plane-Signature": "0" * 64}, timeout=20
        )
        assert forged.status_code == 401
        edit = admin.open(f"{here}edit/")
        admin.submit(edit, "webhook_url", webhook_url=f"http://127.0.0.1:{port}/")
        wait_for(lambda: "ping" in (tmp_path / "received").read_text())
    finally:
        hook.kill()
        hook.wait()


def test_the_shell_says_the_signature_of_a_body(
    airside: Server, made: dict[str, str], admin: Person, tmp_path: Path
) -> None:
    page = admin.open(f"/sandbox/settings/applications/{made['id']}/webhooks/").text
    (tmp_path / "body.json").write_bytes(b'{"a": 1}')
    ended = subprocess.run(
        LANGUAGES["shell"],
        input=shown_code(page, "shell"),
        env=os.environ | {"WEBHOOK_SECRET": "plane_wh_5"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.strip() == sign_body(b'{"a": 1}', "plane_wh_5")


def is_open(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    except requests.ConnectionError:
        return False
    return True


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.05)
    raise TimeoutError
