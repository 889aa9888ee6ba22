"""What clients can find out by themselves (MD1), and the challenge that leads them there (BR1)."""

import pytest

from tests.oauth.conftest import AppSide

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
