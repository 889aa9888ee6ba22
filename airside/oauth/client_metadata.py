"""Client metadata (RFC 7591 §2) → an app's registration, within what the operator allows.

The operator's redirect policy is applied here, so that a forbidden redirect URI is never registered.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeGuard, cast
from urllib.parse import urlsplit

from airside.apps.addresses import check_redirect_uri, is_private_use
from airside.apps.fields import MAX_REDIRECT_URIS, NAME_LENGTH, check_fields
from airside.apps.scopes import READ, UNPRIVILEGED, WRITE
from airside.errors import Invalid
from airside.oauth.errors import InvalidClientMetadata, InvalidRedirectUri
from airside.oauth.grant_types import REFUSED_GRANTS, SELF_REGISTERED_GRANTS
from airside.settings import Settings

# Client metadata field → registration field.
TEXTS = {
    "client_name": "name",
    "client_uri": "website",
    "policy_uri": "privacy_policy_url",
    "tos_uri": "terms_of_service_url",
}


def read_metadata(settings: Settings, metadata: Mapping[str, Any], *, own_host: str = "") -> dict[str, Any]:
    """The fields of `apps.fields`, checked. A client with a document (`own_host`) may redirect to its own host.

    Forbidden redirect URIs and unknown scopes are dropped. Raises InvalidRedirectUri when no URI is left, and
    InvalidClientMetadata."""
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
    """Truncates a long name. Anything but a string is returned as it is: the field's own check rejects it."""
    if not isinstance(value, str):
        return value
    name = value.strip()
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"


def check_grants(metadata: Mapping[str, Any]) -> None:
    grants = read_list(metadata, "grant_types", ["authorization_code"])
    if "authorization_code" not in grants or REFUSED_GRANTS.intersection(grants):
        raise InvalidClientMetadata(
            f"The grant types for such a client are {' and '.join(SELF_REGISTERED_GRANTS)}."
        )
    if "code" not in read_list(metadata, "response_types", ["code"]):
        raise InvalidClientMetadata("The response type is code.")


def read_redirect_uris(settings: Settings, value: Any, own_host: str) -> list[str]:
    if not _is_texts(value) or not value:
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
    """Why the redirect URI is not allowed; None when it is."""
    problem = check_redirect_uri(uri)
    if problem is None and not is_allowed(settings.registration_redirect_hosts, uri, own_host):
        return "This site's operator allows no redirects there."
    return problem


def is_allowed(patterns: list[str], uri: str, own_host: str) -> bool:
    """Whether the operator's patterns match: by host, or for a private-use scheme by scheme with its colon."""
    parts = urlsplit(uri)
    schemes = [pattern.lower() for pattern in patterns if pattern.endswith(":")]
    if is_private_use(uri):
        return any(fnmatchcase(f"{parts.scheme}:", pattern) for pattern in schemes)
    host = parts.hostname or ""
    return parts.netloc == own_host or any(fnmatchcase(host, pattern.lower()) for pattern in patterns)


def read_scopes(value: Any) -> list[str]:
    """The client's scope ceiling: the unprivileged scopes among those it names. If it names none of them, as with
    another server's scope names, all unprivileged scopes; a user still consents to each grant."""
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
    if value is None:
        return default
    if not _is_texts(value):
        raise InvalidClientMetadata(f"{name} must be a list of strings.")
    return value


def _is_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in cast(list[Any], value))
