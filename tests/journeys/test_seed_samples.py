"""The Python samples of Plane's "build an app" document, as they stand: only host, ids and secrets are put in."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.conftest import REDIRECT_URI, Stage

SAMPLES = Path(__file__).parent / "seed_samples"


def run_sample(name: str, stage: Stage, put_in: dict[str, str], **known: Any) -> dict[str, Any]:
    """Run a sample; what it has defined at its end."""
    text = (SAMPLES / f"{name}.txt").read_text()
    for old, new in {"https://api.plane.so": stage.base_url, **put_in}.items():
        text = text.replace(old, new)
    defined = dict(known)
    exec(compile(text, name, "exec"), defined)
    return defined


@pytest.fixture
def secrets_of(stage: Stage) -> dict[str, str]:
    return {
        "your_client_id": stage.client_id,
        "your_client_secret": stage.client_secret,
        "your_redirect_uri": REDIRECT_URI,
    }


def test_the_samples_run_from_the_consent_url_to_the_refresh(
    stage: Stage, secrets_of: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANE_CLIENT_ID", stage.client_id)
    monkeypatch.setenv("PLANE_REDIRECT_URI", REDIRECT_URI)
    consent_url = run_sample("consent_url", stage, {})["consent_url"]
    assert parse_qs(urlsplit(consent_url).query)["client_id"] == [stage.client_id]
    called = stage.ana.consent(consent_url, "acme")

    bot = run_sample("bot_token", stage, secrets_of, app_installation_id=called["app_installation_id"])
    assert bot["bot_token"].startswith("pln_bot_")
    assert bot["expires_in"] > 0

    put_in = {**secrets_of, "authorization_code_from_callback": called["code"]}
    user = run_sample("exchange_code", stage, put_in)
    assert user["refresh_token"].startswith("pln_refresh_")
    assert user["expires_in"] > 0

    for token in (bot["bot_token"], user["access_token"]):
        # The document's own last line reads `response.data`, which requests has never had: it is left to the
        # sample's text, and what it meant is read here.
        found = run_sample(
            "installation", stage, {}, token=token, app_installation_id=called["app_installation_id"]
        )
        assert_details(found["response"].json()[0], called["app_installation_id"])

    refreshed = run_sample(
        "refresh", stage, {}, refresh_token=user["refresh_token"], client_id=stage.client_id,
        client_secret=stage.client_secret, requests=user["requests"],
    )  # fmt: skip
    assert refreshed["access_token"] != user["access_token"]
    assert refreshed["refresh_response_data"]["refresh_token"] != user["refresh_token"]


def assert_details(details: dict[str, Any], installation_id: str) -> None:
    """The eleven keys of the document's sample answer, and the two that the SDKs declare besides."""
    assert list(details)[:11] == [
        "id", "workspace_detail", "created_at", "updated_at", "deleted_at", "status", "workspace", "application",
        "installed_by", "app_bot", "webhook",
    ]  # fmt: skip
    assert set(details) - set(list(details)[:11]) == {"created_by", "updated_by"}
    assert details["id"] == installation_id
    assert details["status"] == "installed"
    assert details["deleted_at"] is None
    assert details["workspace_detail"] == {
        "name": "Acme", "slug": "acme", "id": details["workspace"], "logo_url": None,
    }  # fmt: skip
