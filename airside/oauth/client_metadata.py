"""What a client says of itself (RFC 7591 §2) as an app's registration, within what the operator allows.

The redirect policy is applied here, so that what isn't allowed is never registered in the first place.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from airside.apps.addresses import check_redirect_uri, is_private_use
from airside.apps.fields import MAX_REDIRECT_URIS, NAME_LENGTH, check_fields
from airside.errors import Invalid
from airside.oauth.errors import InvalidClientMetadata, InvalidRedirectUri
from airside.oauth.scopes import READ, UNPRIVILEGED, WRITE
from airside.settings import Settings

GRANTS = ("authorization_code", "refresh_token")  # never client_credentials: nobody answers for such a client
REFUSED_GRANTS = frozenset({"client_credentials", "implicit", "password"})

# Its name of a text → the registration's.
TEXTS = {
    "client_name": "name",
    "client_uri": "website",
    "policy_uri": "privacy_policy_url",
    "tos_uri": "terms_of_service_url",
}


def read_metadata(settings: Settings, metadata: Mapping[str, Any], *, own_host: str = "") -> dict[str, Any]:
    """The fields of `apps.fields`, checked. A client with a document (`own_host`) may redirect to its own host.

    What can't be had is left out: redirect URIs that aren't allowed, and scopes that don't exist here.
    Raises InvalidRedirectUri where no URI is left, and InvalidClientMetadata."""
    check_grants(metadata)
    redirect_uris = read_redirect_uris(settings, metadata.get("redirect_uris"), own_host)
    fields: dict[str, Any] = {
        ours: metadata[theirs] for theirs, ours in TEXTS.items() if metadata.get(theirs) is not None
    }
    fields |= {
        "name": read_name(fields.get("name")) or own_host or "Unnamed app",
        "redirect_uris": redirect_uris,
        "scopes": read_scopes(metadata.get("scope")),
    }
    try:
        return check_fields(fields, whole=True)
    except Invalid as error:
        raise InvalidClientMetadata(error.sentence) from None


def read_name(value: Any) -> Any:
    """One that is longer than can be shown is cut; what isn't a text is for the fields' own check to refuse."""
    if not isinstance(value, str):
        return value
    name = value.strip()
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"


def check_grants(metadata: Mapping[str, Any]) -> None:
    grants = read_list(metadata, "grant_types", ["authorization_code"])
    if "authorization_code" not in grants or REFUSED_GRANTS.intersection(grants):
        raise InvalidClientMetadata(f"The grant types for such a client are {' and '.join(GRANTS)}.")
    if "code" not in read_list(metadata, "response_types", ["code"]):
        raise InvalidClientMetadata("The response type is code.")


def read_redirect_uris(settings: Settings, value: Any, own_host: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(uri, str) for uri in value):
        raise InvalidRedirectUri("redirect_uris must be a list of URIs.")
    if len(value) > MAX_REDIRECT_URIS:
        raise InvalidRedirectUri(f"Name at most {MAX_REDIRECT_URIS} redirect URIs.")
    problems = {uri: find_problem(settings, uri, own_host) for uri in dict.fromkeys(value)}
    kept = [uri for uri, problem in problems.items() if problem is None]
    if not kept:
        raise InvalidRedirectUri(
            "; ".join(f"{uri[:200]}: {problem}" for uri, problem in problems.items())[:1000]
        )
    return kept


def find_problem(settings: Settings, uri: str, own_host: str) -> str | None:
    """Why nobody can be redirected there; None when a client may."""
    problem = check_redirect_uri(uri)
    if problem is None and not is_allowed(settings.registration_redirect_hosts, uri, own_host):
        return "This site's operator allows no redirects there."
    return problem


def is_allowed(patterns: list[str], uri: str, own_host: str) -> bool:
    """Whether the operator lets clients redirect there: by host, or by scheme (with its colon) for an app's own."""
    parts = urlsplit(uri)
    schemes = [pattern.lower() for pattern in patterns if pattern.endswith(":")]
    if is_private_use(uri):
        return any(fnmatchcase(f"{parts.scheme}:", pattern) for pattern in schemes)
    host = parts.hostname or ""
    return parts.netloc == own_host or any(fnmatchcase(host, pattern.lower()) for pattern in patterns)


def read_scopes(value: Any) -> list[str]:
    """The most that it may be granted: what it names of what no admin has to answer for. A client that names
    nothing of it (the words of another server) can still ask for all of that; each grant is asked of a person."""
    if value is None:
        return list(UNPRIVILEGED)
    if not isinstance(value, str):
        raise InvalidClientMetadata("scope must be a string.")
    chosen: dict[str, None] = {}
    for word in value.split():
        if word in (READ, WRITE):
            chosen |= dict.fromkeys(name for name in UNPRIVILEGED if name.endswith(f":{word}"))
        elif word in UNPRIVILEGED:
            chosen[word] = None
    return list(chosen) or list(UNPRIVILEGED)


def read_list(metadata: Mapping[str, Any], name: str, default: list[str]) -> list[str]:
    value = metadata.get(name)
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise InvalidClientMetadata(f"{name} must be a list of strings.")
    return default if value is None else value
