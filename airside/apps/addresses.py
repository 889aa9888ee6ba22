"""Which addresses an app may register, and how a redirect URI is compared.

Strict where an attacker would gain from leniency: RFC 6749 §3.1.2, RFC 8252 §7 and §8, RFC 9700 §2.1.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from airside.apps.schemes import is_forbidden_scheme
from airside.db.text_rules import is_one_line

URI_LENGTH = 2000  # characters

_PRINTABLE = re.compile(r"[\x21-\x7e]+")  # a URI is ASCII without spaces (RFC 3986 §2)
_LOOPBACK = re.compile(r"http://(127(?:\.\d{1,3}){3}|\[::1\]|localhost)(?::(\d{1,5}))?([/?].*)?", re.ASCII)


def check_redirect_uri(uri: str) -> str | None:
    """Why the redirect URI can't be registered; None when it can."""
    problem = _check_spelling(uri)
    if problem:
        return problem
    parts = urlsplit(uri)
    if is_forbidden_scheme(parts.scheme):
        return f"A redirect URI can't use {parts.scheme}:."
    if is_private_use(uri):
        return None
    if not parts.hostname:
        return "A redirect URI must be absolute."
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return "Use https; http is only for 127.0.0.1, [::1] and localhost."
    return None


def check_url(url: str) -> str | None:
    """Why the URL is not acceptable as a link or webhook; None when it is."""
    problem = _check_spelling(url, fragment=True)
    if problem:
        return problem
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "Enter a URL that starts with https:// or http://."
    return None


def is_same_redirect(registered: str, requested: str) -> bool:
    """Exact comparison, except that a loopback IP literal, or localhost, may listen on any port (RFC 8252 §7.3)."""
    if registered == requested:
        return True
    one, other = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(requested)
    if one is None or other is None or int(other[2] or 80) > 65535:
        return False
    return (one[1], one[3]) == (other[1], other[3])


def is_private_use(uri: str) -> bool:
    """Whether it has a private-use scheme of a native app (RFC 8252 §7.1), which another app may also register."""
    return urlsplit(uri).scheme not in ("http", "https")


def redirect_host(uri: str) -> str:
    """The part of a redirect URI that shows a user where they will be redirected."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _check_spelling(uri: str, *, fragment: bool = False) -> str | None:
    if len(uri) > URI_LENGTH:
        return f"Use at most {URI_LENGTH} characters."
    if not is_one_line(uri) or not _PRINTABLE.fullmatch(uri) or "\\" in uri:
        return "Enter an absolute URI, without spaces; other characters percent-encoded."
    if "*" in uri:
        return "Wildcards are not allowed."
    if "#" in uri and not fragment:
        return "A redirect URI can't have a fragment."
    return _check_structure(uri)


def _check_structure(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "Enter a valid, absolute URI."
    if not parts.scheme:
        return "Enter an absolute URI."
    if "@" in parts.netloc or ".." in parts.path.split("/") or "%" in host:
        return "A URI can't have a user name, or .. in its path."
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
