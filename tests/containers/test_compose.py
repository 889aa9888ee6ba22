"""compose.yaml by the Compose Specification's schema (compose-spec.json, Apache-2.0), and what must hold of it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from airside.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
SERVICES = sorted(COMPOSE["services"])


def test_it_is_valid_by_the_schema_and_a_mistake_is_not() -> None:
    validator = Draft7Validator(SCHEMA)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrong = {"services": {"airside": {**COMPOSE["services"]["airside"], "read_onyl": True}}}
    assert not validator.is_valid(wrong)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_nowhere_but_where_it_has_to(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "network_mode", "pid"} & service.keys()


def test_every_variable_is_a_setting_and_what_a_gateway_needs_is_there() -> None:
    environment = COMPOSE["services"]["airside"]["environment"]
    assert environment.keys() <= {f"AIRSIDE_{name.upper()}" for name in Settings.model_fields}
    assert {"AIRSIDE_BASE_URL", "AIRSIDE_UPSTREAM_URL", "AIRSIDE_PAGES_PREFIX"} <= environment.keys()


def test_the_network_alias_has_the_dot_that_webhooks_need() -> None:
    assert COMPOSE["services"]["airside"]["networks"]["default"]["aliases"] == ["airside.internal"]


def test_the_mcp_server_starts_only_with_its_profile_and_is_the_version_that_was_tried() -> None:
    server = COMPOSE["services"]["airside-mcp"]
    assert server["profiles"] == ["mcp"]
    lock = (ROOT / "tests" / "journeys" / "locks" / "plane-mcp-server.txt").read_text()
    tried = re.search(r"^(plane-mcp-server==\S+)", lock, re.MULTILINE)
    assert tried is not None
    assert tried[1] in server["build"]["dockerfile_inline"]
    for name in ("PLANE_MCP_URL", "PLANE_MCP_CLIENT_ID", "PLANE_MCP_CLIENT_SECRET"):
        assert f"${{{name}" in TEXT


def test_the_defaults_are_settings_that_start() -> None:
    """What compose would set where nothing but the origin is given."""
    environment = COMPOSE["services"]["airside"]["environment"]
    known = {"AIRSIDE_BASE_URL": "https://plane.example.com"}
    given = {name: interpolate(text, **known) for name, text in environment.items()}
    settings = Settings(**{name.removeprefix("AIRSIDE_").lower(): value for name, value in given.items()})
    assert settings.page_address("/") == "https://plane.example.com/airside/"
    assert settings.upstream_api_origin == "http://api:8000"


def interpolate(text: str, **known: str) -> str:
    """As Compose does: ${NAME:-default} and ${NAME:?error}."""
    return re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda found: known.get(found[1], found[2]), text)
