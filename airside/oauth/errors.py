"""OAuth's own errors, in RFC 6749's words (§4.1.2.1, §5.2). `detail` is for the client's developer.

OAuthError
├── InvalidRequest           missing, repeated, malformed or contradictory parameters
│   └── BodyTooLarge         413
├── InvalidClient            401; unknown client and wrong secret are not told apart
├── InvalidGrant             the code, refresh token or installation can't be used by this client
├── InvalidScope
├── InvalidTarget            the resource that the token is to be for (RFC 8707 §2)
├── UnauthorizedClient       a grant that this kind of client can't use
├── UnsupportedGrantType
├── UnsupportedResponseType
├── AccessDenied             the person, or a rule about them, says no
├── AuthorizationPending     the person hasn't answered yet (RFC 8628 §3.5)
├── SlowDown                 … and the device asks too often
├── ExpiredToken             … and the device code has expired
├── InvalidRedirectUri       a registration that can't be accepted (RFC 7591 §3.2.2)
├── InvalidClientMetadata    likewise
├── TooManyFailures          429
│   └── TooManyTokens        likewise, of a client that did nothing wrong but ask too often
└── OwnFailure               5xx; not the client's fault
"""

import re
from collections.abc import Mapping

_UNPRINTABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")  # all that error_description may not hold


class OAuthError(Exception):
    """`code` and `status` are the wire's."""

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
    """`by_basic`: RFC 6749 §5.2 has the challenge name the scheme that the client used."""

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
    """The RFC has no word for it; a client is told to come back later."""

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
    """What went wrong here, in the words that §4.1.2.1 has for it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.code = "temporarily_unavailable" if status == 503 else "server_error"
        self._headers = dict(headers)

    @property
    def headers(self) -> dict[str, str]:
        return self._headers
