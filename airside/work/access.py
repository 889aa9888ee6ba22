"""Access rules: a caller's workspaces and projects.

List, retrieve, search, expand and pages share one rule for who sees a project: its members, the workspace's admins,
and for a public one every member of the workspace except guests.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import IdList, Row
from airside.db.conditions import live, tenant
from airside.db.remembered import Remembered
from airside.db.statements import Statement, any_of
from airside.errors import Forbidden, NotFound
from airside.identity.describe import find_users
from airside.identity.tables import users
from airside.installations.tables import installations
from airside.rest.call import Call
from airside.rest.record import ADMIN, EVERYTHING, GUEST, MEMBER, Narrowing
from airside.work.identifiers import find_project_id
from airside.work.projects.feature_flags import is_on
from airside.work.projects.tables import project_members, projects
from airside.workspaces.tables import workspace_members, workspaces

PUBLIC = 2  # projects.network: visible to every member of the workspace

_WORKSPACE = Statement(
    sa.select(
        workspaces.c.id,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.logo_url,
        workspaces.c.features,
        workspace_members.c.role,
    )
    .join(workspace_members, workspace_members.c.workspace_id == workspaces.c.id)
    .where(
        workspaces.c.slug == sa.bindparam("slug"),
        live(workspaces),
        workspace_members.c.user_id == sa.bindparam("user_id", type_=users.c.id.type),
        workspace_members.c.is_active,
        live(workspace_members),
    )
)

_PROJECT = Statement(
    sa.select(projects, project_members.c.role.label("member_role"))
    .join(
        project_members,
        sa.and_(
            project_members.c.workspace_id == projects.c.workspace_id,
            project_members.c.project_id == projects.c.id,
            project_members.c.member_id == sa.bindparam("user_id", type_=users.c.id.type),
            live(project_members),
        ),
        isouter=True,
    )
    .where(
        tenant(projects),
        projects.c.id == sa.bindparam("project_id", type_=users.c.id.type),
        live(projects),
    )
)


class RoleAccess:
    """The access rules for workspaces that Airside stores itself."""

    def __init__(self) -> None:
        self._workspaces = Remembered[Row]()
        self._projects = Remembered[Row]()
        self._identifiers = Remembered[str]()

    async def enter_workspace(self, call: Call, slug: str) -> None:
        """Fill in the workspace and the caller's role. Raises Forbidden, also for an unknown one."""
        db, key = call.site.db, (call.caller.user_id, slug)
        found = self._workspaces.find(db, key)
        if found is None:
            commits = db.commits
            found = await call.reader.fetch_one(_WORKSPACE, slug=slug, user_id=call.caller.user_id)
            if found is not None:
                self._workspaces.keep(db, commits, key, found)
        if found is None or call.caller.workspace_id not in (None, found["id"]):
            raise Forbidden
        call.workspace, call.workspace_role = found, found["role"]

    async def enter_project(self, call: Call, project_id: str) -> None:
        """Fill in the project and the caller's role there: 0 for a public one they don't belong to.

        Raises NotFound, also for a project that they can't see or that their app may not access."""
        db, key = call.site.db, (call.caller.user_id, call.workspace_id, project_id)
        found = self._projects.find(db, key)
        if found is None:
            commits = db.commits
            found = await call.reader.fetch_one(
                _PROJECT, workspace_id=call.workspace_id, project_id=project_id, user_id=call.caller.user_id
            )
            if found is None:
                raise NotFound
            self._projects.keep(db, commits, key, found)
        await _require_chosen(call, found["id"])
        role = self.role_in(found, call.workspace_role, call.caller.user_id)
        if role is None:
            raise NotFound
        call.project, call.project_role = found, role

    def role_in(self, project: Row, workspace_role: int, user_id: str) -> int | None:
        """As the function of this name."""
        return role_in(project, workspace_role, user_id)

    async def enter_unchecked(self, call: Call, workspace_id: str, project_id: str | None) -> None:
        """Fill in workspace and project, also deleted ones, with an admin's roles."""
        call.workspace = await call.reader.find(workspaces, id=workspace_id) or {"id": workspace_id}
        call.workspace_role = ADMIN
        if project_id is not None:
            keys = {"workspace_id": workspace_id, "id": project_id}
            call.project = await call.reader.find(projects, **keys) or {"id": project_id}
            call.project_role = ADMIN

    async def identify_project(self, call: Call, identifier: str) -> str | None:
        db, key = call.site.db, (call.workspace_id, identifier)
        found = self._identifiers.find(db, key)
        if found is None:
            commits = db.commits
            found = await find_project_id(call, identifier)
            if found is not None:
                self._identifiers.keep(db, commits, key, found)
        return found

    def is_feature_on(self, call: Call, name: str) -> bool:
        if call.project:
            return is_on(call.project, name)
        return bool(call.workspace["features"].get(name, False))

    async def lock_workspace(self, call: Call) -> None:
        await call.writer.lock(workspaces, id=call.workspace_id)

    async def describe_user(self, call: Call, user_id: str) -> Row | None:
        return (await find_users(call, [user_id])).get(user_id)


