"""The bodies of the intake's operations."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from airside.rest.body import Body, Html, Name, Short, Uuid
from airside.rich_text.html import EMPTY

MAX_ISSUE_BYTES = 5 * 1024 * 1024  # of JSON; its description is what is long

Issue = Annotated[dict[str, Any], Meta(extra={"json_bytes": MAX_ISSUE_BYTES})]
Status = Literal[-2, -1, 0, 1, 2]


class IntakeIn(Body):
    example = {"issue": {"name": "The wheel squeaks", "priority": "high"}, "source": "Form"}

    issue: Issue
    intake: Uuid | None = None
    source: Short | None = None
    source_email: Short | None = None
    status: Status = -2
    snoozed_till: datetime | None = None
    duplicate_to: Uuid | None = None


class IntakeChange(Body):
    example = {"source": "Form"}

    issue: Issue | Uuid  # its id, as it is shown, changes nothing
    status: Status
    snoozed_till: datetime | None
    duplicate_to: Uuid | None
    source: Short
    source_email: Short | None


class IssueIn(Body):
    """The work item that is filed."""

    name: Name
    description_html: Html = EMPTY
    priority: Literal["urgent", "high", "medium", "low", "none"] = "none"
