"""GET /auth/o/authorize-app/: the checks that a request for consent goes through, in their order.

Until client and redirect URI are known to be good, nothing may be sent anywhere: such errors are shown to the
person. Later ones are redirected to the app with `state` and `iss` (RFC 6749 §4.1.2.1, RFC 9207).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from airside.apps.addresses import URI_LENGTH, is_private_use, is_same_redirect
from airside.apps.schemes import is_forbidden_scheme
from airside.apps.tables import BUILT_IN, PUBLIC, SELF_REGISTERED
from airside.db.base import Row, new_id
from airside.errors import AirsideError
from airside.oauth.client_documents import DocumentRefused, find_client
from airside.oauth.errors import InvalidRequest, InvalidScope, OAuthError, UnsupportedResponseType
from airside.oauth.parameters import REPEATABLE, check_text, parse_form, repeated_names
from airside.oauth.pkce import check_challenge
from airside.oauth.resources import is_bound_to_resources, read_audience
from airside.oauth.scopes import Grant, ScopeRefused, ceiling_of, choose_scopes, narrow_scopes
from airside.oauth.tables import consent_requests
from airside.runtime.site import Site

ANSWER_WITHIN = timedelta(minutes=30)  # time to sign in, choose and decide
STATE_LENGTH = 4096  # characters
QUERY_LENGTH = 16_384  # characters


class DisplayedRefusal(AirsideError):
    """A request that can't be answered to anybody but the person who is looking. `facts` help its author."""

    status = 400

    def __init__(self, sentence: str, facts: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(sentence)
        self.facts = facts or {}


class RedirectedRefusal(Exception):
    """Send the person to `location`, where the app is told what was wrong."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass
class Asked:
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
    """Check the request and hold it here, where no form field can change it; its id, for the consent page.

    Raises DisplayedRefusal and RedirectedRefusal."""
    asked = Asked(site, _read_query(query_string))
    check_redirect_parameters(asked)
    await check_client(asked)
    check_redirect_uri(asked)
    try:
        for check in LATER_CHECKS:
            check(asked)
    except OAuthError as error:
        raise RedirectedRefusal(refusal_url(site, asked.redirect_uri, error, asked.state)) from None
    return await _hold(asked)


def check_redirect_parameters(asked: Asked) -> None:
    repeated = repeated_names(asked.pairs) & {"client_id", "redirect_uri"}
    if repeated:
        raise DisplayedRefusal(f"The link that brought you here repeats {min(repeated)}.")
    asked.parameters = {
        name: value for name, value in reversed(asked.pairs) if value
    }  # the first where repeated


async def check_client(asked: Asked) -> None:
    if "client_id" not in asked.parameters:
        raise DisplayedRefusal("The link that brought you here doesn't name an app (client_id is missing).")
    try:
        app = await find_client(asked.site, asked.parameters["client_id"])
    except DocumentRefused as refusal:
        raise DisplayedRefusal(refusal.sentence) from None
    if (
        app is None or app["registration"] == BUILT_IN
    ):  # the command line is signed in by a code, never by a link
        raise DisplayedRefusal("The app that sent you here is not registered on this site.")
    asked.app = app


def check_redirect_uri(asked: Asked) -> None:
    registered: list[str] = asked.app["redirect_uris"]
    requested = asked.parameters.get("redirect_uri")
    if requested is None and len(registered) == 1:
        requested = registered[0]
    if requested is None:
        raise DisplayedRefusal("The app has several redirect URIs and didn't say which to use.")
    if not any(is_same_redirect(uri, requested) for uri in registered):
        raise DisplayedRefusal(
            "The app asked to send you to an address that it isn't registered for.",
            {"Received": [requested[:URI_LENGTH]], "Registered": registered},
        )
    if is_forbidden_scheme(urlsplit(requested).scheme):  # registered before it was forbidden
        raise DisplayedRefusal("The app asked to send you to an address that no app can be at.")
    asked.redirect_uri = requested


def check_repetition(asked: Asked) -> None:
    repeated = repeated_names(asked.pairs) - REPEATABLE
    if "state" in repeated:
        del asked.parameters["state"]  # neither of them can be echoed
    if repeated:
        raise InvalidRequest(f"The parameter {min(repeated)[:80]} is repeated.")


def check_state(asked: Asked) -> None:
    if asked.state is not None and len(asked.state) > STATE_LENGTH:
        del asked.parameters["state"]
        raise InvalidRequest(f"state is longer than {STATE_LENGTH} characters.")


def check_response_type(asked: Asked) -> None:
    response_type = asked.parameters.get("response_type")
    if response_type is None:
        raise InvalidRequest("The parameter response_type is missing.")
    if response_type != "code":
        raise UnsupportedResponseType("The response_type must be code.")


def check_scope(asked: Asked) -> None:
    choose = narrow_scopes if asked.app["registration"] in SELF_REGISTERED else choose_scopes
    try:
        asked.scopes = choose(asked.parameters.get("scope"), ceiling_of(asked.app["scopes"]))
    except ScopeRefused as refusal:
        raise InvalidScope(refusal.sentence) from None


def check_resource(asked: Asked) -> None:
    if is_bound_to_resources(asked.app):
        asked.audience = read_audience(asked.site.settings, asked.parameters.get("resource"))


def check_pkce(asked: Asked) -> None:
    parameters = asked.parameters
    if "code_challenge" not in parameters:
        if asked.app["client_type"] == PUBLIC:
            raise InvalidRequest("A public client must use PKCE: code_challenge is missing.")
        if is_private_use(
            asked.redirect_uri
        ):  # which another app on the machine may have taken (RFC 8252 §8.1)
            raise InvalidRequest("An app with a scheme of its own must use PKCE: code_challenge is missing.")
    asked.code_challenge = check_challenge(
        parameters.get("code_challenge"), parameters.get("code_challenge_method")
    )


LATER_CHECKS = (check_repetition, check_state, check_response_type, check_scope, check_resource, check_pkce)


def refusal_url(site: Site, redirect_uri: str, error: OAuthError, state: str | None) -> str:
    """Where the app is told of an error."""
    return answer_url(site, redirect_uri, error.body, state)


def answer_url(site: Site, redirect_uri: str, answer: dict[str, str], state: str | None) -> str:
    """The redirect URI with the answer, `state` as it came and `iss` (RFC 9207)."""
    parts = answer | ({} if state is None else {"state": state}) | {"iss": site.settings.origin}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(parts)}"


def install_url(site: Site, app: Row) -> str:
    """Where "Install App" leads: to the app's setup URL when it has one, else straight to consent."""
    if app["setup_url"]:
        return app["setup_url"]
    asked = {
        "client_id": app["client_id"],
        "response_type": "code",
        "redirect_uri": app["redirect_uris"][0],
    }
    return f"{site.settings.origin}/auth/o/authorize-app/?{urlencode(asked)}"


def _read_query(query_string: str) -> list[tuple[str, Any]]:
    if len(query_string) > QUERY_LENGTH:
        raise DisplayedRefusal("The link that brought you here is too long.")
    try:
        return [(name, check_text(name, value)) for name, value in parse_form(query_string)]
    except InvalidRequest:
        raise DisplayedRefusal("The link that brought you here can't be read.") from None


async def _hold(asked: Asked) -> str:
    now, request_id = asked.site.clock.now(), new_id()
    row = {
        "id": request_id,
        "app_id": asked.app["id"],
        "redirect_uri": asked.redirect_uri,
        "redirect_uri_given": "redirect_uri" in asked.parameters,
        "scopes": asked.scopes,
        "state": asked.state,
        "code_challenge": asked.code_challenge,
        "audience": asked.audience,
        "device_request_id": None,
        "session_hash": None,
        "workspace_id": None,
        "created_at": now,
        "expires_at": now + ANSWER_WITHIN,
    }
    async with asked.site.db.transaction() as tx:
        await tx.insert(consent_requests, row)
    return request_id
