"""An app as Plane's developer documentation builds one with Flask: setup, callback, verified webhook."""

import base64
import hashlib
import hmac
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from flask import Flask, redirect, request
from werkzeug.serving import make_server

from tests.journeys.conftest import Stage, set_stage
from tests.support.servers import Server, free_port, running_server


class CourierServer:
    """The author's own server."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.stage: Stage | None = None
        self.installed: dict[str, str] = {}  # workspace id → bot token
        self.webhooks: queue.Queue[dict[str, Any]] = queue.Queue()
        self.rejected = 0
        app = Flask("courier")
        app.add_url_rule("/oauth/setup", view_func=self.setup)
        app.add_url_rule("/oauth/callback", view_func=self.callback)
        app.add_url_rule("/webhook", view_func=self.webhook, methods=["POST"])
        self._server = make_server("127.0.0.1", int(self.url.rsplit(":", 1)[1]), app, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def setup(self) -> Any:
        assert self.stage is not None
        asked = {
            "client_id": self.stage.client_id,
            "response_type": "code",
            "redirect_uri": f"{self.url}/oauth/callback",
        }
        return redirect(f"{self.stage.base_url}/auth/o/authorize-app/?{urlencode(asked)}")

    def callback(self) -> Any:
        assert self.stage is not None
        installation_id = request.args["app_installation_id"]
        basic = base64.b64encode(f"{self.stage.client_id}:{self.stage.client_secret}".encode()).decode()
        token = requests.post(
            f"{self.stage.base_url}/auth/o/token/",
            data={"grant_type": "client_credentials", "app_installation_id": installation_id},
            headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
            timeout=10,
        ).json()["access_token"]
        details = requests.get(
            f"{self.stage.base_url}/auth/o/app-installation/",
            params={"id": installation_id},
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        ).json()[0]
        self.installed[details["workspace"]] = token
        return "Installation successful! You can close this window."

    def webhook(self) -> Any:
        assert self.stage is not None
        expected = hmac.new(
            self.stage.webhook_secret.encode(), request.get_data(), hashlib.sha256
        ).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Plane-Signature", "")):
            self.rejected += 1
            return "Invalid signature", 403
        self.webhooks.put({"event": request.headers["X-Plane-Event"], **request.get_json()})
        return "OK"

    def wait_for(self, event: str, action: str) -> dict[str, Any]:
        """The next webhook of this kind; others before it are passed over."""
        while True:
            body = self.webhooks.get(timeout=10)
            if (body["event"], body["action"]) == (event, action):
                return body

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[CourierServer]:
    server = CourierServer()
    with running_server(tmp_path) as instance:
        server.stage = set_stage(
            instance,
            "--redirect-uri", f"{server.url}/oauth/callback",
            "--setup-url", f"{server.url}/oauth/setup",
            "--webhook-url", f"{server.url}/webhook",
        )  # fmt: skip
        yield server
    server.close()


def test_install_change_a_work_item_and_the_signed_webhook_arrives(courier: CourierServer) -> None:
    stage = courier.stage
    assert stage is not None
    start = requests.get(f"{courier.url}/oauth/setup", allow_redirects=False, timeout=10)
    called = stage.ana.consent(start.headers["Location"], "acme")
    done = requests.get(f"{courier.url}/oauth/callback", params=called, timeout=20)
    assert done.text.startswith("Installation successful")

    workspace_id, bot_token = next(iter(courier.installed.items()))
    # Somebody at work in the workspace; the app's own changes aren't sent to it.
    Api(stage.instance, bot_token).send("POST", "projects/", {"name": "Own", "identifier": "OWN"})
    key = stage.instance.cli("token", "create", "--user", "ana@example.com")["token"]
    api = Api(stage.instance, key, header="X-API-Key")
    project = api.send("POST", "projects/", {"name": "Engine", "identifier": "ENG"})
    assert courier.wait_for("project", "created")["data"]["name"] == "Engine"
    item = api.send("POST", f"projects/{project['id']}/work-items/", {"name": "Wheel"})
    assert courier.wait_for("issue", "created")["data"]["id"] == item["id"]

    api.send(
        "PATCH",
        f"projects/{project['id']}/work-items/{item['id']}/",
        {"priority": "high", "name": "Big wheel"},
    )
    changed = [courier.wait_for("issue", "updated") for _ in range(2)]
    by_field = {body["activity"]["field"]: body["activity"] for body in changed}
    assert (by_field["priority"]["old_value"], by_field["priority"]["new_value"]) == ("none", "high")
    assert (by_field["name"]["old_value"], by_field["name"]["new_value"]) == ("Wheel", "Big wheel")
    assert all(body["workspace_id"] == workspace_id for body in changed)
    order = ["event", "action", "webhook_id", "workspace_id", "workspace_slug", "data", "activity"]
    assert list(changed[0])[:7] == order
    assert courier.rejected == 0


def test_uninstalling_ends_tokens_and_webhooks_and_installing_again_works(courier: CourierServer) -> None:
    stage = courier.stage
    assert stage is not None
    instance = stage.instance
    for _ in range(2):
        called = stage.ana.consent(stage.authorize_url(redirect_uri=f"{courier.url}/oauth/callback"), "acme")
        requests.get(f"{courier.url}/oauth/callback", params=called, timeout=20)
        token = list(courier.installed.values())[-1]
        assert Api(instance, token).status("GET", "projects/") == 200
        instance.cli("app", "uninstall", stage.client_id, "--workspace", "acme", "--as", "ana@example.com")
        assert until_401(Api(instance, token))
    key = instance.cli("token", "create", "--user", "ana@example.com")["token"]
    for _ in range(2):
        courier.wait_for("app_installation", "deleted")
    Api(instance, key, header="X-API-Key").send("POST", "projects/", {"name": "After", "identifier": "AFT"})
    with pytest.raises(queue.Empty):
        courier.webhooks.get(timeout=1.5)


def test_an_app_receives_its_uninstallation_once_as_the_last_event(courier: CourierServer) -> None:
    stage = courier.stage
    assert stage is not None
    instance = stage.instance
    called = stage.ana.consent(stage.authorize_url(redirect_uri=f"{courier.url}/oauth/callback"), "acme")
    requests.get(f"{courier.url}/oauth/callback", params=called, timeout=20)
    assert courier.wait_for("app_installation", "created")["data"]["status"] == "installed"
    instance.cli("app", "uninstall", stage.client_id, "--workspace", "acme", "--as", "ana@example.com")
    installation_id = courier.wait_for("app_installation", "deleted")["data"]["id"]
    assert installation_id == called["app_installation_id"]
    with pytest.raises(queue.Empty):
        courier.webhooks.get(timeout=1.5)


def until_401(api: "Api") -> bool:
    """Whether the token stops working within a second (and what the clock's noise adds)."""
    for _ in range(15):
        if api.status("GET", "projects/") == 401:
            return True
        threading.Event().wait(0.1)
    return False


class Api:
    def __init__(self, instance: Server, credential: str, header: str = "Authorization") -> None:
        self._base = f"{instance.url}/api/v1/workspaces/acme/"
        self._headers = {header: f"Bearer {credential}" if header == "Authorization" else credential}

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self._base + path, json=body, headers=self._headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def status(self, method: str, path: str) -> int:
        return requests.request(method, self._base + path, headers=self._headers, timeout=10).status_code
