"""What OpenAPI says about the errors of v1, in the shapes that errors.py gives them."""

from airside.errors import (
    AirsideError,
    BadRequest,
    Conflict,
    Forbidden,
    InsufficientScope,
    Invalid,
    InvalidToken,
    MaybeDone,
    NotAcceptable,
    NotFound,
    PageNotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from airside.rest.idempotency import KeyInProgress, KeyReused
from airside.rest.wire import ErrorResponse, Json
from airside.rest.wires.v1.errors import error_body

_TAKEN = Conflict(
    "Label with the same name already exists in the project", existing="0198c1a2-7b3c-7d4e-8f50-617283940a1b"
)

RESPONSES: dict[int, ErrorResponse] = {
    400: ErrorResponse(
        "BadRequest",
        "The request can't be read, a field of it doesn't fit, or a rule forbids it.",
        ("FieldErrors", "Error", "ErrorDetail", "ErrorMessage"),
        {
            "fields": Invalid({"name": ["This field is required."]}),
            "whole": Invalid.whole("Invalid data. Expected a dictionary, but got list."),
            "refused": Refused("Default state cannot be deleted"),
            "unreadable": BadRequest(),
        },
    ),
    401: ErrorResponse(
        "Unauthorized",
        "There is no credential, or it is wrong, expired or revoked.",
        ("ErrorDetail",),
        {"missing": Unauthenticated(), "invalid": InvalidToken()},
        ("WWW-Authenticate",),
    ),
    403: ErrorResponse(
        "Forbidden",
        "The token lacks the scope, the role is too small, or the workspace isn't the caller's.",
        ("ErrorDetail", "Error"),
        {"role": Forbidden(), "scope": InsufficientScope("projects:read")},
        ("WWW-Authenticate",),
    ),
    404: ErrorResponse(
        "NotFound",
        "There is no such record for the caller, or an id in the path isn't one.",
        ("Error", "ErrorMessage"),
        {"record": NotFound(), "page": PageNotFound()},
    ),
    406: ErrorResponse(
        "NotAcceptable", "The client takes no JSON.", ("ErrorDetail",), {"refused": NotAcceptable()}
    ),
    409: ErrorResponse(
        "Conflict",
        "Something that has to be unique is taken, the record is in another state, or the first request with this "
        "`Idempotency-Key` is still in progress.",
        ("ConflictError",),
        {"taken": _TAKEN, "in progress": KeyInProgress()},
    ),
    413: ErrorResponse(
        "PayloadTooLarge", "The body is larger than 5 MiB.", ("PayloadTooLargeError",), {"large": TooLarge()}
    ),
    422: ErrorResponse(
        "UnprocessableContent",
        "The `Idempotency-Key` was used for a request with another path, query or body.",
        ("Error",),
        {"reused": KeyReused()},
    ),
    429: ErrorResponse(
        "TooManyRequests",
        "The rate limit is used up.",
        ("RateLimitError",),
        {"limited": RateLimited(30)},
        ("Retry-After",),
    ),
    500: ErrorResponse(
        "InternalServerError",
        "An unexpected error, or the database went away so that it isn't certain whether this was saved.",
        ("Error",),
        {"unexpected": AirsideError(), "unclear": MaybeDone()},
    ),
    503: ErrorResponse(
        "ServiceUnavailable",
        "Nothing was done; the same request may succeed later.",
        ("Error",),
        {"unavailable": Unavailable()},
        ("Retry-After",),
    ),
}


def _shape_of(body: Json, sentence: str) -> Json:
    """The schema of a body whose fields are always there."""
    kinds = {str: "string", int: "integer"}
    properties = {name: {"type": kinds[type(value)]} for name, value in body.items()}
    return {"type": "object", "description": sentence, "properties": properties, "required": list(body)}


ERROR_SCHEMAS: Json = {
    "Error": _shape_of(error_body(Refused("")), "What is wrong, as a sentence."),
    "ErrorDetail": _shape_of(
        error_body(Forbidden()), "What is wrong with the request as a whole, as a sentence."
    ),
    "ErrorMessage": _shape_of({"message": "", "code": ""}, "What is wrong, as a sentence and as a code."),
    "FieldErrors": {
        "type": "object",
        "description": "Field → what is wrong with it; `non_field_errors` are about the body as a whole.",
        "minProperties": 1,
        "additionalProperties": {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}]
        },
    },
    "ConflictError": {
        "type": "object",
        "description": "What is taken, and where it is known the id of the record that holds it.",
        "properties": {
            "error": {"type": "string"},
            "name": {"type": "string"},
            "id": {"type": "string", "format": "uuid"},
        },
        "anyOf": [{"required": ["error"]}, {"required": ["name"]}],
    },
    "PayloadTooLargeError": _shape_of(error_body(TooLarge()), "The body is too large."),
    "RateLimitError": _shape_of(error_body(RateLimited(1)), "The rate limit is used up."),
}
