"""OAuth's own errors, in RFC 6749's words (§4.1.2.1, §5.2). `detail` is for the client's developer.

OAuthError
├── InvalidRequest           missing, repeated, malformed or contradictory parameters
│   └── BodyTooLarge         413
├── InvalidClient            401; the same for an unknown client and a wrong secret
├── InvalidGrant             the code, refresh token or installation can't be used by this client
├── InvalidScope
├── InvalidTarget            the requested resource is invalid or unknown (RFC 8707 §2)
├── UnauthorizedClient       this kind of client may not use the grant
├── UnsupportedGrantType
├── UnsupportedResponseType
├── AccessDenied             the user, or a policy, denied the request
├── AuthorizationPending     the user hasn't decided yet (RFC 8628 §3.5)
├── SlowDown                 … and the device polls too often
├── ExpiredToken             … and the device code has expired
├── InvalidRedirectUri       a registration is rejected (RFC 7591 §3.2.2)
├── InvalidClientMetadata    likewise
├── TooManyFailures          429
│   └── TooManyTokens        429, for valid requests over the token rate limit
└── OwnFailure               5xx; a server error
"""

import re
from collections.abc import Mapping

_UNPRINTABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")  # characters not allowed in error_description


class OAuthError(Exception):
    """`code` is the `error` parameter, `status` the HTTP status."""

    code = "server_error"
    status = 400

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = _UNPRINTABLE.sub("?", detail)

    @property
    def body(self) -> dict[str, str]:
        return {"error": self.code, "error_description": self.detail}

    @property
    def headers(self) -> dict[str, str]:
        return {}


class InvalidRequest(OAuthError):
    code = "invalid_request"


class BodyTooLarge(InvalidRequest):
    status = 413


class InvalidClient(OAuthError):
    """`by_basic`: the client used HTTP Basic, so the challenge names that scheme (RFC 6749 §5.2)."""

    code = "invalid_client"
    status = 401

    def __init__(
        self, detail: str = "The client is unknown or its secret is wrong.", *, by_basic: bool = False
    ) -> None:
        super().__init__(detail)
        self.by_basic = by_basic

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Basic realm="airside", charset="UTF-8"'} if self.by_basic else {}


class InvalidGrant(OAuthError):
    code = "invalid_grant"


class InvalidScope(OAuthError):
    code = "invalid_scope"


class InvalidTarget(OAuthError):
    code = "invalid_target"


class UnauthorizedClient(OAuthError):
    code = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    code = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    code = "unsupported_response_type"


class AccessDenied(OAuthError):
    code = "access_denied"


class AuthorizationPending(OAuthError):
    code = "authorization_pending"


class SlowDown(OAuthError):
    code = "slow_down"


class ExpiredToken(OAuthError):
    code = "expired_token"


class InvalidRedirectUri(OAuthError):
    code = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    code = "invalid_client_metadata"


class TooManyFailures(OAuthError):
    """RFC 6749 has no error code for rate limits; the reply carries Retry-After."""

    code = "temporarily_unavailable"
    status = 429

    def __init__(
        self, retry_after_seconds: int, detail: str = "Too many failed attempts. Wait and try again."
    ) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds

    @property
    def body(self) -> dict[str, str]:
        return super().body | {"detail": f"Retry after {self.retry_after_seconds} seconds"}

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class TooManyTokens(TooManyFailures):
    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            retry_after_seconds, "The client asks for too many tokens. Use each until it expires."
        )


class OwnFailure(OAuthError):
    """A server error, with the codes of RFC 6749 §4.1.2.1."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.code = "temporarily_unavailable" if status == 503 else "server_error"
        self._headers = dict(headers)

    @property
    def headers(self) -> dict[str, str]:
        return self._headers
