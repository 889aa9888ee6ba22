"""Debian's nginx in front, with a plain `proxy_pass`, which speaks HTTP/1.0: an app's first hour through it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.servers import ADMIN, Server, free_port, running_server

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path=f"/usr/sbin{os.pathsep}/usr/local/sbin")

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
        }}
    }}
}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Airside behind nginx; `url` is nginx's."""
    if PROGRAM is None:
        pytest.skip("nginx not found: install Debian's package nginx")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_server(
        tmp_path, {"AIRSIDE_BASE_URL": url, "AIRSIDE_DYNAMIC_CLIENT_REGISTRATION": "on"}
    ) as behind:
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=port, upstream=behind.url))
        command = [PROGRAM, "-c", str(configuration), "-e", str(tmp_path / "nginx.log")]
        nginx = subprocess.Popen(command)
        try:
            behind.url = url
            wait_open(nginx, port)
            yield behind
        finally:
            nginx.terminate()
            nginx.wait(10)


def wait_open(nginx: "subprocess.Popen[bytes]", port: int) -> None:
    session = requests.Session()
    session.mount(
        "http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(20, backoff_factor=0.05))
    )
    session.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
    assert nginx.poll() is None


def test_av4_an_app_is_registered_installed_and_used_through_nginx_with_defaults(server: Server) -> None:
    browser = requests.Session()
    sign_in(browser, server)
    assert "Applications" in browser.get(f"{server.url}/sandbox/settings/applications/").text
    token = bot_token(server)
    api = {"Authorization": f"Bearer {token}"}
    projects = f"{server.url}/api/v1/workspaces/sandbox/projects/"
    made = requests.post(projects, json={"name": "Apollo", "identifier": "APO"}, headers=api, timeout=10)
    assert made.status_code == 201, made.text
    listed = requests.get(projects, headers=api, timeout=10)
    assert [project["name"] for project in listed.json()["results"]] == ["Apollo"]
    assert requests.head(projects, headers=api, timeout=10).headers["Content-Length"] == str(
        len(listed.content)
    )
    assert "Apollo" in browser.get(f"{server.url}/sandbox/projects/").text
    assert requests.get(f"{server.url}/no/such/page/", timeout=10).status_code == 404


def test_a_page_receives_changes_through_nginx(server: Server) -> None:
    browser = requests.Session()
    sign_in(browser, server)
    key = {"X-API-Key": server.cli("token", "create", "--user", ADMIN)["token"]}
    projects = f"{server.url}/api/v1/workspaces/sandbox/projects/"
    made = requests.post(
        projects, json={"name": "Apollo", "identifier": "APO"}, headers=key, timeout=10
    ).json()
    live = f"{server.url}/sandbox/live/?topics=project:{made['id']}"
    with browser.get(live, stream=True, timeout=30) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines()) == b"event: open"


def sign_in(browser: requests.Session, server: Server) -> None:
    form = browser.get(f"{server.url}/sign-in/").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    answer = browser.post(
        f"{server.url}/sign-in/", data=hidden | {"email": ADMIN, "password": server.password}
    )
    assert answer.status_code == 200
    assert "/sign-in" not in answer.url


def bot_token(server: Server) -> str:
    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier",
        "--redirect-uri", "http://127.0.0.1:9000/callback", "--scope", "read", "--scope", "write",
    )  # fmt: skip
    installed = server.cli("app", "install", made["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    answer = requests.post(
        f"{server.url}/auth/o/token/",
        auth=(made["client_id"], made["client_secret"]),
        data={"grant_type": "client_credentials", "app_installation_id": installed["app_installation_id"]},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]
