"""GET workspaces/{slug}/audit-log: the workspace's audit log for its admins, paginated or as JSON lines.

Plane publishes no scope for it. It shows members and their roles, so a token needs `workspaces.members:read`; and
since every app's bot is an admin, bots are refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from airside.audit.actions import ACTIONS
from airside.audit.read import AuditFilter, count_audit, export_audit, list_audit, show_entry
from airside.db.text_rules import is_id
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.endpoint import Streamed
from airside.rest.face import Shown
from airside.rest.parameters import described, one_of
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.wires.v1.paging import page_query, read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.system.clock import read_instant

PAGE_SIZE, PAGE_LIMIT = 100, 1000
JSON_LINES = "application/x-ndjson"


class AuditEntry(Shown):
    """`actor` is {kind, id, name}, `app` {id, name} and `target` {kind, id}."""

    id: str
    workspace: str | None
    created_at: str
    action: str
    actor: dict[str, Any]
    app: dict[str, Any] | None
    target: dict[str, Any] | None
    address: str
    user_agent: str
    details: dict[str, Any]


async def show_audit_log(call: Call) -> Any:
    """Newest first; with `format=jsonl` the whole log, oldest first. Raises Invalid and BadRequest."""
    wanted = read_filter(call.workspace_id, call.query)
    if call.query.get("format") == "jsonl":
        return Streamed(JSON_LINES, export_audit(call.reader, wanted))
    page = read_page(call.query, PAGE_SIZE, PAGE_LIMIT)
    rows = await list_audit(call.reader, wanted, limit=page.size, offset=page.offset)
    return wrap_page(page, await count_audit(call.reader, wanted), [show_entry(row) for row in rows])


def read_filter(workspace_id: str, query: Mapping[str, str]) -> AuditFilter:
    """Parse the filters `action`, `actor`, `app` and `since`. Raises Invalid."""
    action, actor, app = (query.get(name) or None for name in ("action", "actor", "app"))
    if action is not None and action not in ACTIONS:
        raise Invalid({"action": ["There is no such action."]})
    for name, value in (("actor", actor), ("app", app)):
        if value is not None and not is_id(value):
            raise Invalid({name: ["Must be a valid UUID."]})
    return AuditFilter(workspace_id, action, actor, app, read_since(query.get("since")))


def read_since(text: str | None) -> datetime | None:
    """An ISO 8601 time with its UTC offset. Raises Invalid."""
    if not text:
        return None
    found = read_instant(text)
    if found is None or datetime.fromisoformat(text).tzinfo is None:
        raise Invalid({"since": ["Write a time as 2026-01-31T12:00:00Z."]})
    return found


AUDIT_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "audit-log",
        handler=show_audit_log,
        scope="workspaces.members:read",
        name="list_audit_log",
        summary="List the audit log of a workspace, newest first",
        role=ADMIN,
        people_only=True,
        shown=AuditEntry,
        paged=True,
        streams=JSON_LINES,
        query={
            "action": described(one_of(ACTIONS), "Only entries about this."),
            "actor": described(UUID, "Only what this person or bot did."),
            "app": described(UUID, "Only what was done through this app."),
            "since": described(datetime, "Only entries from then on."),
            "format": described(
                Literal["jsonl"], "All entries as JSON lines, oldest first, instead of a page."
            ),
            **page_query(PAGE_SIZE, PAGE_LIMIT),
        },
    )
]
