"""Comments on a work item."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, Row, metadata
from airside.errors import Forbidden
from airside.rest.body import Body, Document, Html, Key, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.gate import record_created
from airside.rest.record import ADMIN, GUEST, Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.rich_text.html import EMPTY, Cleaned, clean_html
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.rows import index_parents, index_records, project_row
from airside.work.work_items.tables import work_items
from airside.work.work_items.visible_items import below_work_item

comments = sa.Table(
    "comments",
    metadata,
    *project_row(),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("actor_id", Id, nullable=False),
    sa.Column("parent_id", Id),  # the comment that it replies to
    sa.Column("comment_html", sa.Text, nullable=False),
    sa.Column("comment_stripped", sa.Text, nullable=False),
    sa.Column("comment_json", Json, nullable=False),
    sa.Column("access", sa.Text, nullable=False),  # INTERNAL | EXTERNAL
    sa.Column("edited_at", Instant),
)
index_records(comments, "issue_id")
index_parents(comments)


class CommentIn(Body):
    example = {"comment_html": "<p>Done.</p>"}

    comment_html: Html | None = None
    comment_json: Document | None = None
    access: Literal["INTERNAL", "EXTERNAL"] = "INTERNAL"
    parent: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class CommentOut(Shown):
    id: str
    is_member: bool
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    comment_stripped: str
    comment_html: str
    comment_json: dict[str, Any]
    attachments: list[str]
    access: Literal["INTERNAL", "EXTERNAL"]
    external_source: str | None
    external_id: str | None
    edited_at: datetime | None
    created_by: Any
    updated_by: Any
    project: Any
    workspace: Any
    issue: Any
    actor: Any
    parent: str | None


async def _load_membership(call: Call, rows: Sequence[Row]) -> Mapping[str, bool]:
    return {row["id"]: call.project_role > 0 for row in rows}


class Comments(Record):
    noun = "Work item comment"
    table = comments
    event = "workitem.comment"
    parents = (below_work_item(),)
    references = {"parent_id": Reference(comments, "project_id")}
    computed = {"is_member": Computed(load=_load_membership), **constants(attachments=[])}
    write_role = GUEST  # guests may comment; only authors and admins may update or delete

    async def prepare(self, call: Call, sent: Row, /) -> None:
        if "comment_html" in sent:
            call.prepared["text"] = await clean_html(sent["comment_html"] or EMPTY, "comment_html")

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["comment_html"], row["comment_stripped"] = call.prepared["text"]
        row["comment_json"] = row["comment_json"] or {}
        row["actor_id"] = row["updated_by_id"] = call.caller.user_id  # as Plane returns a new comment
        row["edited_at"] = None

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _check_author(call, row)
        if "comment_html" in changes:
            changes["comment_html"], changes["comment_stripped"] = call.prepared["text"]
        if changes.get("comment_json", {}) is None:
            changes["comment_json"] = {}
        if changes.get("comment_html", row["comment_html"]) != row["comment_html"]:
            changes["edited_at"] = call.now

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_author(call, row)


COMMENTS = Comments()
COMMENTS_V1 = Face(
    COMMENTS,
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/comments",
    aliases=("projects/{project_id}/issues/{work_item_id}/comments",),
    key="comment_id",
    body=CommentIn,
    shown=CommentOut,
    scope="projects.work_items.comments",
    expands={
        "actor": expand_user,
        "created_by": expand_user,
        "project": expand_project,
        "workspace": expand_workspace,
        "issue": expand_rows(work_items, "name", "sequence_id", "project_id", "priority", "state_id"),
    },
)


async def write_comment(
    call: Call, *, comment_id: str, work_item_id: str, parent_id: str | None, text: Cleaned
) -> Row:
    """Create a comment by the caller, with its event; for other operations, which have checked access."""
    row: Row = {
        "workspace_id": call.workspace_id,
        "id": comment_id,
        "project_id": call.project_id,
        "issue_id": work_item_id,
        "parent_id": parent_id,
        "comment_json": {},
        "access": "INTERNAL",
        "external_source": None,
        "external_id": None,
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": call.caller.user_id,
        "updated_by_id": None,
    }
    call.prepared["text"] = text
    await COMMENTS_V1.record.before_create(call, row)
    await call.writer.insert(comments, row)
    await record_created(call, COMMENTS_V1, row)
    return row


def _check_author(call: Call, row: Row) -> None:
    if row["actor_id"] != call.caller.user_id and call.project_role < ADMIN:
        raise Forbidden
