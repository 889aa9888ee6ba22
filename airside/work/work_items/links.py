"""Links: external URLs of a work item."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from airside.db.base import Id, Json, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid, Refused
from airside.events.outbox import Change
from airside.rest.body import Body, Key, Name, Text
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import Record
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.rows import index_records, project_row
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.visible_items import below_work_item

LENGTH = 2_000  # of a URL

links = sa.Table(
    "work_item_links",
    metadata,
    *project_row(),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("metadata", Json, nullable=False),
)
index_records(links, "issue_id")

_SAME = Statement(
    sa.select(links.c.id).where(
        tenant(links),
        links.c.issue_id == sa.bindparam("issue_id", type_=Id()),
        links.c.url == sa.bindparam("url"),
        live(links),
    )
)


class LinkIn(Body):
    example = {"url": "https://courier.example/1", "title": "Courier"}

    url: Text
    title: Name | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class LinkOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    title: str | None
    url: str
    metadata: dict[str, Any]
    created_by: Any
    updated_by: Any
    project: Any
    workspace: Any
    issue: str
    external_source: str | None
    external_id: str | None


class Links(Record):
    noun = "Work item link"
    table = links
    event = "workitem.link"
    has_history = False
    parents = (below_work_item(),)

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["url"] = _check_url(row["url"])
        row["updated_by_id"] = call.caller.user_id  # as Plane returns a new link
        row["metadata"] = {}
        await _check_new(call, row["issue_id"], row["url"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "url" in changes:
            changes["url"] = _check_url(changes["url"])
            if changes["url"] != row["url"]:
                await _check_new(call, row["issue_id"], changes["url"])

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        url = row["url"]
        if action == "created":
            entries = [Happening("created", "link", None, url, comment="created a link")]
        elif action == "deleted":
            entries = [Happening("deleted", "link", url, "", comment="deleted the link")]
        else:
            entries = [
                Happening(
                    "updated", "link", change.old_value, change.new_value, row["id"], row["id"], "updated a link"
                )
                for change in changes
                if change.field == "url"
            ]  # fmt: skip
        await record_happenings(call, row["issue_id"], row["project_id"], entries)


LINKS = Links()
LINKS_V1 = Face(
    LINKS,
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/links",
    aliases=("projects/{project_id}/issues/{work_item_id}/links",),
    key="link_id",
    body=LinkIn,
    shown=LinkOut,
    scope="projects.work_items.links",
    expands={
        "created_by": expand_user,
        "updated_by": expand_user,
        "project": expand_project,
        "workspace": expand_workspace,
    },
)


def _check_url(text: str) -> str:
    """Raises Invalid unless it is http(s), since pages show it as a link."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web or any(ord(one) <= 32 or ord(one) == 127 for one in url) or len(url) > LENGTH:
        raise Invalid({"url": ["Invalid URL format."]})
    return url


async def _check_new(call: Call, work_item_id: str, url: str) -> None:
    found = await call.reader.fetch_value(
        _SAME, workspace_id=call.workspace_id, issue_id=work_item_id, url=url
    )
    if found is not None:
        raise Refused("URL already exists for this Issue")
