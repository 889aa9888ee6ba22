"""OpenAPI's reusable responses and headers; what a wire's errors are, the wire says."""

from airside.rest.idempotency import HEADER, MAX_KEY_LENGTH
from airside.rest.route import Route
from airside.rest.wire import ErrorResponse, Json, Wire

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
    "Location": {
        "description": "Where to get it, without credentials.",
        "schema": {"type": "string", "format": "uri"},
    },
    "Vary": {"description": "The headers that an answer depends on.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` where the answer is that of an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {
        "description": "The challenge of RFC 6750 §3, with what is wrong with the token.",
        "schema": {"type": "string"},
    },
}
IDEMPOTENCY_KEY: Json = {
    "name": HEADER,
    "in": "header",
    "description": "A key of the client's own, such as a UUID, new for each write. For 24 hours a repeat with the "
    "same key, path, query and body changes nothing and gets the first answer, with `Idempotent-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an answer that the client still has: 304 if it would be the same again.",
    "schema": {"type": "string"},
}


def is_tagged(route: Route) -> bool:
    """Whether its answers have an ETag."""
    return route.method == "GET" and route.shown is not None


def takes_key(route: Route) -> bool:
    """Whether it takes an Idempotency-Key."""
    return route.method != "GET" and route.refuses_key is None


def error_statuses(wire: Wire, route: Route) -> list[int]:
    """The errors that a request for this route may be answered with."""
    asked = {
        403: bool(route.scope or route.people_only or "{workspace_slug}" in route.path or route.role),
        404: "{" in route.path,
        409: route.may_conflict or takes_key(route) or (wire.writes_conflict and route.method != "GET"),
        413: route.method != "GET",
        415: route.method != "GET",
        422: takes_key(route),
    }
    return [status for status in wire.responses if asked.get(status, True)]


def error_responses(wire: Wire) -> Json:
    """The components to which operations refer."""
    tags = header_references("X-RateLimit-Remaining", "X-RateLimit-Reset", "ETag", "Cache-Control", "Vary")
    unmodified = {"description": "The client has this answer already; there is no body.", "headers": tags}
    return {"NotModified": unmodified, **{one.name: _describe(wire, one) for one in wire.responses.values()}}


def error_reference(wire: Wire, status: int) -> Json:
    return {"$ref": f"#/components/responses/{wire.responses[status].name}"}


def header_references(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}


def _describe(wire: Wire, one: ErrorResponse) -> Json:
    references = [{"$ref": f"#/components/schemas/{name}"} for name in one.schemas]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    examples = {
        name: {"summary": sample.sentence, "value": wire.error_body(sample)}
        for name, sample in one.samples.items()
    }
    return {
        "description": one.sentence,
        "headers": header_references(*one.headers),
        "content": {wire.error_type: {"schema": schema, "examples": examples}},
    }
