"""POST /auth/o/device/: a device without a browser requests authorization (RFC 8628 §3.1)."""

from typing import Any

from airside.apps.scopes import Grant, ceiling_of
from airside.apps.tables import BUILT_IN, WORKSPACE
from airside.errors import RateLimited
from airside.http.answer import Answer
from airside.http.request import Request
from airside.identity.attempts import FailedAttempts
from airside.oauth.built_in import ensure_built_in
from airside.oauth.clients import Client, authenticate_client
from airside.oauth.device_requests import INTERVAL_SECONDS, LIFETIME, open_device_request, show_code
from airside.oauth.endpoint import answer_oauth
from airside.oauth.errors import InvalidScope, InvalidTarget, TooManyFailures, UnauthorizedClient
from airside.oauth.grant_scopes import ScopeRefused, choose_scopes
from airside.oauth.parameters import Parameters, read_body
from airside.oauth.resources import read_audience
from airside.oauth.token import find_credentials
from airside.runtime.site import Site

VERIFICATION = "/device/"


class DeviceEndpoint:
    """Only POST; the client authenticates as at the token endpoint."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._started = FailedAttempts("device", allowed=30, minutes=1)  # each is a row in the database

    async def answer(self, request: Request) -> Answer:
        """Raises OAuthError."""
        body = await read_body(request)
        await ensure_built_in(self._site, body.get("client_id"))
        credentials = find_credentials(self._site, request, body)
        client = await authenticate_client(self._site, credentials)
        check_device_client(client)
        self._count(client, credentials.source)
        return answer_oauth(await self._start(client, body, credentials.source))

    async def _start(self, client: Client, body: Parameters, source: str) -> dict[str, Any]:
        settings = self._site.settings
        audience = read_audience(settings, body.get("resource")) if client.is_bound_to_resources else None
        if audience is not None and client.registration == BUILT_IN:
            raise InvalidTarget("The command line is signed in to this site alone.")
        device = await open_device_request(
            self._site, client.app_id, choose(body, client), audience, source or "an unknown address"
        )
        uri, code = settings.page_address(VERIFICATION), show_code(device.user_code)
        return {
            "device_code": device.device_code,
            "user_code": code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?user_code={code}",
            "expires_in": int(LIFETIME.total_seconds()),
            "interval": INTERVAL_SECONDS,
        }

    def _count(self, client: Client, source: str) -> None:
        """Rate limit per client, and for a public client per address. Raises TooManyFailures."""
        key = (client.app_id, source if client.is_public else "")
        try:
            self._started.check(*key)
        except RateLimited as error:
            detail = "Too many devices are being signed in from here."
            raise TooManyFailures(error.retry_after, detail) from None
        self._started.count(*key)


def check_device_client(client: Client) -> None:
    """Raises UnauthorizedClient for a self-registered client: against phishing with a user code, where one click
    is enough and no redirect URI shows who receives the token (RFC 8628 §5.4)."""
    if client.registration not in (WORKSPACE, BUILT_IN):
        raise UnauthorizedClient("Only an app that an admin registered may sign in devices.")


def choose(body: Parameters, client: Client) -> Grant:
    try:
        return choose_scopes(body.get("scope"), ceiling_of(client.scopes))
    except ScopeRefused as refusal:
        raise InvalidScope(refusal.sentence) from None
