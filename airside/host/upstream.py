"""The workspaces of a Community Edition: people, roles and projects from mirror rows, everything else over HTTP.

Work items and comments are known by the events that were taken in. Until that is so, what needs one of them answers
that it isn't there, and what would write one raises Unavailable."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.errors import Unavailable
from airside.events.outbox import Change
from airside.gateway.client import Cookies
from airside.gateway.signing_in import (
    CHECK_EVERY,
    IDLE,
    JUST_NOW,
    check_session,
    cookies_of,
    end_session,
    find_begun,
)
from airside.host.local import list_all_projects, may_read_project
from airside.host.protocol import Comment, Item, ItemName, Project, Viewer, Watcher
from airside.identity.sessions import Session, find_session
from airside.rest.call import Call
from airside.rest.record import MEMBER, Narrowing
from airside.rich_text.html import Cleaned
from airside.runtime.site import Site
from airside.work.access import PUBLIC, RoleAccess, in_visible_projects
from airside.work.projects.tables import project_members, projects


class NotConnected(Unavailable):
    """A write to a work item, of which no event was taken in."""

    sentence = "Airside doesn't receive the work items of this Plane yet, so it can't write to them."


class UpstreamAccess(RoleAccess):
    """In a project the Community Edition's own answer counts: its admins of the workspace aren't admins there, and
    don't see private projects that they aren't in."""

    def role_in(self, project: Row, workspace_role: int, user_id: str) -> int | None:
        if project["member_role"] is not None:
            return project["member_role"]
        return 0 if project["network"] == PUBLIC and workspace_role >= MEMBER else None


class UpstreamHost:
    """The host of a site in front of a Community Edition."""

    def __init__(self) -> None:
        self.access = UpstreamAccess()
        self.watchers: dict[Watcher, None] = {}  # whom the events that are taken in are passed to
        self._checks: dict[str, asyncio.Task[bool]] = {}  # running ones, by the session's hash

    def start(self, site: Site, watcher: Watcher) -> None:
        self.watchers[watcher] = None

    async def wake_snoozed(self, site: Site) -> bool:
        """The Community Edition does it itself."""
        return False

    async def finish_followups(self, site: Site) -> bool:
        return False

    async def find_session(self, site: Site, session_id: str, cookies: Mapping[str, str]) -> Session | None:
        """Raises Unchecked, when the Community Edition hasn't answered for a minute."""
        session = await find_session(site, session_id, IDLE) if session_id else None
        if session is None:
            return None
        sent = cookies_of(cookies)
        begun = await find_begun(site, session, sent)
        if begun is None:
            await end_session(site, session)
            return None
        if site.clock.now() - begun["checked_at"] < CHECK_EVERY:
            return session
        return await find_session(site, session_id, IDLE) if await self._check(site, session, sent) else None

    async def confirm_session(self, site: Site, session: Session, cookies: Mapping[str, str]) -> bool:
        """Raises Unchecked."""
        sent = cookies_of(cookies)
        begun = await find_begun(site, session, sent)
        if begun is None:
            await end_session(site, session)
            return False
        is_fresh = site.clock.now() - begun["checked_at"] < JUST_NOW
        return is_fresh or await self._check(site, session, sent)

    async def _check(self, site: Site, session: Session, sent: Cookies) -> bool:
        """Requests of one page that come together ask once."""
        running = self._checks.get(session.id_hash)
        if running is None:
            running = asyncio.create_task(check_session(site, session, sent), name="check-session")
            self._checks[session.id_hash] = running
            running.add_done_callback(lambda _: self._checks.pop(session.id_hash, None))
        return await asyncio.shield(running)

    def in_visible_projects(self, call: Call, column: sa.ColumnElement[Any]) -> Narrowing:
        return in_visible_projects(call, column, admins_see_all=False)

    async def may_read(
        self, site: Site, viewer: Viewer, kind: Literal["project", "work_item"], id: str
    ) -> bool:
        """Members of a project, whatever they are in the workspace."""
        return kind == "project" and await may_read_project(site, viewer._replace(is_admin=False), id)

    async def list_projects(
        self, site: Site, workspace_id: str, *, archived: bool = False, viewer_id: str | None = None
    ) -> Sequence[Project]:
        """Its admins don't see private projects that they aren't in, which were mirrored for somebody else."""
        found = await list_all_projects(site, workspace_id, archived=archived)
        if viewer_id is None or not found:
            return found
        rows = await site.db.fetch_all(_SEEN, workspace_id=workspace_id, user_id=viewer_id)
        seen = {row["id"] for row in rows}
        return [project for project in found if project.id in seen]

    async def name_items(
        self, reader: Reader, workspace_id: str, ids: Sequence[str]
    ) -> Mapping[str, ItemName]:
        return {}

    async def locate_item(self, call: Call, item_id: str, project_id: str | None = None) -> str | None:
        return None

    async def find_comment(self, call: Call, comment_id: str, item_id: str | None = None) -> Comment | None:
        return None

    async def lock_thread(self, call: Call, comment: Comment) -> str:
        raise NotConnected

    async def write_comment(
        self, call: Call, *, comment_id: str, item_id: str, thread_id: str | None, text: Cleaned
    ) -> str:
        raise NotConnected

    async def send_update(
        self, call: Call, record: Comment | Item, change: Change, installation_id: str
    ) -> None:
        raise NotConnected


_SEEN = Statement(
    sa.select(projects.c.id).where(
        tenant(projects),
        live(projects),
        sa.or_(
            projects.c.network == sa.literal_column(str(PUBLIC)),
            projects.c.id.in_(
                sa.select(project_members.c.project_id).where(
                    tenant(project_members),
                    project_members.c.member_id == sa.bindparam("user_id", type_=Id()),
                    live(project_members),
                )
            ),
        ),
    )
)
