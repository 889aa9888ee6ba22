"""What OpenAPI says about the errors of v2, all of which have one shape."""

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
    RateLimited,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from airside.rest.idempotency import KeyReused
from airside.rest.wire import ErrorResponse, Json

_SHAPE = ("Problem",)
_FIELDS = Invalid({"name": ["This field is required."]}, {"name": "required"})

RESPONSES: dict[int, ErrorResponse] = {
    400: ErrorResponse(
        "BadRequest",
        "The request can't be read, or a field of it doesn't fit.",
        _SHAPE,
        {"fields": _FIELDS, "unreadable": BadRequest()},
    ),
    401: ErrorResponse(
        "Unauthorized",
        "There is no credential, or it is wrong, expired or revoked.",
        _SHAPE,
        {"missing": Unauthenticated(), "invalid": InvalidToken()},
        ("WWW-Authenticate",),
    ),
    403: ErrorResponse(
        "Forbidden",
        "The token lacks the scope, the role is too small, or the workspace isn't the caller's.",
        _SHAPE,
        {"role": Forbidden(), "scope": InsufficientScope("projects.states:read")},
        ("WWW-Authenticate",),
    ),
    404: ErrorResponse("NotFound", "There is no such record for the caller.", _SHAPE, {"record": NotFound()}),
    406: ErrorResponse("NotAcceptable", "The client takes no JSON.", _SHAPE, {"refused": NotAcceptable()}),
    409: ErrorResponse(
        "Conflict",
        "Something that has to be unique is taken, or the record's state forbids it.",
        _SHAPE,
        {
            "taken": Conflict("State with the same name already exists in the project"),
            "refused": Refused("Default state cannot be deleted"),
        },
    ),
    413: ErrorResponse("PayloadTooLarge", "The body is larger than 5 MiB.", _SHAPE, {"large": TooLarge()}),
    415: ErrorResponse(
        "UnsupportedMediaType", "The body isn't JSON.", _SHAPE, {"refused": UnsupportedMediaType()}
    ),
    422: ErrorResponse(
        "UnprocessableContent",
        "The `Idempotency-Key` was used for a request with another path, query or body.",
        _SHAPE,
        {"reused": KeyReused()},
    ),
    429: ErrorResponse(
        "TooManyRequests",
        "The rate limit is used up.",
        _SHAPE,
        {"limited": RateLimited(30)},
        ("Retry-After",),
    ),
    500: ErrorResponse(
        "InternalServerError",
        "An unexpected error, or the database went away so that it isn't certain whether this was saved.",
        _SHAPE,
        {"unexpected": AirsideError(), "unclear": MaybeDone()},
    ),
    503: ErrorResponse(
        "ServiceUnavailable",
        "Nothing was done; the same request may succeed later.",
        _SHAPE,
        {"unavailable": Unavailable()},
        ("Retry-After",),
    ),
}
ERROR_SCHEMAS: Json = {
    "Problem": {
        "type": "object",
        "description": "What is wrong: RFC 9457, with a type of a closed list and an open list of codes.",
        "properties": {
            "type": {"type": "string"},
            "code": {"type": "string", "description": "The type, or something finer."},
            "detail": {"type": "string", "description": "A sentence for people."},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}},
        },
        "required": ["type", "code", "detail"],
    },
    "FieldProblem": {
        "type": "object",
        "description": "What is wrong with one field, or with one row of a batch.",
        "properties": {
            "field": {"type": "string", "description": "Parts are separated by dots: items.3.name."},
            "code": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["field", "code", "message"],
    },
}
