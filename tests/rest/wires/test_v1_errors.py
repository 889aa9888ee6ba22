"""The bodies of v1's errors, which clients read in their several shapes."""

from typing import Any

import pytest

from airside.assets.file_types import FileRefused
from airside.db.base import new_id
from airside.errors import (
    AirsideError,
    BadRequest,
    Busy,
    Conflict,
    Forbidden,
    InsufficientScope,
    Invalid,
    InvalidToken,
    MethodNotAllowed,
    NotAcceptable,
    PageNotFound,
    QueryTooLong,
    RateLimited,
    Refused,
    TooLarge,
    Unauthenticated,
)
from airside.identity.proof import UnprovenEmail
from airside.rest.wires.v1.errors import error_body
from airside.work.ownership import NotOwner
from airside.work.projects.projects import NameTaken
from airside.work.work_items.activities import ActivityNotFound

ID = new_id()


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (AirsideError(), {"error": "An unexpected error occurred"}),
        (Unauthenticated(), {"detail": "Authentication credentials were not provided."}),
        (InvalidToken(), {"detail": "Given API token is not valid"}),
        (Forbidden(), {"detail": "You do not have permission to perform this action."}),
        (InsufficientScope("projects:read"), {"detail": "This token lacks the scope projects:read."}),
        (NotOwner("Only its owner"), {"error": "Only its owner"}),
        (PageNotFound(), {"error": "Page not found."}),
        (ActivityNotFound(), {"message": "Activity not found.", "code": "NOT_FOUND"}),
        (MethodNotAllowed("PUT", ["GET"]), {"detail": 'Method "PUT" not allowed.'}),
        (NotAcceptable(), {"detail": "Could not satisfy the request Accept header."}),
        (Conflict("Taken"), {"error": "Taken"}),
        (Conflict("Taken", existing=ID), {"error": "Taken", "id": ID}),
        (NameTaken(), {"name": "The project name is already taken"}),
        (Invalid({"labels": {"0": ["Wrong."]}}), {"labels": {"0": ["Wrong."]}}),
        (Invalid.whole("Wrong."), {"non_field_errors": ["Wrong."]}),
        (Refused("No"), {"error": "No"}),
        (FileRefused("No"), {"error": "No", "status": False}),
        (BadRequest(), {"detail": "JSON parse error"}),
        (QueryTooLong(), {"detail": "The query is longer than 32,768 characters."}),
        (
            TooLarge(),
            {
                "error": "REQUEST_BODY_TOO_LARGE",
                "detail": "The size of the request body exceeds the maximum allowed size.",
            },
        ),
        (
            RateLimited(7),
            {"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED", "detail": "Retry after 7 seconds"},
        ),
        (Busy(), {"error": "Too many people are signing in at this moment. Try again in a few seconds."}),
    ],
)  # fmt: skip
def test_each_error_has_the_body_that_clients_of_v1_read(error: AirsideError, body: Any) -> None:
    assert error_body(error) == body


def test_an_unproven_email_is_admitted_by_a_field_of_the_body() -> None:
    shown = error_body(UnprovenEmail("eve@example.com"))["error"]
    assert shown.endswith('opened it. Send "accept_unproven": true to admit it anyway.')
