"""`airside listing`, `airside user operator` and `airside workspace app-policy`, as a script uses them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import create_app, failed
from tests.support.pictures import make_png
from tests.support.servers import Instance

PARCEL: dict[str, Any] = {
    "format": "airside-listing/1",
    "exported_from": "https://elsewhere.example",
    "exported_at": "2026-01-31T12:00:00Z",
    "app": {
        "name": "Courier",
        "redirect_uris": ["https://courier.example/callback"],
        "contact_email": "hello@courier.example",
        "organization_name": "Courier & Sons",
        "privacy_policy_url": "https://courier.example/privacy",
        "terms_of_service_url": "https://courier.example/terms",
        "scopes": ["projects:read"],
    },
    "listing": {
        "category": "chat",
        "tagline": "Brings the news",
        "description": "It tells the room that cares. " * 5,
        "support_url": "https://courier.example/help",
    },
    "logo": base64.b64encode(make_png(64, 64)).decode(),
    "screenshots": [{"data": base64.b64encode(make_png()).decode(), "caption": "The room"}],
}
INTO = ("--workspace", "acme", "--as", "ana@example.com")


def test_a_listing_is_imported_reviewed_exported_and_taken_out(instance: Instance, tmp_path: Path) -> None:
    file, copy = tmp_path / "courier.json", tmp_path / "copy.json"
    file.write_text(json.dumps(PARCEL))
    made = instance.cli("listing", "import", str(file), *INTO)
    assert set(made) == {"slug", "client_id", "client_secret", "webhook_secret"}
    assert all(made.values())
    assert instance.cli("listing", "list", "--waiting")["listings"] == []
    sent = instance.cli("listing", "submit", made["client_id"], "--as", "ana@example.com")
    assert sent == {"slug": "courier", "standing": "unlisted", "state": "submitted"}
    checks = instance.cli("listing", "check", "courier")["checks"]
    assert [each["check"] for each in checks if each["is_required"] and not each["is_met"]] == []
    assert instance.cli("listing", "approve", "courier")["standing"] == "listed"
    assert instance.cli("listing", "verify", "courier") == {
        "publisher": "Courier & Sons",
        "is_verified": True,
    }
    exported = instance.cli("listing", "export", "courier")
    assert instance.run("listing", "export", "courier", "--output", str(copy)).returncode == 0
    assert json.loads(copy.read_text())["listing"] == exported["listing"]
    assert exported["listing"] == PARCEL["listing"] | {
        "description": PARCEL["listing"]["description"].strip()
    }
    assert (exported["logo"], exported["screenshots"]) == (PARCEL["logo"], PARCEL["screenshots"])
    out = instance.cli("listing", "delist", "courier", "--reason", "Out of order.")
    assert out["standing"] == "delisted"
    assert failed(instance, "listing", "approve", "courier")["status"] == 400
    assert failed(instance, "listing", "approve", "nobody")["status"] == 404


def test_what_is_no_listing_is_said_in_a_sentence(instance: Instance, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(b"\xff\x00{")
    assert (
        "no listing that Airside exported" in failed(instance, "listing", "import", str(file), *INTO)["error"]
    )
    assert "can't read" in failed(instance, "listing", "import", str(tmp_path / "nowhere"), *INTO)["error"]


def test_somebody_is_made_an_operator_and_that_is_ended(instance: Instance) -> None:
    assert instance.cli("user", "operator", "ana@example.com")["is_operator"] is False
    assert instance.cli("user", "operator", "ana@example.com", "--on")["is_operator"] is True
    assert instance.cli("user", "operator", "ana@example.com", "--off")["is_operator"] is False
    assert failed(instance, "user", "operator", "nobody@example.com", "--on")["status"] == 404


def test_an_app_policy_is_chosen_and_held_to(instance: Instance) -> None:
    app = create_app(instance)
    policy = ("workspace", "app-policy", "acme", "--as", "ana@example.com")
    assert instance.cli(*policy) == {"registers": "admins", "installs": "any", "allowed": [], "denied": []}
    chosen = instance.cli(*policy, "--installs", "listed", "--registers", "members")
    assert (chosen["registers"], chosen["installs"]) == ("members", "listed")
    install = ("app", "install", app["client_id"], *INTO)
    assert "allows only apps from the marketplace" in failed(instance, *install)["error"]
    assert instance.cli(*policy, "--allow", app["client_id"])["allowed"] == [app["client_id"]]
    assert instance.cli(*install)["status"] == "installed"
    assert instance.cli(*policy, "--forget", app["client_id"])["allowed"] == []


@pytest.mark.parametrize("options", [("--installs", "none"), ("--registers", "x"), ("--deny", "nobody")])
def test_what_there_is_no_such_choice_of_is_refused(instance: Instance, options: tuple[str, ...]) -> None:
    answer = failed(instance, "workspace", "app-policy", "acme", "--as", "ana@example.com", *options)
    assert answer["status"] == 400
