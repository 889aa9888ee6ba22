"""GET /auth/o/authorize-app/: validates an authorization request, check by check.

Errors of client_id and redirect_uri are shown to the user and never redirected. Later errors are redirected to
the app with `state` and `iss` (RFC 6749 §4.1.2.1, RFC 9207).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from airside.apps.addresses import URI_LENGTH, is_private_use, is_same_redirect
from airside.apps.schemes import is_forbidden_scheme
from airside.apps.scopes import Grant, ceiling_of
from airside.apps.tables import BUILT_IN, PUBLIC, SELF_REGISTERED
from airside.db.base import Row, new_id
from airside.errors import AirsideError
from airside.oauth.client_documents import DocumentRefused, find_client
from airside.oauth.errors import InvalidRequest, InvalidScope, OAuthError, UnsupportedResponseType
from airside.oauth.grant_scopes import ScopeRefused, choose_scopes, narrow_scopes
from airside.oauth.parameters import REPEATABLE, check_text, parse_form, repeated_names
from airside.oauth.pkce import check_challenge
from airside.oauth.resources import is_bound_to_resources, read_audience
from airside.oauth.tables import consent_requests
from airside.runtime.site import Site

CONSENT_LIFETIME = timedelta(minutes=30)  # for the user to sign in, choose a workspace and decide
STATE_LENGTH = 4096  # characters
QUERY_LENGTH = 16_384  # characters


class DisplayedRefusal(AirsideError):
    """An error shown on a page, not redirected to the app. `facts` help the app's developer."""

    status = 400

    def __init__(self, sentence: str, facts: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(sentence)
        self.facts = facts or {}


class RedirectedRefusal(Exception):
    """An error redirected to the app; `location` is the redirect URI with the error in its query."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass
class AuthorizationRequest:
    """An authorization request while it is being checked."""

    site: Site
    pairs: list[tuple[str, Any]]
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    app: Row = field(default_factory=dict[str, Any])
    redirect_uri: str = ""
    scopes: Grant = field(default_factory=list[str])
    code_challenge: str | None = None
    audience: str | None = None  # None: this site's API

    @property
    def state(self) -> str | None:
        return self.parameters.get("state")


async def open_consent_request(site: Site, query_string: str) -> str:
    """Validate the request and store it, so that no form field can change it; returns its id for the consent page.

    Raises DisplayedRefusal and RedirectedRefusal."""
    request = AuthorizationRequest(site, _read_query(query_string))
    check_redirect_parameters(request)
    await check_client(request)
    check_redirect_uri(request)
    try:
        for check in LATER_CHECKS:
            check(request)
    except OAuthError as error:
        raise RedirectedRefusal(refusal_url(site, request.redirect_uri, error, request.state)) from None
    return await _store_request(request)


def check_redirect_parameters(request: AuthorizationRequest) -> None:
    repeated = repeated_names(request.pairs) & {"client_id", "redirect_uri"}
    if repeated:
        raise DisplayedRefusal(f"The link that brought you here repeats {min(repeated)}.")
    request.parameters = {
        name: value for name, value in reversed(request.pairs) if value
    }  # the first value of a repeated parameter


async def check_client(request: AuthorizationRequest) -> None:
    if "client_id" not in request.parameters:
        raise DisplayedRefusal("The link that brought you here doesn't name an app (client_id is missing).")
    try:
        app = await find_client(request.site, request.parameters["client_id"])
    except DocumentRefused as refusal:
        raise DisplayedRefusal(refusal.sentence) from None
    if (
        app is None or app["registration"] == BUILT_IN
    ):  # the command line signs in with a device code, never with a link
        raise DisplayedRefusal("The app that sent you here is not registered on this site.")
    request.app = app


def check_redirect_uri(request: AuthorizationRequest) -> None:
    registered: list[str] = request.app["redirect_uris"]
    requested = request.parameters.get("redirect_uri")
    if requested is None and len(registered) == 1:
        requested = registered[0]
    if requested is None:
        raise DisplayedRefusal("The app has several redirect URIs and didn't say which to use.")
    if not any(is_same_redirect(uri, requested) for uri in registered):
        raise DisplayedRefusal(
            "The app asked to send you to an address that it isn't registered for.",
            {"Received": [requested[:URI_LENGTH]], "Registered": registered},
        )
    if is_forbidden_scheme(urlsplit(requested).scheme):  # registered before the scheme was forbidden
        raise DisplayedRefusal("The app asked to send you to an address that no app can be at.")
    request.redirect_uri = requested


def check_repetition(request: AuthorizationRequest) -> None:
    repeated = repeated_names(request.pairs) - REPEATABLE
    if "state" in repeated:
        del request.parameters["state"]  # ambiguous, so none is echoed
    if repeated:
        raise InvalidRequest(f"The parameter {min(repeated)[:80]} is repeated.")


def check_state(request: AuthorizationRequest) -> None:
    if request.state is not None and len(request.state) > STATE_LENGTH:
        del request.parameters["state"]
        raise InvalidRequest(f"state is longer than {STATE_LENGTH} characters.")


def check_response_type(request: AuthorizationRequest) -> None:
    response_type = request.parameters.get("response_type")
    if response_type is None:
        raise InvalidRequest("The parameter response_type is missing.")
    if response_type != "code":
        raise UnsupportedResponseType("The response_type must be code.")


def check_scope(request: AuthorizationRequest) -> None:
    choose = narrow_scopes if request.app["registration"] in SELF_REGISTERED else choose_scopes
    try:
        request.scopes = choose(request.parameters.get("scope"), ceiling_of(request.app["scopes"]))
    except ScopeRefused as refusal:
        raise InvalidScope(refusal.sentence) from None


def check_resource(request: AuthorizationRequest) -> None:
    if is_bound_to_resources(request.app):
        request.audience = read_audience(request.site.settings, request.parameters.get("resource"))


def check_pkce(request: AuthorizationRequest) -> None:
    parameters = request.parameters
    if "code_challenge" not in parameters:
        if request.app["client_type"] == PUBLIC:
            raise InvalidRequest("A public client must use PKCE: code_challenge is missing.")
        if is_private_use(
            request.redirect_uri
        ):  # another app on the machine may have registered the scheme (RFC 8252 §8.1)
            raise InvalidRequest("An app with a scheme of its own must use PKCE: code_challenge is missing.")
    request.code_challenge = check_challenge(
        parameters.get("code_challenge"), parameters.get("code_challenge_method")
    )


LATER_CHECKS = (check_repetition, check_state, check_response_type, check_scope, check_resource, check_pkce)


def refusal_url(site: Site, redirect_uri: str, error: OAuthError, state: str | None) -> str:
    """The redirect URI with the error response (RFC 6749 §4.1.2.1)."""
    return answer_url(site, redirect_uri, error.body, state)


def answer_url(site: Site, redirect_uri: str, answer: dict[str, str], state: str | None) -> str:
    """The redirect URI with the response parameters, `state` unchanged and `iss` (RFC 9207)."""
    parts = answer | ({} if state is None else {"state": state}) | {"iss": site.settings.origin}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(parts)}"


def install_url(site: Site, app: Row) -> str:
    """The target of "Install App": the app's setup URL if it has one, else the authorization endpoint."""
    if app["setup_url"]:
        return app["setup_url"]
    query = {
        "client_id": app["client_id"],
        "response_type": "code",
        "redirect_uri": app["redirect_uris"][0],
    }
    return f"{site.settings.origin}/auth/o/authorize-app/?{urlencode(query)}"


def _read_query(query_string: str) -> list[tuple[str, Any]]:
    if len(query_string) > QUERY_LENGTH:
        raise DisplayedRefusal("The link that brought you here is too long.")
    try:
        return [(name, check_text(name, value)) for name, value in parse_form(query_string)]
    except InvalidRequest:
        raise DisplayedRefusal("The link that brought you here can't be read.") from None


async def _store_request(request: AuthorizationRequest) -> str:
    now, request_id = request.site.clock.now(), new_id()
    row = {
        "id": request_id,
        "app_id": request.app["id"],
        "redirect_uri": request.redirect_uri,
        "redirect_uri_given": "redirect_uri" in request.parameters,
        "scopes": request.scopes,
        "state": request.state,
        "code_challenge": request.code_challenge,
        "audience": request.audience,
        "device_request_id": None,
        "session_hash": None,
        "workspace_id": None,
        "created_at": now,
        "expires_at": now + CONSENT_LIFETIME,
    }
    async with request.site.db.transaction() as tx:
        await tx.insert(consent_requests, row)
    return request_id
