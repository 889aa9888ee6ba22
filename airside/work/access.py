"""Where a caller may go: workspaces they belong to, projects they belong to or that are public there."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.statements import Statement, any_of
from airside.errors import Forbidden, NotFound
from airside.identity.tables import users
from airside.rest.call import Call
from airside.rest.resource import ADMIN
from airside.work.projects.tables import project_members, projects
from airside.workspaces.tables import workspace_members, workspaces

PUBLIC = 2  # projects.network: seen by every member of the workspace

USER_FIELDS = ("id", "first_name", "last_name", "email", "avatar", "avatar_url", "display_name")

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
        workspaces.c.deleted_at.is_(None),
        workspace_members.c.user_id == sa.bindparam("user_id", type_=users.c.id.type),
        workspace_members.c.is_active,
        workspace_members.c.deleted_at.is_(None),
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
            project_members.c.deleted_at.is_(None),
        ),
        isouter=True,
    )
    .where(
        projects.c.workspace_id == sa.bindparam("workspace_id", type_=users.c.id.type),
        projects.c.id == sa.bindparam("project_id", type_=users.c.id.type),
        projects.c.deleted_at.is_(None),
    )
)

_USERS = Statement(sa.select(*(users.c[name] for name in USER_FIELDS)).where(any_of(users.c.id, "ids")))


class RoleAccess:
    """The access rules of a workspace that Airside holds itself."""

    async def enter_workspace(self, call: Call, slug: str) -> None:
        """Fill in the workspace and the caller's role there. Raises Forbidden alike for unknown and foreign ones."""
        found = await call.reader.fetch_one(_WORKSPACE, slug=slug, user_id=call.caller.user_id)
        if found is None or call.caller.workspace_id not in (None, found["id"]):
            raise Forbidden
        call.workspace, call.workspace_role = found, found["role"]

    async def enter_project(self, call: Call, project_id: str) -> None:
        """Fill in the project and the caller's role there: 0 for a public one they don't belong to.

        Workspace admins are admins of every project. Raises NotFound, for a secret project too."""
        found = await call.reader.fetch_one(
            _PROJECT, workspace_id=call.workspace_id, project_id=project_id, user_id=call.caller.user_id
        )
        if found is None:
            raise NotFound
        if call.workspace_role >= ADMIN:
            role = ADMIN
        elif found["member_role"] is not None:
            role = min(found["member_role"], max(call.workspace_role, 0) or 0)
        elif found["network"] == PUBLIC:
            role = 0
        else:
            raise NotFound
        call.project, call.project_role = found, role

    async def describe_user(self, call: Call, user_id: str) -> Row | None:
        return (await find_users(call, [user_id])).get(user_id)


async def find_users(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
    """The seven fields of each of these people and bots, by id."""
    return {row["id"]: row for row in await call.reader.fetch_all(_USERS, ids=list(ids))}
