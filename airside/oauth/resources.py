"""The resource a token is for (RFC 8707): this site's API, or another server that trusts this one.

Public and self-registered clients (dynamic registration, metadata document) get tokens for one resource only, so
that a token sent to one server is useless at another. For a confidential app that an admin registered, tokens are
for the API and `resource` is ignored.
"""

from urllib.parse import urlsplit

from airside.apps.tables import PUBLIC, WORKSPACE
from airside.db.base import Row
from airside.db.text_rules import is_one_line
from airside.oauth.errors import InvalidTarget
from airside.settings import Settings

API, API_V2 = "/api/v1", "/api/v2"  # which are one resource: a token is good for both
RESOURCE_LENGTH = 500  # characters


def is_bound_to_resources(app: Row) -> bool:
    return app["client_type"] == PUBLIC or app["registration"] != WORKSPACE


def read_audience(settings: Settings, resource: str | None) -> str | None:
    """The audience of a token for `resource`; None is this site's API. Raises InvalidTarget."""
    if resource is None:
        return None
    try:
        parts = urlsplit(resource)
        is_usable = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable or "#" in resource or len(resource) > RESOURCE_LENGTH or not is_one_line(resource):
        raise InvalidTarget("resource must be an absolute http(s) URL without a fragment.")
    plain = resource.rstrip("/")
    own = tuple(f"{settings.origin}{path}/" for path in (API, API_V2))
    return None if plain == settings.origin or f"{plain}/".startswith(own) else plain


def show_audience(settings: Settings, audience: str | None) -> str:
    """The audience as a URL: the `aud` of introspection, and what a client sends as `resource`."""
    return f"{settings.origin}{API}" if audience is None else audience


def check_same_audience(settings: Settings, audience: str | None, resource: str | None) -> None:
    """At the token endpoint a client may repeat the resource, not change it. Raises InvalidTarget."""
    if resource is not None and read_audience(settings, resource) != audience:
        raise InvalidTarget("The token is for another resource.")
