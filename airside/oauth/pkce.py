"""Proof Key for Code Exchange, S256 only (RFC 7636, RFC 9700 §2.1.1)."""

import base64
import hashlib
import hmac
import re

from airside.oauth.errors import InvalidGrant, InvalidRequest

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def check_challenge(challenge: str | None, method: str | None) -> str | None:
    """The challenge of an authorization request; None when it uses no PKCE. Raises InvalidRequest."""
    if challenge is None:
        if method is not None:
            raise InvalidRequest("code_challenge_method came without a code_challenge.")
        return None
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be the base64url of a SHA-256, without padding.")
    return challenge


def check_verifier(challenge: str | None, verifier: str | None, *, required: bool = False) -> None:
    """Raises InvalidGrant, also for a downgrade in either direction (RFC 9700 §4.8.2)."""
    if challenge is None and verifier is None and not required:
        return
    if challenge is None or verifier is None:
        raise InvalidGrant("code_challenge and code_verifier must be used together.")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(_challenge_of(verifier), challenge):
        raise InvalidGrant("code_verifier doesn't fit the code_challenge.")


def _challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
