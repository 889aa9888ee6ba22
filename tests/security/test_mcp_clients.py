"""MCP clients that sign in by themselves: how seven of them ask (mcp_clients.json), from discovery to revocation.

The facts are rebuilt from public reports; redirect URIs on hosts of their makers need the operator's word.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from airside.apps.scopes import PRIVILEGED, UNPRIVILEGED
from airside.apps.tables import apps
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import ask
from airside.oauth.tables import consent_requests
from airside.runtime.site import Site
from tests.cast import Cast
from tests.cli.test_commands import failed
from tests.oauth.conftest import REVOKE, TOKEN, Answer, AppSide, authorize_query, sign_in_as
from tests.oauth.test_authorization_code import VERIFIER
from tests.portal.visitor import signed_in
from tests.security.clients import PKCE, make_public, make_unowned
from tests.security.test_client_documents import metadata, query_of
from tests.security.test_registration import NEVER, REGISTER, register
from tests.support.apps import app_of
from tests.support.metadata_server import MetadataServer
from tests.support.servers import Instance

SERVER, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"
MCP_SERVER = "https://mcp.example/http/mcp"
CLIENTS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "mcp_clients.json").read_text())
every_client = pytest.mark.parametrize("client", CLIENTS, ids=[client["name"] for client in CLIENTS])
THEIR_HOSTS = ["claude.ai", "www.cursor.com", "vscode.dev", "insiders.vscode.dev"]

__all__ = ["metadata"]  # the fixture


@pytest.fixture
async def open_side(site: Site, cast: Cast) -> AsyncIterator[AppSide]:
    """Where the operator lets clients register, and redirect to their makers' hosts."""
    site.settings.dynamic_client_registration = True
    site.settings.registration_rate_limit = "1000/hour"
    site.settings.registration_redirect_hosts += THEIR_HOSTS
    async with testing.ASGIConductor(app_of(site)) as http:
        yield AppSide(http, site, cast)


async def make_client(side: AppSide, client: dict[str, Any]) -> dict[str, Any]:
    answer = await side.send(REGISTER, json.dumps(client["registration"]), "application/json")
    assert answer.status == 201, answer.body
    return answer.body


def asked_scope(client: dict[str, Any], supported: list[str]) -> dict[str, str]:
    scope = client.get("authorize_scope")
    return (
        {} if scope is None else {"scope": " ".join(supported) if scope.startswith("everything") else scope}
    )


def own(made: dict[str, Any]) -> dict[str, str]:
    """How the client says who it is."""
    return {name: made[name] for name in ("client_id", "client_secret") if name in made}


@every_client
async def test_az6_a_client_signs_in_by_itself_and_gets_what_there_is_of_what_it_asked(
    open_side: AppSide, client: dict[str, Any]
) -> None:
    supported = (await open_side.http.simulate_get(SERVER)).json["scopes_supported"]
    made = await make_client(open_side, client)
    assert set(made["redirect_uris"]) == set(client["registration"]["redirect_uris"])
    uri = client.get("authorize_redirect_uri") or client["registration"]["redirect_uris"][0]
    asked = {"client_id": made["client_id"], "redirect_uri": uri, "resource": MCP_SERVER} | PKCE
    code = await open_side.code(**asked, **asked_scope(client, supported))
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri}
    fields |= {"code_verifier": VERIFIER, "resource": MCP_SERVER}
    tokens = await open_side.post(TOKEN, fields | own(made), Authorization="Bearer of-another-server")
    assert tokens.status == 200, tokens.body
    granted = tokens.body["scope"].split()
    assert granted
    assert set(granted) <= set(supported)
    assert not PRIVILEGED.intersection(granted)
    scope = asked_scope(client, supported)
    refreshed = await open_side.post(
        TOKEN,
        {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]} | own(made) | scope,
    )
    assert (refreshed.status, refreshed.body["scope"]) == (200, tokens.body["scope"])
    ended = await open_side.post(REVOKE, {"token": refreshed.body["access_token"]} | own(made))
    assert ended.status == 200


