"""Clients whose id is the URL of a document that describes them (draft-ietf-oauth-client-id-metadata-document).

The document is fetched through the outbound guard against SSRF: https only, no redirects, five seconds, five
kilobytes. Off unless the operator turns it on.
"""

import asyncio
import re
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airside.apps.registry import find_app
from airside.apps.tables import DOCUMENT, PUBLIC, apps
from airside.apps.unowned import count_unowned, insert_unowned, new_unowned_app
from airside.db.base import Row
from airside.db.database import UniqueViolation
from airside.errors import AirsideError, Invalid, RateLimited, Refused
from airside.identity.attempts import FailedAttempts
from airside.installations.rename import rename_bots
from airside.oauth.client_metadata import read_metadata
from airside.oauth.clients import CLIENT_ID_LENGTH
from airside.oauth.errors import OAuthError
from airside.oauth.metadata import PUBLIC_METHOD
from airside.oauth.register import parse_document
from airside.runtime.site import Site

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

TOTAL_SECONDS = 5.0
MIN_AGE, DEFAULT_AGE, MAX_AGE = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
)  # of a cached document
UNREADABLE = "The document that describes the app can't be read."  # no reason given, against network probing

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)", re.IGNORECASE)
_fetches = FailedAttempts("client_document", allowed=30, minutes=1)  # per host, so that none is flooded


class DocumentRefused(AirsideError):
    """The client id is a URL whose metadata document can't be used."""

    status = 400


async def find_client(site: Site, client_id: str) -> Row | None:
    """The app with this client id; fetches its document again if the cached one expired. Raises DocumentRefused."""
    if not client_id.startswith("https://"):
        return await find_app(site.db, client_id)
    if not site.settings.client_id_metadata_documents or not is_document_url(client_id):
        return None
    if not is_allowed_host(site, client_id):
        return None
    known = await find_app(site.db, client_id)
    if known is not None and known["document_expires_at"] > site.clock.now():
        return known
    return await _refresh_document(site, client_id, known)


def is_document_url(client_id: str) -> bool:
    """https, with a path, without query, fragment, user name, or dot segments."""
    try:
        parts = urlsplit(client_id)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = not (
        parts.query or parts.fragment or "@" in parts.netloc or "?" in client_id or "#" in client_id
    )
    segments = parts.path.split("/")
    return (
        has_place
        and is_plain
        and len(client_id) <= CLIENT_ID_LENGTH
        and client_id.isascii()
        and client_id.isprintable()
        and parts.path not in ("", "/")
        and not {".", "..", "%2e", "%2e%2e"}.intersection(segment.lower() for segment in segments)
    )


def is_allowed_host(site: Site, client_id: str) -> bool:
    host = urlsplit(client_id).hostname or ""
    return any(fnmatchcase(host, pattern.lower()) for pattern in site.settings.client_id_metadata_hosts)


async def _refresh_document(site: Site, client_id: str, known: Row | None) -> Row:
    document, lifetime = await fetch_document(site, client_id)
    fields = read_document(site, client_id, document)
    now = site.clock.now()
    times = {"document_expires_at": now + lifetime, "updated_at": now}
    if known is not None:
        async with site.db.transaction() as tx:
            await tx.update(apps, fields | times, id=known["id"])
            if fields["name"] != known["name"]:
                await rename_bots(tx, known | fields, now)
                await site.app_accounts.app_changed(tx, known["id"], now)
        return known | fields | times
    app = new_unowned_app(site, DOCUMENT, client_id, fields) | times
    try:
        async with site.db.transaction() as tx:
            if await count_unowned(tx) >= site.settings.registration_max_clients:
                raise DocumentRefused("This site takes no more apps that nobody has registered.")
            await insert_unowned(tx, app)
    except UniqueViolation:  # a concurrent request inserted it
        return await find_app(site.db, client_id) or app
    return app


def read_document(site: Site, client_id: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document as registration fields. Raises DocumentRefused."""
    if document.get("client_id") != client_id:
        raise DocumentRefused("The document that describes the app names another client_id.")
    if "client_secret" in document or document.get("token_endpoint_auth_method") not in (None, PUBLIC_METHOD):
        raise DocumentRefused("A client with a metadata document can only be a public one.")
    try:
        fields = read_metadata(site.settings, document, own_host=urlsplit(client_id).netloc)
    except OAuthError as error:
        raise DocumentRefused(f"The document that describes the app can't be used. {error.detail}") from None
    except Invalid as error:
        raise DocumentRefused(error.sentence) from None
    return fields | {"client_type": PUBLIC}


async def fetch_document(
    site: Site, url: str, *, resolver: "AbstractResolver | None" = None
) -> tuple[dict[str, Any], timedelta]:
    """The document, and how long it may be cached. Raises DocumentRefused."""
    from airside.oauth.get_document import get_document  # costs 7 MB, and the feature is off by default

    key = (site.db.url, urlsplit(url).netloc)
    try:
        _fetches.check(*key)
        _fetches.count(*key)
        async with asyncio.timeout(TOTAL_SECONDS):
            raw, cache_control = await get_document(site.settings, url, resolver)
        return parse_document(raw), _lifetime(cache_control)
    except (OSError, Refused, RateLimited, ValueError, OAuthError):
        raise DocumentRefused(UNREADABLE) from None


def _lifetime(cache_control: str) -> timedelta:
    """`max-age`, clamped to MIN_AGE and MAX_AGE."""
    if re.search(r"no-store|no-cache", cache_control, re.IGNORECASE):
        return MIN_AGE
    found = _MAX_AGE.search(cache_control)
    return DEFAULT_AGE if found is None else min(max(timedelta(seconds=int(found[1])), MIN_AGE), MAX_AGE)
