"""POST /auth/o/register/: dynamic client registration (RFC 7591), off unless the operator allows it."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, cast

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from airside.apps.secrets import insert_secret
from airside.apps.tables import CONFIDENTIAL, DYNAMIC, PUBLIC
from airside.apps.unowned import count_unowned, insert_unowned, new_unowned_app
from airside.audit.sources import client_address, guesser
from airside.db.base import Row
from airside.errors import Invalid, TooLarge
from airside.http.answer import Answer
from airside.http.request import Request
from airside.oauth.client_metadata import read_list, read_metadata
from airside.oauth.endpoint import answer_oauth
from airside.oauth.errors import BodyTooLarge, InvalidClientMetadata, TooManyFailures
from airside.oauth.grant_types import SELF_REGISTERED_GRANTS
from airside.oauth.metadata import CONFIDENTIAL_METHODS, PUBLIC_METHOD
from airside.runtime.site import Site

BODY_LIMIT = 16 * 1024  # bytes


class RegistrationEndpoint:
    """Mounted only if AIRSIDE_DYNAMIC_CLIENT_REGISTRATION is on."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rate = parse(site.settings.registration_rate_limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def answer(self, request: Request) -> Answer:
        """Raises OAuthError."""
        self._count(guesser(client_address(request, self._site.settings)))
        return answer_oauth(await register_client(self._site, await read_document(request)), 201)

    def _count(self, source: str) -> None:
        """Raises TooManyFailures. Every attempt counts, rejected ones too."""
        if not self._limiter.hit(self._rate, source):
            raise TooManyFailures(self._rate.get_expiry(), "Too many registrations come from here.")


async def register_client(site: Site, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The registration response, with the secret of a confidential client. Raises InvalidClientMetadata and
    InvalidRedirectUri."""
    method = metadata.get("token_endpoint_auth_method") or CONFIDENTIAL_METHODS[0]
    if method not in (*CONFIDENTIAL_METHODS, PUBLIC_METHOD):
        raise InvalidClientMetadata("The token_endpoint_auth_method is not supported.")
    fields = read_metadata(site.settings, metadata)
    fields["client_type"] = PUBLIC if method == PUBLIC_METHOD else CONFIDENTIAL
    try:
        app = new_unowned_app(site, DYNAMIC, str(uuid.uuid4()), fields)
    except Invalid as error:
        raise InvalidClientMetadata(error.sentence) from None
    secret = await _insert(site, app)
    return describe_client(app, method, secret) | {"grant_types": read_grants(metadata)}


async def _insert(site: Site, app: Row) -> str:
    async with site.db.transaction() as tx:
        if await count_unowned(tx) >= site.settings.registration_max_clients:
            raise InvalidClientMetadata("This site takes no more registrations at present.")
        await insert_unowned(tx, app)
        if app["client_type"] == PUBLIC:
            return ""
        return await insert_secret(tx, site, app, None, "Registered by the client itself")


def read_grants(metadata: Mapping[str, Any]) -> list[str]:
    """The requested grant types that a self-registered client may use."""
    requested = read_list(metadata, "grant_types", list(SELF_REGISTERED_GRANTS))
    return [grant for grant in SELF_REGISTERED_GRANTS if grant in requested]


def describe_client(app: Row, method: str, secret: str) -> dict[str, Any]:
    """RFC 7591 §3.2.1; without empty fields."""
    response = {
        "client_id": app["client_id"],
        "client_id_issued_at": int(app["created_at"].timestamp()),
        "client_name": app["name"],
        "redirect_uris": app["redirect_uris"],
        "token_endpoint_auth_method": method,
        "response_types": ["code"],
        "scope": " ".join(app["scopes"]),
        "client_uri": app["website"],
        "policy_uri": app["privacy_policy_url"],
        "tos_uri": app["terms_of_service_url"],
    }
    response = {name: value for name, value in response.items() if value}
    return response | ({"client_secret": secret, "client_secret_expires_at": 0} if secret else {})


async def read_document(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises InvalidClientMetadata, and BodyTooLarge."""
    try:
        return parse_document(await request.read_body(BODY_LIMIT))
    except TooLarge:
        raise BodyTooLarge(f"The body is larger than {BODY_LIMIT} bytes.") from None


def parse_document(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise InvalidClientMetadata("This is not valid JSON.") from None
    if not isinstance(document, dict):
        raise InvalidClientMetadata("This is not a JSON object.")
    return cast(dict[str, Any], document)
