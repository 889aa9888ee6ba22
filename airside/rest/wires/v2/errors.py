"""The bodies of v2's errors: problem+json (RFC 9457) with a type of a closed list, and a code that may say more."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from airside.errors import WHOLE_BODY, AirsideError, Invalid, Refused
from airside.rest.bulk import BatchFailed
from airside.rest.wire import Json

MEDIA_TYPE = "application/problem+json"
WHOLE = "non_field_errors"  # in place of a field, for a body as a whole

_TYPES = {
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    502: "service_unavailable",
    503: "service_unavailable",
    504: "service_unavailable",
}


def error_status(error: AirsideError) -> int:
    """What a rule forbids is a conflict with the record's state, not a malformed request as in v1."""
    return 409 if isinstance(error, Refused) else error.status


def error_type(status: int) -> str:
    return _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request")


def error_body(error: AirsideError) -> Json:
    """The body that v2 shows. It has no `status`: clients take that of HTTP."""
    kind = error_type(error_status(error))
    body: Json = {"type": kind, "code": error.code or kind, "detail": error.sentence}
    if isinstance(error, Invalid):
        body["errors"] = list(_field_errors(error))
    if isinstance(error, BatchFailed):
        body["errors"] = [
            one for number, failure in error.failures.items() for one in _row_errors(number, failure)
        ]
    return body


def _field_errors(error: Invalid) -> Iterator[Json]:
    for name, messages in error.fields.items():
        code = error.codes.get(name, "invalid")
        field = WHOLE if name == WHOLE_BODY else name
        for path, message in _flatten(field, messages):
            yield {"field": path, "code": code, "message": message}


def _flatten(field: str, messages: Any) -> Iterator[tuple[str, str]]:
    """Messages by the path of their field; those about the items of a list are by the item's number."""
    if isinstance(messages, Mapping):
        for name, inner in cast(Mapping[str, Any], messages).items():
            yield from _flatten(f"{field}.{name}", inner)
    elif isinstance(messages, list):
        for message in cast(list[object], messages):
            yield field, str(message)
    else:
        yield field, str(messages)


def _row_errors(number: int, failure: AirsideError) -> Iterator[Json]:
    shown = error_body(failure)
    if "errors" not in shown:
        yield {"field": f"items.{number}", "code": shown["code"], "message": shown["detail"]}
    for one in shown.get("errors", ()):
        yield {**one, "field": f"items.{number}.{one['field']}"}
