"""What clients can find out by themselves (MD1), and the challenge that leads them there (BR1)."""

import pytest
from falcon import testing

from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import AppSide, basic
from tests.security.clients import make_public
from tests.support.apps import app_of

SERVER, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"


async def test_md1_the_same_document_stands_at_the_root_and_with_a_path_inserted(app_side: AppSide) -> None:
    root = await app_side.http.simulate_get(SERVER)
    assert root.headers["content-type"] == "application/json"
    assert root.json["issuer"] == app_side.site.settings.origin
    assert root.json["code_challenge_methods_supported"] == ["S256"]
    assert root.json["authorization_response_iss_parameter_supported"] is True
    for path in ("/auth/o", "/api/v1", "/api/v1/", "/anything/below"):
        assert (await app_side.http.simulate_get(SERVER + path)).json == root.json


async def test_md1_the_issuer_is_the_iss_of_redirects(app_side: AppSide) -> None:
    answer = await app_side.consent()
    assert answer["iss"] == (await app_side.http.simulate_get(SERVER)).json["issuer"]


async def test_md1_airside_is_no_openid_provider(app_side: AppSide) -> None:
    assert (await app_side.http.simulate_get("/.well-known/openid-configuration")).status_code == 404


@pytest.mark.parametrize("path", ["", "/api/v1"])
async def test_md1_a_resource_names_itself_and_its_server(app_side: AppSide, path: str) -> None:
    found = (await app_side.http.simulate_get(RESOURCE + path)).json
    origin = app_side.site.settings.origin
    assert (found["resource"], found["authorization_servers"]) == (origin + path, [origin])
    assert found["bearer_methods_supported"] == ["header"]


async def test_br1_a_challenge_leads_to_the_metadata_and_names_no_error(app_side: AppSide) -> None:
    for path in ("/api/v1/users/me/", "/auth/o/app-installation/"):
        answer = await app_side.http.simulate_get(path)
        challenge = answer.headers["WWW-Authenticate"]
        assert answer.status_code == 401
        assert challenge == (
            f'Bearer realm="airside", resource_metadata="{app_side.site.settings.origin}{RESOURCE}/api/v1"'
        )
    bad = await app_side.http.simulate_get("/api/v1/users/me/", headers={"Authorization": "Bearer pln_x"})
    assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
    assert "resource_metadata=" in bad.headers["WWW-Authenticate"]


async def test_md1_every_advertised_endpoint_answers_its_method(site: Site, cast: Cast) -> None:
    site.settings.dynamic_client_registration = True
    async with testing.ASGIConductor(app_of(site)) as http:
        document = (await http.simulate_get(SERVER)).json
        endpoints = {name: url for name, url in document.items() if name.endswith("_endpoint")}
        assert len(endpoints) == 6
        for name, url in endpoints.items():
            path = url.removeprefix(site.settings.origin)
            method = "GET" if name == "authorization_endpoint" else "POST"
            answer = await http.simulate_request(method, path)
            assert answer.status_code in (400, 401), name
        for resource in document["protected_resources"]:
            path = resource.removeprefix(site.settings.origin)
            assert (await http.simulate_get(RESOURCE + path)).json["resource"] == resource


async def test_md1_every_advertised_grant_scope_and_way_to_authenticate_works(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    document = (await app_side.http.simulate_get(SERVER)).json
    for grant in document["grant_types_supported"]:
        answer = await app_side.token(grant_type=grant)
        assert answer.body["error"] == "invalid_request", grant  # known, and only its parameter is missing
    assert (await app_side.token(grant_type="password")).body["error"] == "unsupported_grant_type"
    for scope in document["scopes_supported"]:
        assert scope in (await app_side.bot_token(scope=scope)).body["scope"].split()
    for endpoint in ("token", "revocation", "introspection"):
        path = document[f"{endpoint}_endpoint"].removeprefix(site.settings.origin)
        for method in document[f"{endpoint}_endpoint_auth_methods_supported"]:
            assert await is_known(app_side, path, method), (endpoint, method)
    assert not await is_known(app_side, "/auth/o/introspect/", "none")


async def is_known(app_side: AppSide, path: str, method: str) -> bool:
    """Whether a client that authenticates in this way gets past it."""
    cast, headers = app_side.cast, {}
    params = {"grant_type": "refresh_token", "refresh_token": "unknown", "token": "unknown"}
    if method == "none":
        params["client_id"] = (await make_public(app_side.site, cast))["client_id"]
    elif method == "client_secret_post":
        params |= app_side.own
    else:
        headers["Authorization"] = basic(cast.client_id, cast.client_secret)
    return (await app_side.post(path, params, **headers)).body.get("error") in (None, "invalid_grant")


async def test_md1_what_is_off_is_not_advertised_and_what_is_on_is(site: Site, cast: Cast) -> None:
    optional = {"registration_endpoint", "client_id_metadata_document_supported"}
    for is_on in (False, True):
        site.settings.dynamic_client_registration = site.settings.client_id_metadata_documents = is_on
        async with testing.ASGIConductor(app_of(site)) as http:
            assert optional & (await http.simulate_get(SERVER)).json.keys() == (optional if is_on else set())
