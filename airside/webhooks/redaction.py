"""Removes secrets from the requests and responses that the delivery log keeps."""

from collections.abc import Iterable, Sequence

from airside.webhooks.signing import spell_whsec

REDACTED = "[redacted]"
_SECRET_HEADERS = frozenset(
    {"set-cookie", "cookie", "authorization", "proxy-authorization", "x-api-key", "x-auth-token"}
)


def redact(text: str, secrets: Sequence[str]) -> str:
    """The text without these secrets: a receiver in debug mode may respond with its own configuration."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
        if "whsec_" in text:
            text = text.replace(spell_whsec(secret), REDACTED)
    return text


def redact_headers(headers: Iterable[tuple[str, str]], secrets: Sequence[str]) -> list[list[str]]:
    """The headers without these secrets; of headers with the receiver's own credentials only the name is kept."""
    return [
        [name, REDACTED if name.lower() in _SECRET_HEADERS else redact(value, secrets)]
        for name, value in headers
    ]