def role_in(project: Row, workspace_role: int, user_id: str) -> int | None:
    """A user's role in a project: 0 if they only see it, None if they don't; `member_role` is that of their
    membership.

    The project's role applies, except: its lead is an admin there, workspace admins are admins everywhere, and a
    guest of the workspace is never more than a guest."""
    member_role = project["member_role"]
    if workspace_role >= ADMIN:
        return ADMIN
    if workspace_role < MEMBER:
        return None if member_role is None else GUEST
    if member_role is None:
        return 0 if project["network"] == PUBLIC else None
    return ADMIN if project["project_lead_id"] == user_id else member_role


async def _require_chosen(call: Call, project_id: str) -> None:
    """Raises NotFound. Reads the installation before refusing, since the app may have just created the project."""
    chosen, installation_id = call.caller.projects, call.caller.installation_id
    if chosen is None or project_id in chosen:
        return
    row = await call.reader.find(installations, id=installation_id) if installation_id else None
    if row is None or (row["project_ids"] is not None and project_id not in row["project_ids"]):
        raise NotFound


def in_visible_projects(
    call: Call, column: sa.ColumnElement[Any], *, admins_see_all: bool = True
) -> Narrowing:
    """Limit records of several projects to those of the caller's projects: all for a workspace admin, the granted
    ones for an app. Records of deleted and archived projects are left out. `column` is the records' project_id."""
    every = admins_see_all and call.workspace_role >= ADMIN
    clauses = _seen_clauses(column, every, call.caller.projects is not None)
    return Narrowing(clauses, _seen_params(call))


def in_listed_projects(call: Call) -> Narrowing:
    """Limit the list of projects to the caller's own, and for a member of the workspace the public ones."""
    is_limited = call.caller.projects is not None
    if call.workspace_role >= ADMIN and not is_limited:
        return EVERYTHING
    role = min(call.workspace_role, ADMIN)
    return Narrowing(_listed_clauses(role >= MEMBER, role == ADMIN, is_limited), _seen_params(call))


def in_app_projects(call: Call, column: sa.ColumnElement[Any]) -> Narrowing:
    """Limit records of several projects to those that the caller's app may access; no limit for other callers."""
    if call.caller.projects is None:
        return EVERYTHING
    return Narrowing(_reached_clauses(column), {"reached_projects": sorted(call.caller.projects)})


def _seen_params(call: Call) -> Mapping[str, Any]:
    params: dict[str, Any] = {"seen_workspace_id": call.workspace_id, "seen_user_id": call.caller.user_id}
    if call.caller.projects is not None:
        params["reached_projects"] = sorted(call.caller.projects)
    return params


@cache
def _reached_clauses(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    return (any_of(column, "reached_projects", IdList()),)


@cache
def _seen_clauses(
    column: sa.ColumnElement[Any], every: bool, limited: bool
) -> tuple[sa.ColumnElement[bool], ...]:
    visible = projects.alias("seen_projects")
    conditions = (tenant(visible, "seen_workspace_id"), live(visible), visible.c.archived_at.is_(None))
    # All projects are looked up for each record, few own ones are collected once.
    seen = (
        sa.exists().where(*conditions, visible.c.id == column).correlate_except(visible)
        if every
        else column.in_(sa.select(visible.c.id).where(*conditions, visible.c.id.in_(_own_projects())))
    )
    return (seen, *_reached_clauses(column)) if limited else (seen,)


@cache
def _listed_clauses(public: bool, every: bool, limited: bool) -> tuple[sa.ColumnElement[bool], ...]:
    own = projects.c.id.in_(_own_projects())
    listed = () if every else (sa.or_(own, projects.c.network == PUBLIC) if public else own,)
    return (*listed, *_reached_clauses(projects.c.id)) if limited else listed


def _own_projects() -> sa.Select[Any]:
    own = project_members.alias("seen_members")
    return sa.select(own.c.project_id).where(
        tenant(own, "seen_workspace_id"),
        own.c.member_id == sa.bindparam("seen_user_id", type_=users.c.id.type),
        live(own),
    )
