"""The error tree, and how each error is shown to a client.

    AirsideError
    ├── Unauthenticated      401  no credentials
    │   └── InvalidToken     401  credentials that are wrong, expired or revoked
    ├── Forbidden            403  an insufficient role; a workspace that the caller isn't a member of
    │   └── InsufficientScope 403 a token without the scope
    ├── NotFound             404  the record, or another tenant's
    │   └── PageNotFound     404  the route, or a malformed id in it
    ├── MethodNotAllowed     405
    ├── NotAcceptable        406
    ├── Conflict             409  taken names, taken external ids
    ├── Blocked              409  something outside of Airside has to be changed first
    ├── Invalid              400  an invalid body, field by field
    ├── Refused              400  a well-formed request that a rule forbids
    │   └── FeatureOff       400  a write of what belongs to a feature that is off
    ├── BadRequest           400  a request that can't be parsed
    ├── TooLarge             413
    ├── QueryTooLong         414
    ├── UnsupportedMediaType 415
    ├── RateLimited          429
    ├── Unavailable          503  the database can't be reached, or can't be written to
    │   └── Busy             503  too many costly requests at once
    └── MaybeDone            500  the database failed, and the write may have been committed

An error carries no wire's body: `rest/wires/` renders it for each wire of the API, from its class, its `code`, its
`sentence` and its data. Pages and the command line show the sentence. OAuth's own errors are in `oauth/errors.py`,
in the RFC's format.
"""

from collections.abc import Mapping
from typing import Any, cast

WHOLE_BODY = ""  # in place of a field: what is wrong with a body as a whole


class AirsideError(Exception):
    """An expected error. `code` names it for programs where its class says too little; "" where it doesn't."""

    status = 500
    code = ""
    sentence = "An unexpected error occurred"

    def __init__(self, sentence: str | None = None) -> None:
        self.sentence = sentence or self.sentence
        super().__init__(self.sentence)

    @property
    def headers(self) -> dict[str, str]:
        return {}


class Unauthenticated(AirsideError):
    """No credentials were sent (RFC 6750 §3.1: then the challenge carries no error code)."""

    status = 401
    sentence = "Authentication credentials were not provided."
    challenge = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": f'Bearer realm="airside"{self.challenge}'}


class InvalidToken(Unauthenticated):
    sentence = "Given API token is not valid"
    challenge = ', error="invalid_token", error_description="The token is wrong, expired or revoked"'


class Forbidden(AirsideError):
    status = 403
    sentence = "You do not have permission to perform this action."


class InsufficientScope(Forbidden):
    """RFC 6750 §3.1: the challenge names the scope that is needed."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token lacks the scope {scope}.")
        self.scope = scope

    @property
    def headers(self) -> dict[str, str]:
        return {
            "WWW-Authenticate": f'Bearer realm="airside", error="insufficient_scope", scope="{self.scope}"'
        }


class NotFound(AirsideError):
    status = 404
    sentence = "The requested resource does not exist."


class PageNotFound(NotFound):
    sentence = "Page not found."


class MethodNotAllowed(AirsideError):
    status = 405

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f'Method "{method}" not allowed.')
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        head = ["HEAD"] if "GET" in self.allowed and "HEAD" not in self.allowed else []  # answered as GET
        return {"Allow": ", ".join([*self.allowed, *head])}


class NotAcceptable(AirsideError):
    status = 406
    sentence = "Could not satisfy the request Accept header."


class Conflict(AirsideError):
    """A unique value is taken, by the record with the id `existing` where it is known; or a state forbids it."""

    status = 409

    def __init__(self, sentence: str, *, existing: str | None = None) -> None:
        super().__init__(sentence)
        self.existing = existing


class Blocked(AirsideError):
    """Something outside of Airside has to be changed first. `title` and `advice` (what to do) are for its page."""

    status = 409
    title = ""
    advice = ""


class Invalid(AirsideError):
    """An invalid body or query: field → its messages, or index → messages for the items of a list.

    `codes` says for programs what is wrong with a field, such as `required`; absent: `invalid`."""

    status = 400

    def __init__(self, fields: Mapping[str, Any], codes: Mapping[str, str] | None = None) -> None:
        self.fields = fields
        self.codes = codes or {}
        super().__init__(" ".join(_sentences(fields)))

    @classmethod
    def whole(cls, message: str) -> "Invalid":
        """An error about the body as a whole."""
        return cls({WHOLE_BODY: [message]})


class Refused(AirsideError):
    """A rule of the domain forbids it, such as deleting a state that is in use."""

    status = 400


class FeatureOff(Refused):
    """A write of records that belong to a feature which is off. `feature` is a flag of …/features/."""

    def __init__(self, feature: str, place: str) -> None:
        words = feature.replace("_", " ").capitalize()
        super().__init__(f"{words} are not enabled for this {place}; turn on {feature} in its features")


class BadRequest(AirsideError):
    """The request can't be parsed: malformed JSON, an invalid cursor."""

    status = 400
    sentence = "JSON parse error"


class TooLarge(AirsideError):
    status = 413
    sentence = "The size of the request body exceeds the maximum allowed size."


class UnsupportedMediaType(AirsideError):
    status = 415
    sentence = "Send the body as application/json."


class QueryTooLong(BadRequest):
    status = 414
    sentence = "The query is longer than 32,768 characters."


class RateLimited(AirsideError):
    """Too many requests; `retry_after` is in whole seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Retry after {retry_after} seconds.")
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Unavailable(AirsideError):
    """Nothing was done, and the same request may succeed later."""

    status = 503
    sentence = "This can't be done at the moment. Try again in a few seconds."
    retry_after = 5  # seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Busy(Unavailable):
    """The queue for a costly operation is full."""

    sentence = "Too many people are signing in at this moment. Try again in a few seconds."


class MaybeDone(AirsideError):
    """Not 503, since clients would repeat the request, which may have been committed."""

    sentence = (
        "The database went away, and it isn't certain that this was saved. Look before you send it again."
    )


def _sentences(fields: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name, messages in fields.items():
        text = "; ".join(cast(list[str], messages)) if isinstance(messages, list) else str(messages)
        found.append(text if name == WHOLE_BODY else f"{name}: {text}")
    return found
