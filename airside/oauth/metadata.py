"""Discovery metadata of the authorization server (RFC 8414) and of the API it protects (RFC 9728).

A test exercises every advertised feature.
"""

from typing import Any

from airside.apps.scopes import READ, SCOPES, UMBRELLAS, UNPRIVILEGED, WRITE
from airside.http.answer import Answer, encode_json
from airside.http.request import Request
from airside.oauth.grant_types import GRANT_TYPES
from airside.oauth.resources import API
from airside.settings import Settings

SERVER, RESOURCE = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"
MAX_AGE = 300  # seconds; the operator may switch a feature on or off

CONFIDENTIAL_METHODS = ["client_secret_basic", "client_secret_post"]
PUBLIC_METHOD = "none"


def describe_server(settings: Settings) -> dict[str, Any]:
    """RFC 8414 §2. `issuer` is exactly the `iss` of redirects (RFC 9207 §2.4)."""
    origin = settings.origin
    any_method = [*CONFIDENTIAL_METHODS, PUBLIC_METHOD]
    document: dict[str, Any] = {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/auth/o/authorize-app/",
        "token_endpoint": f"{origin}/auth/o/token/",
        "revocation_endpoint": f"{origin}/auth/o/revoke-token/",
        "introspection_endpoint": f"{origin}/auth/o/introspect/",
        "device_authorization_endpoint": f"{origin}/auth/o/device/",
        "scopes_supported": [READ, WRITE, *UNPRIVILEGED],  # those that a self-registered client can get
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": any_method,
        "revocation_endpoint_auth_methods_supported": any_method,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL_METHODS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [f"{origin}{API}"],
    }
    if settings.dynamic_client_registration:
        document["registration_endpoint"] = f"{origin}/auth/o/register/"
    if settings.client_id_metadata_documents:
        document["client_id_metadata_document_supported"] = True
    return document


def describe_flows(origin: str) -> dict[str, Any]:
    """The grants with which an app gets a token, as OpenAPI words them. It has no word for device codes."""
    scopes = {scope.name: scope.sentence for scope in (*UMBRELLAS, *SCOPES)}
    token = {"tokenUrl": f"{origin}/auth/o/token/", "refreshUrl": f"{origin}/auth/o/token/", "scopes": scopes}
    return {
        "authorizationCode": {"authorizationUrl": f"{origin}/auth/o/authorize-app/", **token},
        "clientCredentials": {name: value for name, value in token.items() if name != "refreshUrl"},
    }


def describe_resource(settings: Settings, path: str) -> dict[str, Any]:
    """RFC 9728 §2, of the API, or with an empty path of the whole origin.

    It advertises only the umbrella scopes: they expand to what the client is registered for, so no client requests
    more than it can get."""
    return {
        "resource": f"{settings.origin}{path}",
        "resource_name": "Airside",
        "authorization_servers": [settings.origin],
        "scopes_supported": [READ, WRITE],
        "bearer_methods_supported": ["header"],
    }


def resource_metadata_url(settings: Settings, path: str) -> str:
    """The `resource_metadata` of an API's WWW-Authenticate challenge (RFC 9728 §5.1)."""
    return f"{settings.origin}{RESOURCE}{path}"


class Document:
    """GET of a document that is the same for everybody."""

    def __init__(self, document: dict[str, Any]) -> None:
        headers = {"Cache-Control": f"public, max-age={MAX_AGE}"}
        self._answer = Answer(body=encode_json(document), headers=headers)

    async def answer(self, request: Request) -> Answer:
        return self._answer
