"""A host that keeps threads in memory, as another server would keep them: nothing of it joins a transaction."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from airside.db.base import IdList, Row, new_id
from airside.db.database import Reader
from airside.db.statements import any_of
from airside.errors import Forbidden, NotFound
from airside.events.outbox import Change
from airside.host.protocol import Comment, Item, ItemName, Project, Viewer, Watcher
from airside.identity.describe import find_users
from airside.identity.sessions import Session, find_session
from airside.rest.call import Call, Caller
from airside.rest.gate import record_act
from airside.rest.record import ADMIN, Narrowing
from airside.rest.verbs import in_transaction
from airside.rich_text.html import Cleaned, clean_now
from airside.runtime.site import Site
from airside.workspaces.members import find_member
from airside.workspaces.tables import workspaces


class MemoryProject(msgspec.Struct, kw_only=True):
    workspace_id: str
    shown: Project
    members: dict[str, int]  # user id → role
    is_archived: bool = False


class Pending(msgspec.Struct):
    """A comment that was committed here, and is not yet at the other server."""

    by_user_id: str
    id: str
    item_id: str
    parent_id: str | None
    text: Cleaned


class MemoryAccess:
    """Roles in the workspace from our own tables, roles in projects from the other server."""

    def __init__(self, projects: Mapping[str, MemoryProject]) -> None:
        self._projects = projects

    async def enter_workspace(self, call: Call, slug: str) -> None:
        found = await call.reader.find(workspaces, slug=slug)
        member = await find_member(call.reader, found["id"], call.caller.user_id) if found else None
        if found is None or member is None:
            raise Forbidden
        call.workspace, call.workspace_role = found, member["role"]

    async def enter_project(self, call: Call, project_id: str) -> None:
        project = self._projects.get(project_id)
        role = project.members.get(call.caller.user_id) if project else None
        if project is None or (role is None and call.workspace_role < ADMIN):
            raise NotFound
        call.project = {"id": project_id, "identifier": project.shown.identifier}
        call.project_role = ADMIN if call.workspace_role >= ADMIN else role or 0

    async def enter_unchecked(self, call: Call, workspace_id: str, project_id: str | None) -> None:
        raise NotImplementedError  # nothing follows changes of its records

    async def identify_project(self, call: Call, identifier: str) -> str | None:
        names = {project.shown.identifier: project_id for project_id, project in self._projects.items()}
        return names.get(identifier.upper())

    def is_feature_on(self, call: Call, name: str) -> bool:
        return True

    async def lock_workspace(self, call: Call) -> None:
        await call.writer.lock(workspaces, id=call.workspace_id)

    async def describe_user(self, call: Call, user_id: str) -> Row | None:
        return (await find_users(call, [user_id])).get(user_id)


class MemoryHost:
    """Its comments have ids of its own; `_ours` knows under which ids Airside has written some of them."""

    def __init__(self) -> None:
        self.projects: dict[str, MemoryProject] = {}
        self.items: dict[str, Item] = {}
        self.comments: dict[str, tuple[str, Comment]] = {}  # the server's id → the author, the comment
        self.access = MemoryAccess(self.projects)
        self._watchers: list[tuple[Site, Watcher]] = []
        self._ours: dict[str, str] = {}  # our id → the server's
        self._pending: list[Pending] = []
        self._events: list[Callable[[Site, Watcher], Any]] = []

    # What people do at the server. Each change is an event, which `settle` takes in.

    def put_item(self, workspace_id: str, by_user_id: str, item: Item) -> None:
        before = self.items.get(item.id)
        self.items[item.id] = item
        self._events.append(
            lambda site, watcher: self._take_in(
                site,
                workspace_id,
                by_user_id,
                item.project_id,
                lambda call: watcher.on_item(call, before, item),
            )
        )

    def put_comment(self, workspace_id: str, by_user_id: str, comment: Comment) -> None:
        before = self.comments.get(comment.id, (None, None))[1]
        self.comments[comment.id] = (by_user_id, comment)
        old, new = before and self._translate(before), self._translate(comment)
        self._events.append(
            lambda site, watcher: self._take_in(
                site,
                workspace_id,
                by_user_id,
                comment.project_id,
                lambda call: watcher.on_comment(call, old, new),
            )
        )

    async def settle(self, workspace_id: str) -> None:
        """Send what was committed, and take in every event; one that fails stays, and is tried again next time."""
        while self._pending or self._events:
            for one in self._pending:
                self._send(workspace_id, one)
            self._pending.clear()
            while self._events:
                for site, watcher in self._watchers:
                    await self._events[0](site, watcher)
                self._events.pop(0)

    def _send(self, workspace_id: str, one: Pending) -> None:
        self._ours[one.id] = new_id()
        parent_id = self._ours.get(one.parent_id or "", one.parent_id)
        sent = msgspec.structs.replace(self._as_comment(one), id=self._ours[one.id], parent_id=parent_id)
        self.put_comment(workspace_id, one.by_user_id, sent)

    def _as_comment(self, one: Pending) -> Comment:
        return Comment(
            id=one.id,
            item_id=one.item_id,
            project_id=self.items[one.item_id].project_id,
            parent_id=one.parent_id,
            html=one.text.html,
            text=one.text.words,
        )

    async def _take_in(
        self, site: Site, workspace_id: str, by_user_id: str, project_id: str, react: Callable[[Call], Any]
    ) -> None:
        caller = Caller(user_id=by_user_id, kind="session", budget="", workspace_id=workspace_id)
        call = Call(site, self.access, caller, site.clock.now(), "POST", {}, {})
        workspace = await site.db.find(workspaces, id=workspace_id)
        assert workspace is not None
        await self.access.enter_workspace(call, workspace["slug"])
        await self.access.enter_project(call, project_id)
        await in_transaction(call, lambda: react(call))

    def _translate(self, comment: Comment) -> Comment:
        """The comment under the ids by which Airside knows it and its thread."""
        ours = {theirs: one for one, theirs in self._ours.items()}
        return msgspec.structs.replace(
            comment,
            id=ours.get(comment.id, comment.id),
            parent_id=ours.get(comment.parent_id or "", comment.parent_id),
        )

    # The protocol.

    def start(self, site: Site, watcher: Watcher) -> None:
        if (site, watcher) not in self._watchers:
            self._watchers.append((site, watcher))

    async def wake_snoozed(self, site: Site) -> bool:
        return False  # it has no intake

    async def finish_followups(self, site: Site) -> bool:
        return False  # none of its records has others below it

    async def find_session(self, site: Site, session_id: str, cookies: Mapping[str, str]) -> Session | None:
        return await find_session(site, session_id) if session_id else None

    async def confirm_session(self, site: Site, session: Session, cookies: Mapping[str, str]) -> bool:
        return True

    def in_visible_projects(self, call: Call, column: sa.ColumnElement[Any]) -> Narrowing:
        seen = [one for one, project in self.projects.items() if _is_inside(project, call)]
        return Narrowing(_in(column), {"seen_projects": seen})

    async def may_read(
        self, site: Site, viewer: Viewer, kind: Literal["project", "work_item"], id: str
    ) -> bool:
        item = self.items.get(id) if kind == "work_item" else None
        project = self._find_project(viewer.workspace_id, item.project_id if item else id)
        return project is not None and (viewer.is_admin or viewer.user_id in project.members)

    def _find_project(self, workspace_id: str, project_id: str) -> MemoryProject | None:
        found = self.projects.get(project_id)
        return found if found and found.workspace_id == workspace_id else None

    async def list_projects(
        self, site: Site, workspace_id: str, *, archived: bool = False, viewer_id: str | None = None
    ) -> list[Project]:
        here = [one for one in self.projects.values() if one.workspace_id == workspace_id]
        found = [one.shown for one in here if archived or not one.is_archived]
        return sorted(found, key=lambda project: project.name)

    async def name_items(self, reader: Reader, workspace_id: str, ids: Sequence[str]) -> dict[str, ItemName]:
        found = {one: self.items[one] for one in ids if one in self.items}
        return {one: item for one, item in found.items() if self._find_project(workspace_id, item.project_id)}

    async def locate_item(self, call: Call, item_id: str, project_id: str | None = None) -> str | None:
        item = self.items.get(item_id)
        return item.project_id if item and self._find_project(call.workspace_id, item.project_id) else None

    async def find_comment(self, call: Call, comment_id: str, item_id: str | None = None) -> Comment | None:
        _, found = self.comments.get(self._ours.get(comment_id, comment_id), (None, None))
        comment = self._translate(found) if found else self._find_pending(comment_id)
        return comment if comment and self._find_project(call.workspace_id, comment.project_id) else None

    def _find_pending(self, comment_id: str) -> Comment | None:
        return next((self._as_comment(one) for one in self._pending if one.id == comment_id), None)

    async def lock_thread(self, call: Call, comment: Comment) -> str:
        await call.writer.lock(workspaces, id=call.workspace_id)  # it has no rows of comments to lock
        at = comment
        while at.parent_id and (above := await self.find_comment(call, at.parent_id)):
            at = above
        return at.id

    async def write_comment(
        self, call: Call, *, comment_id: str, item_id: str, thread_id: str | None, text: Cleaned
    ) -> str:
        root = await self.find_comment(call, thread_id) if thread_id else None
        pending = Pending(call.caller.user_id, comment_id, item_id, root.id if root else None, text)
        call.writer.on_commit(lambda: self._pending.append(pending))
        return root.id if root else comment_id

    async def send_update(
        self, call: Call, record: Comment | Item, change: Change, installation_id: str
    ) -> None:
        await record_act(
            call,
            "workitem.comment.updated" if isinstance(record, Comment) else "workitem.updated",
            record.id,
            project_id=record.project_id,
            data={"id": record.id},
            changes=[change],
            installation_id=installation_id,
        )


def new_comment(item: Item, html: str, parent_id: str | None = None) -> Comment:
    cleaned = clean_now(html, "comment_html")
    return Comment(
        id=new_id(),
        item_id=item.id,
        project_id=item.project_id,
        parent_id=parent_id,
        html=cleaned.html,
        text=cleaned.words,
    )


def _is_inside(project: MemoryProject, call: Call) -> bool:
    return call.workspace_role >= ADMIN or call.caller.user_id in project.members


@cache
def _in(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    return (any_of(column, "seen_projects", IdList()),)
