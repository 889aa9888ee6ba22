"""OpenAPI's reusable responses and headers: the errors of the API, in the shapes that errors.py gives them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
from airside.rest.route import Route

Json = dict[str, Any]


class ErrorResponse(NamedTuple):
    """One status; `schemas` are the shapes that its body may have, `samples` errors that have them."""

    name: str
    sentence: str
    schemas: Sequence[str]
    samples: Mapping[str, AirsideError]
    headers: Sequence[str] = ()


HEADERS: Json = {
    "X-Request-ID": {"description": "The request's id, as the log has it.", "schema": {"type": "string"}},
    "X-RateLimit-Remaining": {
        "description": "How many requests are left in the present window.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "When the window ends, in seconds since 1970.",
        "schema": {"type": "integer"},
    },
    "Retry-After": {
        "description": "After how many seconds the same request may succeed.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "ETag": {
        "description": "A hash of the answer, for `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "The answer is for its caller alone, and is to be asked for again before it is used again.",
        "schema": {"type": "string"},
    },
    "Vary": {"description": "The headers that an answer depends on.", "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "The challenge of RFC 6750 §3, with what is wrong with the token.",
        "schema": {"type": "string"},
    },
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an answer that the client still has: 304 if it would be the same again.",
    "schema": {"type": "string"},
}
_TAKEN = Conflict(
    "Label with the same name already exists in the project", {"id": "0198c1a2-7b3c-7d4e-8f50-617283940a1b"}
)

RESPONSES: dict[int, ErrorResponse] = {
    400: ErrorResponse(
        "BadRequest",
        "The request can't be read, a field of it doesn't fit, or a rule forbids it.",
        ("FieldErrors", "Error", "ErrorDetail"),
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
        "Something that has to be unique is taken, or the record is in another state.",
        ("ConflictError",),
        {"taken": _TAKEN},
    ),
    413: ErrorResponse(
        "PayloadTooLarge", "The body is larger than 5 MiB.", ("PayloadTooLargeError",), {"large": TooLarge()}
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


def is_tagged(route: Route) -> bool:
    """Whether its answers have an ETag."""
    return route.method == "GET" and route.shown is not None


def error_statuses(route: Route) -> list[int]:
    """The errors that a request for this route may be answered with."""
    asked = {
        403: bool(route.scope or route.people_only or "{workspace_slug}" in route.path or route.role),
        404: "{" in route.path,
        409: route.may_conflict,
        413: route.method != "GET",
    }
    return [status for status in RESPONSES if asked.get(status, True)]


def error_responses() -> Json:
    """The components to which operations refer."""
    tags = header_references("X-RateLimit-Remaining", "X-RateLimit-Reset", "ETag", "Cache-Control", "Vary")
    unmodified = {"description": "The client has this answer already; there is no body.", "headers": tags}
    return {"NotModified": unmodified, **{one.name: _describe(one) for one in RESPONSES.values()}}


def error_reference(status: int) -> Json:
    return {"$ref": f"#/components/responses/{RESPONSES[status].name}"}


def header_references(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def _describe(one: ErrorResponse) -> Json:
    references = [{"$ref": f"#/components/schemas/{name}"} for name in one.schemas]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    examples = {
        name: {"summary": sample.sentence, "value": sample.body} for name, sample in one.samples.items()
    }
    return {
        "description": one.sentence,
        "headers": header_references(*one.headers),
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }


def _shape_of(body: Json, sentence: str) -> Json:
    """The schema of a body whose fields are always there."""
    kinds = {str: "string", int: "integer"}
    properties = {name: {"type": kinds[type(value)]} for name, value in body.items()}
    return {"type": "object", "description": sentence, "properties": properties, "required": list(body)}


ERROR_SCHEMAS: Json = {
    "Error": _shape_of(Refused("").body, "What is wrong, as a sentence."),
    "ErrorDetail": _shape_of(Forbidden().body, "What is wrong with the request as a whole, as a sentence."),
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
    "PayloadTooLargeError": _shape_of(TooLarge().body, "The body is too large."),
    "RateLimitError": _shape_of(RateLimited(1).body, "The rate limit is used up."),
}
