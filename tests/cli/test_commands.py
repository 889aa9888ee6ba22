"""Every command as a script uses it: one JSON object on stdout, errors on stderr with a status."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from airside.settings import EARLIER
from tests.support.servers import ADMIN, CommandFailed, Instance, Server

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REDIRECT_URI = "https://courier.example/callback"


def create_app(instance: Instance, *options: str) -> dict[str, Any]:
    words = ("--workspace", "acme", "--name", "Courier", "--redirect-uri", REDIRECT_URI)
    return instance.cli("app", "create", *words, *options)


def failed(instance: Instance, *arguments: str, stdin: str = "") -> dict[str, Any]:
    """The JSON object that a command leaves on stderr when it fails."""
    with pytest.raises(CommandFailed) as error:
        instance.cli(*arguments, stdin=stdin)
    assert error.value.status != 0
    return json.loads(error.value.error_text)


def test_a_user_gets_a_generated_password_or_the_one_from_stdin(instance: Instance) -> None:
    ben = instance.cli("user", "create", "Ben@Example.com", "--name", "Ben Okri")
    assert UUID.fullmatch(ben["id"])
    assert ben["email"] == "ben@example.com"
    assert len(ben["password"]) >= 16
    given = instance.cli("user", "create", "gil@example.com", "--password-stdin", stdin="a long password\n")
    assert "password" not in given


def test_an_unusable_user_is_refused_with_the_reason(instance: Instance) -> None:
    assert "already" in failed(instance, "user", "create", "ana@example.com")["error"]
    assert "valid e-mail" in failed(instance, "user", "create", "no e-mail")["error"]
    assert (
        failed(instance, "user", "create", "z@example.com", "--password-stdin", stdin="\n")["status"] == 400
    )


def test_a_lost_password_is_replaced(server: Server) -> None:
    made = server.cli("user", "set-password", ADMIN)
    assert len(made["password"]) >= 16
    assert made["password"] != server.password
    assert failed(server, "user", "set-password", "nobody@example.com")["status"] == 404


def test_a_new_password_says_what_becomes_of_the_keys(server: Server) -> None:
    key = server.cli("token", "create", "--user", ADMIN)["token"]

    def status() -> int:
        return requests.get(f"{server.url}/api/v1/users/me/", headers={"X-API-Key": key}).status_code

    output = server.run("user", "set-password", ADMIN)
    assert f"airside token revoke-all --user {ADMIN}" in output.stdout
    assert status() == 200
    made = server.cli("user", "set-password", ADMIN, "--revoke-keys")
    assert (made["keys_revoked"], made["keys_kept"]) == (1, 0)
    ended = time.monotonic()
    while status() != 401:
        assert time.monotonic() - ended < 30, "a second is what it takes"
    server.cli("token", "create", "--user", ADMIN)
    assert server.cli("token", "revoke-all", "--user", ADMIN) == {"user": ADMIN, "keys_revoked": 1}
    assert failed(server, "token", "revoke-all", "--user", "nobody@example.com")["status"] == 404


def test_members_are_added_with_a_role(instance: Instance) -> None:
    instance.cli("user", "create", "ben@example.com")
    added = instance.cli("workspace", "add", "acme", "ben@example.com", "--role", "guest")
    assert (added["workspace"], added["email"], added["role"]) == ("acme", "ben@example.com", "guest")
    assert instance.cli("workspace", "add", "acme", "ben@example.com")["role"] == "member"
    assert (
        "role" in failed(instance, "workspace", "add", "acme", "ben@example.com", "--role", "king")["error"]
    )
    assert "no workspace" in failed(instance, "workspace", "add", "nope", "ben@example.com")["error"]
    assert "no user" in failed(instance, "workspace", "add", "acme", "nobody@example.com")["error"]


def test_an_app_is_registered_with_every_field(instance: Instance) -> None:
    made = create_app(
        instance,
        "--redirect-uri", "http://127.0.0.1:3000/callback",
        "--setup-url", "https://courier.example/setup",
        "--webhook-url", "http://127.0.0.1:9/hooks",
        "--webhook-version", "v2",
        "--scope", "projects:read",
        "--scope", "projects.work_items:write",
        "--mentionable",
        "--short-description", "Carries things",
        "--contact-email", "dev@courier.example",
        "--organization-name", "Courier Ltd",
        "--organization-email", "office@courier.example",
        "--privacy-policy-url", "https://courier.example/privacy",
        "--terms-of-service-url", "https://courier.example/terms",
        "--website", "https://courier.example/",
    )  # fmt: skip
    assert set(made) == {"id", "client_id", "client_secret", "webhook_secret"}
    assert made["webhook_secret"].startswith("plane_wh_")
    listed = instance.cli("app", "list", "--workspace", "acme")["apps"]
    assert listed == [{"id": made["id"], "client_id": made["client_id"], "name": "Courier"}]


def test_an_app_travels_as_a_manifest(instance: Instance, tmp_path: Path) -> None:
    made = create_app(instance, "--scope", "projects:read", "--short-description", "Carries things")
    file = tmp_path / "app.yaml"
    file.write_text(instance.run("app", "manifest", "export", made["client_id"]).stdout)
    assert instance.cli("app", "manifest", "export", made["client_id"])["manifest"] == file.read_text()
    as_ana = ("--as", "ana@example.com")
    same = instance.cli("app", "manifest", "apply", str(file), "--app", made["client_id"], *as_ana)
    assert (same["changes"], same["diff"]) == ([], [])
    changed = file.read_text().replace("Carries things", "Carries more")
    output = instance.cli(
        "app", "manifest", "apply", "-", "--app", made["client_id"], *as_ana, "--dry-run", stdin=changed
    )
    assert (output["changes"], output["applied"]) == (["description"], False)
    assert "Carries more" not in instance.cli("app", "manifest", "export", made["client_id"])["manifest"]
    shown = instance.run(
        "app", "manifest", "apply", "-", "--app", made["client_id"], *as_ana, stdin=changed
    ).stdout
    assert "-description: Carries things\n+description: Carries more" in shown
    assert "Carries more" in instance.cli("app", "manifest", "export", made["client_id"])["manifest"]
    another = instance.cli("app", "manifest", "apply", str(file), "--workspace", "acme", *as_ana)
    assert another["client_id"] != made["client_id"]
    assert another["client_secret"].startswith("pln_secret_")
    file.write_text("name: [&a 1, *a]")
    refused = failed(instance, "app", "manifest", "apply", str(file), "--workspace", "acme", *as_ana)
    assert "no anchors" in refused["error"]
    for wrong in (
        (str(tmp_path / "nowhere"), "--workspace", "acme"),
        (str(file),),
        (str(tmp_path), "--app", "x"),
    ):
        assert instance.run("app", "manifest", "apply", *wrong, *as_ana).returncode
    assert failed(instance, "app", "manifest", "export", "nobody")["status"] == 404


def test_a_wrong_field_of_an_app_is_named(instance: Instance) -> None:
    output = failed(
        instance, "app", "create", "--workspace", "acme", "--name", "X", "--redirect-uri", "javascript:1"
    )
    assert output["status"] == 400
    assert "redirect_uris" in output["detail"]


def test_an_app_is_installed_once_and_uninstalled(instance: Instance) -> None:
    client_id = create_app(instance)["client_id"]
    where = (client_id, "--workspace", "acme", "--as", "ana@example.com")
    installed = instance.cli("app", "install", *where)
    assert UUID.fullmatch(installed["app_installation_id"])
    assert UUID.fullmatch(installed["app_bot"])
    assert instance.cli("app", "install", *where) == installed
    assert instance.cli("app", "uninstall", *where)["status"] == "uninstalled"
    assert failed(instance, "app", "uninstall", *where)["status"] == 404
    assert instance.cli("app", "install", *where)["app_installation_id"] != installed["app_installation_id"]


def test_only_admins_install(instance: Instance) -> None:
    client_id = create_app(instance)["client_id"]
    instance.cli("user", "create", "ben@example.com")
    instance.cli("workspace", "add", "acme", "ben@example.com", "--role", "member")
    output = failed(instance, "app", "install", client_id, "--workspace", "acme", "--as", "ben@example.com")
    assert output["status"] == 403


def test_a_token_works_at_the_running_server_and_expires_at_the_given_time(server: Server) -> None:
    made = server.cli("token", "create", "--user", ADMIN, "--expires-in-days", "30")
    assert made["token"].startswith("plane_api_")
    assert made["expires_at"] is not None
    answer = requests.get(f"{server.url}/api/v1/users/me/", headers={"X-API-Key": made["token"]})
    assert answer.json()["email"] == ADMIN
    assert failed(server, "token", "create", "--user", ADMIN, "--expires-in-days", "0")["status"] == 400


def test_uninstalling_beside_a_running_server_ends_its_tokens_within_a_second(server: Server) -> None:
    words = ("--workspace", "sandbox", "--name", "Courier", "--redirect-uri", REDIRECT_URI)
    app = server.cli("app", "create", *words)
    where = (app["client_id"], "--workspace", "sandbox", "--as", ADMIN)
    installed = server.cli("app", "install", *where)
    form = {"grant_type": "client_credentials", "app_installation_id": installed["app_installation_id"]}
    basic = (app["client_id"], app["client_secret"])
    token = requests.post(f"{server.url}/auth/o/token/", data=form, auth=basic).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/api/v1/users/me/", headers=bearer).status_code == 200
    server.cli("app", "uninstall", *where)
    ended = time.monotonic()
    while requests.get(f"{server.url}/api/v1/users/me/", headers=bearer).status_code != 401:
        assert (
            time.monotonic() - ended < 1.5
        )  # a second, and what a busy machine takes for the request itself


def test_migrating_says_whether_there_was_anything_to_do(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert instance.cli("migrate")["changed"] is True
    assert instance.cli("migrate")["changed"] is False


def test_routes_are_listed_with_their_scope_event_and_file(instance: Instance) -> None:
    routes = instance.cli("routes")["routes"]
    path = "/api/v1/workspaces/{workspace_slug}/projects/{project_id}/states/"
    states = next(route for route in routes if route["path"] == path and route["method"] == "POST")
    assert states == {
        "method": "POST",
        "path": path,
        "scope": "projects.states:write",
        "event": "state.created",
        "file": "airside/work/projects/states.py",
    }
    assert instance.run("routes").stdout.count("\n") == len(routes)


def test_settings_are_listed_without_secrets(tmp_path: Path) -> None:
    env = {"AIRSIDE_SECRET_KEY": "k" * 64, "AIRSIDE_DATABASE_URL": "postgresql://a:s3cret@127.0.0.1/x"}
    instance = Instance(tmp_path, env)
    listed = instance.cli("settings")
    assert listed["AIRSIDE_API_RATE_LIMIT"]["value"] == "100000/minute"
    assert all(setting["description"] for setting in listed.values())
    output = json.dumps(listed) + instance.run("settings").stdout
    assert "k" * 64 not in output
    assert "s3cret" not in output


def test_settings_beside_the_data_count_where_the_environment_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    kept = "# ours\nAIRSIDE_API_RATE_LIMIT=5/second\nAIRSIDE_DEBUG = true\nHOME=/nowhere\n"
    (tmp_path / "data" / "settings.env").write_text(kept)
    listed = Instance(tmp_path).cli("settings")
    assert listed["AIRSIDE_DEBUG"]["value"] is True
    assert listed["AIRSIDE_API_RATE_LIMIT"]["value"] == "100000/minute"  # the tests' own environment


@pytest.mark.parametrize(
    "arguments", [("nope",), ("user", "create"), ("workspace", "create", "acme"), ("serve", "--port", "x")]
)
def test_a_command_line_that_does_not_parse_is_status_2(
    instance: Instance, arguments: tuple[str, ...]
) -> None:
    ended = instance.run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("airside: ")
    assert "error" in failed(instance, *arguments)


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    output = failed(Instance(tmp_path, {"AIRSIDE_WORKER": "perhaps"}), "settings")
    assert output["error"].startswith("a setting can't be used: AIRSIDE_WORKER: ")


def test_a_renamed_setting_keeps_its_earlier_name(tmp_path: Path) -> None:
    for variable, earlier in EARLIER.items():
        for number, name in enumerate((variable, *earlier)):
            listed = Instance(tmp_path / f"{variable}{number}", {name: "7"}).cli("settings")
            assert (listed[variable]["value"], listed[variable]["is_set"]) == (7, True), name
            assert name == variable or name not in listed
        refused = failed(Instance(tmp_path, {earlier[0]: "never"}), "settings")
        assert refused["error"].startswith("a setting can't be used: AIRSIDE_")


def test_people_read_lines_instead_of_json(instance: Instance) -> None:
    ended = instance.run("token", "create", "--user", "ana@example.com")
    assert re.search(r"^token +plane_api_\w+$", ended.stdout, re.MULTILINE)
    refused = instance.run("token", "create", "--user", "nobody@example.com")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "airside: There is no user with the e-mail nobody@example.com.\n"


def test_an_app_is_let_check_tokens_for_a_resource_until_it_is_not(instance: Instance) -> None:
    client_id = create_app(instance)["client_id"]
    added = instance.cli("app", "resource", "add", client_id, "https://mcp.example/mcp/")
    assert added == {"client_id": client_id, "resource": "https://mcp.example/mcp"}
    listed = instance.cli("app", "resource", "list", client_id)
    assert listed == {"resources": ["https://mcp.example/mcp"]}
    assert failed(instance, "app", "resource", "add", client_id, "mcp.example")["status"] == 400
    instance.cli("app", "resource", "remove", client_id, "https://mcp.example/mcp")
    assert instance.cli("app", "resource", "list", client_id) == {"resources": []}
