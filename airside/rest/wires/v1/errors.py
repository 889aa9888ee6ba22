"""The bodies of v1's errors, which have several shapes, as Plane's own have."""

from collections.abc import Callable, Mapping
from typing import Any

from airside.errors import (
    WHOLE_BODY,
    AirsideError,
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    RateLimited,
    TooLarge,
    Unauthenticated,
)

Show = Callable[[Any], Any]


def error_body(error: AirsideError) -> Any:
    """The body that v1 shows."""
    show = _BY_CODE.get(error.code)
    if show is None:
        show = next(_BY_CLASS[kind] for kind in type(error).__mro__ if kind in _BY_CLASS)
    return show(error)


def _show_error(error: AirsideError) -> Any:
    return {"error": error.sentence}


def _show_code(error: AirsideError) -> Any:
    return {"error": error.sentence, "code": error.code}


def _show_detail(error: AirsideError) -> Any:
    return {"detail": error.sentence}


def _show_conflict(error: Conflict) -> Any:
    found = {} if error.existing is None else {"id": error.existing}
    return {"error": error.sentence, **found}


def _show_fields(error: Invalid) -> Any:
    return {
        "non_field_errors" if name == WHOLE_BODY else name: messages
        for name, messages in error.fields.items()
    }


def _show_too_large(error: TooLarge) -> Any:
    return {"error": "REQUEST_BODY_TOO_LARGE", "detail": error.sentence}


def _show_rate(error: RateLimited) -> Any:
    return {
        "error_code": 5900,
        "error_message": "RATE_LIMIT_EXCEEDED",
        "detail": f"Retry after {error.retry_after} seconds",
    }


_BY_CLASS: Mapping[type, Show] = {
    AirsideError: _show_error,
    BadRequest: _show_detail,
    Conflict: _show_conflict,
    Forbidden: _show_detail,
    Invalid: _show_fields,
    MethodNotAllowed: _show_detail,
    NotAcceptable: _show_detail,
    RateLimited: _show_rate,
    TooLarge: _show_too_large,
    Unauthenticated: _show_detail,
}
_UNPROVEN_HINT = 'Send "accept_unproven": true to admit it anyway.'
# Errors that Plane shows unlike others of their status.
_BY_CODE: Mapping[str, Show] = {
    "cycle_completed": lambda error: {"code": "CYCLE_COMPLETED", "message": error.sentence},
    "activity_not_found": lambda error: {"message": error.sentence, "code": "NOT_FOUND"},
    "not_owner": _show_error,
    "not_uploader": _show_error,
    "project_name_taken": lambda error: {"name": error.sentence},
    "unproven_email": lambda error: {"error": f"{error.sentence} {_UNPROVEN_HINT}"},
    "state_name_in_use": lambda error: {**_show_conflict(error), "code": error.code},
    "workspace_managed": _show_code,
    "workspace_not_managed": _show_code,
    "upload_refused": lambda error: {"error": error.sentence, "status": False},
}
