"""The workspaces that Airside stores itself: reads and writes the project management records of `work/`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, IdList, Row
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.db.text_rules import is_id
from airside.events.outbox import Change
from airside.host.protocol import Comment, Item, ItemName, Project, Viewer, Watcher
from airside.identity.sessions import Session, find_session
from airside.installations.project_choice import MAX_PROJECTS
from airside.rest.call import Call
from airside.rest.gate import record_act, show_v1, show_v2
from airside.rest.record import Narrowing
from airside.rich_text.html import Cleaned
from airside.runtime.site import Site
from airside.work.access import RoleAccess, in_visible_projects
from airside.work.departures import watch_departures
from airside.work.followups import finish_followups
from airside.work.intake.snooze import wake_snoozed
from airside.work.projects.tables import project_members, projects
from airside.work.state_ownership import watch_state_ownership
from airside.work.work_items.comments import COMMENTS_V1, comments, write_comment
from airside.work.work_items.tables import work_items
from airside.work.work_items.work_items import WORK_ITEMS_V1

MAX_ANCESTORS = 100  # of a reply; deeper replies start a new thread

_p, _m, _w = projects.c, project_members.c, work_items.c
_id = sa.bindparam("id", type_=Id())
_is_inside = sa.or_(  # seeing a public project isn't enough: only its members may read its records
    sa.bindparam("is_admin", type_=sa.Boolean()),
    _p.id.in_(
        sa.select(_m.project_id).where(
            tenant(project_members),
            _m.member_id == sa.bindparam("user_id", type_=Id()),
            live(project_members),
        )
    ),
)
_of_its_project = sa.and_(_p.workspace_id == _w.workspace_id, _p.id == _w.project_id)
_READABLE = {
    "project": Statement(sa.select(_p.id).where(tenant(projects), _p.id == _id, live(projects), _is_inside)),
    "work_item": Statement(
        sa.select(_w.id)
        .join_from(work_items, projects, _of_its_project)
        .where(tenant(work_items), _w.id == _id, live(work_items), live(projects), _is_inside)
    ),
}
_projects = (
    sa.select(_p.id, _p.name, _p.identifier).where(tenant(projects), live(projects)).order_by(_p.name, _p.id)
)
_PROJECTS = {
    True: Statement(_projects),
    False: Statement(_projects.where(_p.archived_at.is_(None)).limit(sa.literal_column(str(MAX_PROJECTS)))),
}
_ITEM_NAMES = Statement(
    sa.select(_w.id, _w.name, _w.sequence_id, _p.identifier)
    .join(projects, _of_its_project)
    .where(tenant(work_items), any_of(_w.id, "ids", IdList()), live(work_items), live(projects))
)


class LocalHost:
    """The host of a site without another server."""

    def __init__(self) -> None:
        self.access = RoleAccess()

    def start(self, site: Site, watcher: Watcher) -> None:
        watch_departures(site)
        watch_state_ownership(site)
        for action in ("created", "updated"):
            site.change_hooks.add(f"{COMMENTS_V1.record.event}.{action}", _CommentHook(watcher.on_comment))
            site.change_hooks.add(f"{WORK_ITEMS_V1.record.event}.{action}", _ItemHook(watcher.on_item))

    async def wake_snoozed(self, site: Site) -> bool:
        return await wake_snoozed(site)

    async def finish_followups(self, site: Site) -> bool:
        return await finish_followups(site)

    async def find_session(self, site: Site, session_id: str, cookies: Mapping[str, str]) -> Session | None:
        return await find_session(site, session_id) if session_id else None

    async def confirm_session(self, site: Site, session: Session, cookies: Mapping[str, str]) -> bool:
        return True

    def in_visible_projects(self, call: Call, column: sa.ColumnElement[Any]) -> Narrowing:
        return in_visible_projects(call, column)

    async def may_read(
        self, site: Site, viewer: Viewer, kind: Literal["project", "work_item"], id: str
    ) -> bool:
        return await site.db.fetch_one(_READABLE[kind], id=id, **viewer._asdict()) is not None

    async def list_projects(
        self, site: Site, workspace_id: str, *, archived: bool = False, viewer_id: str | None = None
    ) -> list[Project]:
        return await list_all_projects(site, workspace_id, archived=archived)

    async def name_items(self, reader: Reader, workspace_id: str, ids: Sequence[str]) -> dict[str, ItemName]:
        rows = await reader.fetch_all(_ITEM_NAMES, workspace_id=workspace_id, ids=list(ids)) if ids else []
        return {row["id"]: ItemName(id=row["id"], key=_key(row, row), name=row["name"]) for row in rows}

    async def locate_item(self, call: Call, item_id: str, project_id: str | None = None) -> str | None:
        row = await call.reader.find(work_items, workspace_id=call.workspace_id, id=item_id)
        return row["project_id"] if row is not None and row["deleted_at"] is None else None

    async def find_comment(self, call: Call, comment_id: str, item_id: str | None = None) -> Comment | None:
        row = await call.reader.find(comments, workspace_id=call.workspace_id, id=comment_id)
        return _comment(row) if row is not None and row["deleted_at"] is None else None

    async def lock_thread(self, call: Call, comment: Comment) -> str:
        """Locks the row of the first comment."""
        root_id, parent_id, seen = comment.id, comment.parent_id, {comment.id}
        while parent_id and parent_id not in seen and len(seen) < MAX_ANCESTORS:
            parent = await call.reader.find(comments, workspace_id=call.workspace_id, id=parent_id)
            if parent is None or parent["issue_id"] != comment.item_id:
                break
            seen.add(parent_id)
            root_id, parent_id = parent["id"], parent["parent_id"]
        await call.writer.lock(comments, workspace_id=call.workspace_id, id=root_id)
        return root_id

    async def write_comment(
        self, call: Call, *, comment_id: str, item_id: str, thread_id: str | None, text: Cleaned
    ) -> str:
        root = await self.find_comment(call, thread_id) if thread_id else None
        parent_id = root.id if root else None
        await write_comment(call, comment_id=comment_id, work_item_id=item_id, parent_id=parent_id, text=text)
        return parent_id or comment_id

    async def send_update(
        self, call: Call, record: Comment | Item, change: Change, installation_id: str
    ) -> None:
        face = COMMENTS_V1 if isinstance(record, Comment) else WORK_ITEMS_V1
        await record_act(
            call,
            f"{face.record.event}.updated",
            record.id,
            project_id=record.project_id,
            data=await show_v1(call, face, record.origin),
            data_v2=show_v2(face, record.origin),
            changes=[change],
            installation_id=installation_id,
        )


async def list_all_projects(site: Site, workspace_id: str, *, archived: bool) -> list[Project]:
    """From our tables, where they are with either host."""
    if not is_id(workspace_id):
        return []
    rows = await site.db.fetch_all(_PROJECTS[archived], workspace_id=workspace_id)
    return [Project(**row) for row in rows]


async def may_read_project(site: Site, viewer: Viewer, id: str) -> bool:
    return await site.db.fetch_one(_READABLE["project"], id=id, **viewer._asdict()) is not None


class _CommentHook(NamedTuple):
    """The hook of a watcher; equal to another of the same watcher."""

    react: Callable[[Call, Comment | None, Comment], Awaitable[None]]

    async def __call__(self, call: Call, before: Row | None, after: Row) -> None:
        await self.react(call, _comment(before) if before else None, _comment(after))


class _ItemHook(NamedTuple):
    react: Callable[[Call, Item | None, Item], Awaitable[None]]

    async def __call__(self, call: Call, before: Row | None, after: Row) -> None:
        """A work item that waits in the intake is assigned to nobody yet; its acceptance is as its creation."""
        if after["in_intake"]:
            return
        if before and before["in_intake"]:
            before = None
        project = await _project_of(call, after)
        await self.react(call, _item(before, project) if before else None, _item(after, project))


def _comment(row: Row) -> Comment:
    return Comment(
        id=row["id"],
        item_id=row["issue_id"],
        project_id=row["project_id"],
        parent_id=row["parent_id"],
        html=row["comment_html"],
        text=row["comment_stripped"],
        origin=row,
    )


def _item(row: Row, project: Row) -> Item:
    return Item(
        id=row["id"],
        key=_key(project, row),
        name=row["name"],
        project_id=row["project_id"],
        text=row["description_stripped"],
        assignees=row["assignees"],
        origin=row,
    )


async def _project_of(call: Call, item: Row) -> Row:
    """The project with its `identifier`: the one that the call has entered, as a rule."""
    if call.project and call.project_id == item["project_id"]:
        return call.project
    found = await call.reader.find(projects, workspace_id=call.workspace_id, id=item["project_id"])
    assert found is not None
    return found


def _key(project: Row, item: Row) -> str:
    return f"{project['identifier']}-{item['sequence_id']}"
