"""Clients that know OAuth and nothing of Plane: authlib's, requests-oauthlib's and the MCP Python SDK's."""

import asyncio
from urllib.parse import urlencode

import httpx2
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata
from requests_oauthlib import OAuth2Session as RequestsSession

from tests.journeys.conftest import REDIRECT_URI, Stage
from tests.support.mcp import Kept

VERIFIER = "a-verifier-of-at-least-forty-three-characters-as-the-rfc-asks"


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # both libraries; the server is on loopback
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def discover(stage: Stage) -> dict[str, str]:
    """The server's own description (RFC 8414)."""
    url = f"{stage.base_url}/.well-known/oauth-authorization-server"
    return requests.get(url, timeout=10).json()


def redirected(stage: Stage, url: str) -> str:
    """The URL that the app is called with after Ana agreed."""
    return f"{REDIRECT_URI}?{urlencode(stage.ana.consent(url, 'acme'))}"


def status_with(stage: Stage, token: str) -> int:
    url = f"{stage.base_url}/api/v1/users/me/"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_signs_in_with_pkce_refreshes_and_revokes(stage: Stage, method: str) -> None:
    server = discover(stage)
    client = AuthlibSession(
        stage.client_id,
        stage.client_secret,
        redirect_uri=REDIRECT_URI,
        scope="read write",
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        token_endpoint=server["token_endpoint"],
    )
    url, _ = client.create_authorization_url(server["authorization_endpoint"], code_verifier=VERIFIER)
    first = client.fetch_token(
        server["token_endpoint"], authorization_response=redirected(stage, url), code_verifier=VERIFIER
    )
    assert client.get(f"{stage.base_url}/api/v1/users/me/").json()["email"] == "ana@example.com"
    client.token["expires_at"] = 1  # as if its time had come: the next call refreshes by itself
    assert client.get(f"{stage.base_url}/api/v1/users/me/").ok
    assert client.token["refresh_token"] != first["refresh_token"]
    ended = client.token["access_token"]
    assert client.revoke_token(server["revocation_endpoint"], ended).status_code == 200
    assert status_with(stage, ended) == 401


def test_authlib_introspects_its_token(stage: Stage) -> None:
    server = discover(stage)
    client = AuthlibSession(stage.client_id, stage.client_secret, redirect_uri=REDIRECT_URI)
    url, _ = client.create_authorization_url(server["authorization_endpoint"])
    token = client.fetch_token(server["token_endpoint"], authorization_response=redirected(stage, url))
    introspected = client.introspect_token(server["introspection_endpoint"], token["access_token"]).json()
    assert introspected["active"] is True
    assert introspected["client_id"] == stage.client_id
    client.revoke_token(server["revocation_endpoint"], token["access_token"])
    ended = client.introspect_token(server["introspection_endpoint"], token["access_token"]).json()
    assert ended == {"active": False}


def test_requests_oauthlib_signs_in_with_pkce_and_refreshes_by_itself(stage: Stage) -> None:
    server = discover(stage)
    saved: list[dict[str, str]] = []
    client = RequestsSession(
        stage.client_id,
        redirect_uri=REDIRECT_URI,
        scope=["read", "write"],
        pkce="S256",
        auto_refresh_url=server["token_endpoint"],
        auto_refresh_kwargs={"client_id": stage.client_id, "client_secret": stage.client_secret},
        token_updater=saved.append,
    )
    url, _ = client.authorization_url(server["authorization_endpoint"])
    first = client.fetch_token(
        server["token_endpoint"],
        authorization_response=redirected(stage, url),
        client_secret=stage.client_secret,
        include_client_id=True,
    )
    assert client.get(f"{stage.base_url}/api/v1/users/me/").json()["email"] == "ana@example.com"
    client.token = {**first, "expires_at": 1}  # as if its time had come
    assert client.get(f"{stage.base_url}/api/v1/users/me/").ok
    [second] = saved
    assert second["refresh_token"] != first["refresh_token"]


async def test_the_mcp_sdk_finds_its_way_from_the_apis_challenge(stage: Stage) -> None:
    """RFC 9728 from the 401, RFC 8414, consent with PKCE and `resource`, then a refresh. The client is configured
    with the API's address and the app's registration only."""
    called: dict[str, str] = {}
    kept = Kept()
    kept.registered = OAuthClientInformationFull(
        client_id=stage.client_id,
        client_secret=stage.client_secret,
        redirect_uris=[REDIRECT_URI],
        token_endpoint_auth_method="client_secret_basic",
        issuer=stage.base_url,
    )

    async def sign_in(url: str) -> None:
        called.update(await asyncio.to_thread(stage.ana.consent, url, "acme"))

    async def read_callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(called)

    auth = OAuthClientProvider(
        f"{stage.base_url}/api/v1",
        OAuthClientMetadata(client_name="Courier", redirect_uris=[REDIRECT_URI]),
        kept,
        redirect_handler=sign_in,
        callback_handler=read_callback,
    )
    async with httpx2.AsyncClient(auth=auth) as client:
        me = await client.get(f"{stage.base_url}/api/v1/users/me/")
        assert me.json()["email"] == "ana@example.com"
        assert called["iss"] == stage.base_url
        called.clear()
        auth.context.token_expiry_time = 1
        assert (await client.get(f"{stage.base_url}/api/v1/users/me/")).status_code == 200
    assert len(kept.issued) == 2
    assert not called  # nobody was asked again
