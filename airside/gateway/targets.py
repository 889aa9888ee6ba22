"""Which requests are the Community Edition's: those below /api/v1/ with the caller's own key, in one spelling."""

import re

from airside.http.request import ORIGIN_FORM, Scope

PREFIX = b"/api/v1/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Segments of unreserved characters and sub-delimiters (RFC 3986 §3.3) without `;`, which begins parameters to some
# servers. An encoded character has two spellings, of which a proxy and the instance may each mean another.
_SEGMENT = rb"(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+"
_PATH = re.compile(rb"/api/v1/(?:%s/)*(?:%s)?" % (_SEGMENT, _SEGMENT))
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")


def has_own_key(scope: Scope) -> bool:
    """A request for the Community Edition; one with two keys is too, and refused."""
    return raw_path(scope).startswith(PREFIX) and any(key_values(scope))


def key_values(scope: Scope) -> list[bytes]:
    return [value.strip() for name, value in scope["headers"] if name == b"x-api-key"]


def raw_path(scope: Scope) -> bytes:
    return (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]


def is_normal(scope: Scope) -> bool:
    """A path without encodings, dot segments and empty segments, and a query of visible characters; no URL."""
    is_path = scope.get(ORIGIN_FORM, True)
    return is_path and bool(_PATH.fullmatch(raw_path(scope)) and _QUERY.fullmatch(scope["query_string"]))