@every_client
async def test_az6_without_the_operators_word_what_leads_elsewhere_is_left_out(
    open_side: AppSide, site: Site, client: dict[str, Any]
) -> None:
    site.settings.registration_redirect_hosts[-len(THEIR_HOSTS) :] = []
    answer = await open_side.send(REGISTER, json.dumps(client["registration"]), "application/json")
    near = [uri for uri in client["registration"]["redirect_uris"] if not uri.startswith("https://")]
    if near:
        assert (answer.status, answer.body["redirect_uris"]) == (201, near)
    else:
        assert (answer.status, answer.body["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("name", ["Claude Code", "VS Code"])
async def test_md3_a_document_with_the_same_facts_does_as_well(
    site: Site, cast: Cast, metadata: MetadataServer, name: str
) -> None:
    client = next(one for one in CLIENTS if one["name"] == name)
    client_fields = client["registration"] | {"client_name": "Claude Code " * 40, "scope": "openid read"}
    client_id = metadata.describe(**client_fields)
    asked = {"redirect_uri": client["authorize_redirect_uri"], "scope": "read write offline_access"}
    request_id = await open_consent_request(site, query_of(cast, metadata, client_id, **asked))
    question = await ask(site, request_id, await sign_in_as(site, cast.ana))
    assert question.redirect_host in client["authorize_redirect_uri"]
    app = await site.db.find(apps, client_id=client_id)
    assert app is not None
    assert app["name"].startswith("Claude Code Claude")
    assert len(app["name"]) <= 80
    assert {scope.rpartition(":")[2] for scope in app["scopes"]} == {"read"}


@pytest.mark.parametrize(
    ("registered", "asked", "granted"),
    [
        (None, "projects:read nonsense openid", "projects:read"),
        (None, "projects:read workspaces.members:write projects.members:write", "projects:read"),
        (None, "read offline_access", "read"),
        ("read", "read write", "read"),
        ("projects:read openid", "projects:read projects:write", "projects:read"),
        ("projects:read projects:write", "openid email profile", "read projects:read"),
        ("projects:read projects:write", None, "projects:read projects:write"),
        ("projects:read", "write", None),
        ("projects:read", "projects:write", None),
        (None, "workspaces.members:write", None),
    ],
)
async def test_az6_scopes_of_a_client_that_registered_itself_are_narrowed_and_never_widened(
    open_side: AppSide, registered: str | None, asked: str | None, granted: str | None
) -> None:
    made = (await register(open_side, scope=registered)).body
    query = {"client_id": made["client_id"], "redirect_uri": made["redirect_uris"][0]} | PKCE
    query |= {} if asked is None else {"scope": asked}
    if granted is None:
        answer = await open_side.http.simulate_get(
            "/auth/o/authorize-app/", query_string=authorize_query(open_side.cast, **query)
        )
        assert "error=invalid_scope" in answer.headers["location"]
        return
    code = await open_side.code(**query)
    fields = {"grant_type": "authorization_code", "client_id": made["client_id"], "code": code}
    fields |= {"redirect_uri": made["redirect_uris"][0], "code_verifier": VERIFIER}
    scope = (await open_side.post(TOKEN, fields)).body["scope"].split()
    if granted == "read":
        assert {word.rpartition(":")[2] for word in scope} == {"read"}
    else:
        assert scope == granted.split()


async def test_md1_the_scopes_that_are_advertised_can_be_had_by_a_client_that_registers(
    open_side: AppSide,
) -> None:
    supported = (await open_side.http.simulate_get(SERVER)).json["scopes_supported"]
    assert supported == ["read", "write", *UNPRIVILEGED]
    made = (await register(open_side, scope=" ".join(supported))).body
    assert set(made["scope"].split()) == set(UNPRIVILEGED)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", "Unnamed app"), ("   ", "Unnamed app"), (None, "Unnamed app"), ("x" * 300, "x" * 79 + "…")],
)
async def test_an_empty_client_name_is_absent_and_a_long_one_is_cut(
    open_side: AppSide, name: str | None, shown: str
) -> None:
    assert (await register(open_side, client_name=name)).body["client_name"] == shown


async def test_a_resource_that_is_named_twice_is_the_first(
    open_side: AppSide, site: Site, cast: Cast
) -> None:
    app = await make_unowned(site, "dynamic")
    query = authorize_query(cast, client_id=app["client_id"], resource=MCP_SERVER, **PKCE)
    for second in (MCP_SERVER, "https://mcp.example"):
        request_id = await open_consent_request(site, f"{query}&resource={second}")
        session = await sign_in_as(site, cast.ana)
        await ask(site, request_id, session)
        held = await site.db.find(consent_requests, id=request_id)
        assert held is not None
        assert held["audience"] == MCP_SERVER
    form = (
        "grant_type=refresh_token&refresh_token=unknown&resource=https://a.example&resource=https://b.example"
    )
    answer = await open_side.send(
        TOKEN, f"{form}&client_id={app['client_id']}", "application/x-www-form-urlencoded"
    )
    assert answer.body["error"] == "invalid_grant"


# CORS


OPEN = [
    SERVER,
    f"{SERVER}/api/v1",
    RESOURCE,
    f"{RESOURCE}/api/v1",
    f"{RESOURCE}/api/v2",
    REGISTER,
    TOKEN,
    REVOKE,
]
CLOSED = ["/auth/o/authorize-app/", "/consent/", "/sign-in/", "/", "/auth/o/introspect/",
          "/acme/settings/applications/", "/device/", "/profile/", "/auth/o/app-installation/"]  # fmt: skip
ORIGIN = {"Origin": "http://localhost:6274"}
ASKED_HEADERS = "content-type, authorization, mcp-protocol-version"


@pytest.mark.parametrize("path", OPEN)
async def test_cl1_metadata_registration_token_and_revocation_answer_browsers_of_any_origin(
    open_side: AppSide, path: str
) -> None:
    method = "GET" if path.startswith("/.well-known") else "POST"
    preflight = await open_side.http.simulate_options(
        path,
        headers=ORIGIN
        | {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ASKED_HEADERS},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == ASKED_HEADERS
    assert method in preflight.headers["access-control-allow-methods"]
    errors = [
        await open_side.http.simulate_request(other, path, headers=ORIGIN) for other in ("PUT", "DELETE")
    ]
    answers = [preflight, *errors, await open_side.http.simulate_request(method, path, headers=ORIGIN)]
    if method == "POST":
        large = {"headers": ORIGIN | {"Content-Type": "application/json"}, "body": "x" * 20_000}
        answers.append(await open_side.http.simulate_post(path, **large))
        assert [answer.status_code for answer in answers[1:]] == [
            405,
            405,
            401 if path == REVOKE else 400,
            413,
        ]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", CLOSED)
async def test_cl1_what_a_person_signs_in_at_answers_no_other_origin(open_side: AppSide, path: str) -> None:
    asked = ORIGIN | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": ASKED_HEADERS}
    for method in ("GET", "POST", "OPTIONS"):
        answer = await open_side.http.simulate_request(method, path, headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("asked", ["x\u00e4", "a b", ", ".join(["x"] * 60), "x" * 2000, ""])
async def test_cl1_headers_that_are_no_list_of_names_are_not_repeated(open_side: AppSide, asked: str) -> None:
    headers = ORIGIN | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    answer = await open_side.http.simulate_options(TOKEN, headers=headers)
    assert "Authorization" in answer.headers["access-control-allow-headers"]


# Private-use schemes


@pytest.mark.parametrize("uri", ["cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/callback"])
async def test_cl2_a_scheme_of_its_own_is_for_clients_with_pkce(
    open_side: AppSide, site: Site, cast: Cast, uri: str
) -> None:
    made = (
        await register(open_side, redirect_uris=[uri], token_endpoint_auth_method="client_secret_post")
    ).body
    public = await make_public(site, cast, redirect_uris=[uri])
    for client_id in (made["client_id"], public["client_id"]):
        query = {"client_id": client_id, "redirect_uri": uri}
        answer = await open_side.http.simulate_get(
            "/auth/o/authorize-app/", query_string=authorize_query(cast, **query)
        )
        assert answer.headers["location"].startswith(uri)
        assert "error=invalid_request" in answer.headers["location"]
        assert await open_side.code(**query, **PKCE)


SCHEMES = [uri for uri in NEVER if not uri.startswith("http")]


async def test_cl2_what_a_browser_runs_or_opens_itself_is_no_redirect_uri_anywhere(
    open_side: AppSide, site: Site, cast: Cast
) -> None:
    for uri in SCHEMES:
        answer: Answer = await register(open_side, redirect_uris=[uri])
        assert (answer.status, answer.body["error"]) == (400, "invalid_redirect_uri")
    kept = await register(open_side, redirect_uris=[*SCHEMES, "cursor://a/b"])
    assert kept.body["redirect_uris"] == ["cursor://a/b"]
    new = "/acme/settings/applications/new/"
    async with signed_in(site, "ana") as ana:
        for uri in SCHEMES:
            page = await ana.submit(await ana.get(new), new, name="Tally", redirect_uris=uri)
            assert page.status == 422
            assert 'id="redirect_uris-error"' in page.text


def test_cl2_the_command_line_takes_none_of_them_either(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.cli("migrate")
    instance.cli("user", "create", "ana@example.com")
    instance.cli("workspace", "create", "acme", "--name", "Acme", "--owner", "ana@example.com")
    options = [word for uri in SCHEMES for word in ("--redirect-uri", uri)]
    problems = json.dumps(
        failed(instance, "app", "create", "--workspace", "acme", "--name", "Courier", *options)
    )
    assert [uri for uri in SCHEMES if uri not in problems] == []
