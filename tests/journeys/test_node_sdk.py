"""The official SDK for Node.js, unmodified: every grant that it knows, and every method of phase 1."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import REDIRECT_URI, Stage
from tests.support.clients import node_packages

# The first run installs the SDK, which takes a while on a slow registry.
pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent / "node_sdk"


def ask(command: str, **given: Any) -> Any:
    """What the SDK's process answers; an assertion that failed in it fails the test with its words."""
    done = subprocess.run(
        ["node", HERE / "phase_1.cjs"],
        env=os.environ | node_packages(HERE),
        input=json.dumps({"command": command, **given}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def grants(stage: Stage) -> dict[str, Any]:
    """Tokens as the SDK got them, from the consent URL on."""
    app = {
        "baseUrl": stage.base_url,
        "clientId": stage.client_id,
        "clientSecret": stage.client_secret,
        "redirectUri": REDIRECT_URI,
    }
    called = stage.ana.consent(ask("authorizationUrl", app=app, state="s+&%ü"), "acme")
    assert called["state"] == "s+&%ü"
    installation_id = called["app_installation_id"]
    return ask("exchange", app=app, code=called["code"], installationId=installation_id)


def test_every_grant_answers_with_what_the_sdk_for_node_reads(grants: dict[str, Any]) -> None:
    assert grants["user"]["access_token"].startswith("pln_")
    assert grants["bot"]["access_token"].startswith("pln_bot_")
    assert grants["installation"]["workspace_detail"]["slug"] == "acme"
    assert grants["installation"]["status"] == "installed"


@pytest.mark.parametrize("kind", ["bot", "user", "api_key"])
def test_every_method_of_phase_1_works_from_node(stage: Stage, grants: dict[str, Any], kind: str) -> None:
    if kind == "api_key":
        held = {"apiKey": stage.instance.cli("token", "create", "--user", "ana@example.com")["token"]}
    else:
        held = {"accessToken": grants[kind]["access_token"]}
    client = {"baseUrl": stage.base_url, **held}
    found = ask(
        "useEverything", client=client, slug="acme", name=f"Node of {kind}", identifier=f"N{kind[:3]}".upper()
    )
    assert (found["me"]["email"] == "ana@example.com") == (kind != "bot")
