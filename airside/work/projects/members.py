"""Who belongs to a project and in which role, at both paths that clients use for it.

Lists show people; a write answers with the membership. Either's id names a member in the URL.
"""

from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.statements import Statement
from airside.errors import Invalid, NotFound, Refused
from airside.identity.tables import users
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.gate import record_deleted
from airside.rest.resource import ADMIN, GUEST, Resource, Route, Shown
from airside.rest.routes import WORKSPACE
from airside.rest.verbs import create, delete, store_changes, update
from airside.work.projects.tables import project_members
from airside.workspaces.members import find_member
from airside.workspaces.people import (
    MEMBER_QUERY,
    Circle,
    MemberOut,
    list_people,
    page_people,
    people_statement,
    shape_member,
)
from airside.workspaces.roles import get_role
from airside.workspaces.tables import workspace_members

PATHS = ("project-members", "members")

_m, _w = project_members.c, workspace_members.c
_IN_PROJECT = (
    _m.workspace_id == sa.bindparam("workspace_id", type_=Id()),
    _m.project_id == sa.bindparam("project_id", type_=Id()),
    _m.deleted_at.is_(None),
)
PROJECT_CIRCLE = Circle(
    namespace="project",
    source=sa.join(project_members, users, users.c.id == _m.member_id).join(
        workspace_members, sa.and_(_w.workspace_id == _m.workspace_id, _w.user_id == _m.member_id)
    ),
    role=_m.role,
    is_active=_w.is_active,
    joined_at=_m.created_at,
    conditions=_IN_PROJECT,
)

_ONE_PERSON = Statement(
    people_statement(PROJECT_CIRCLE).where(_m.id == sa.bindparam("membership_id", type_=Id()))
)
_MEMBERSHIP = Statement(
    sa.select(_m.id).where(
        *_IN_PROJECT,
        sa.or_(
            _m.id == sa.bindparam("membership_id", type_=Id()),
            _m.member_id == sa.bindparam("user_id", type_=Id()),
        ),
    )
)
_ALL_OF_USER = Statement(
    sa.select(project_members)
    .where(
        _m.workspace_id == sa.bindparam("workspace_id", type_=Id()),
        _m.member_id == sa.bindparam("user_id", type_=Id()),
        _m.deleted_at.is_(None),
    )
    .order_by(_m.id)
)


class ProjectMemberIn(Body):
    member: Uuid
    role: Literal[20, 15, 5] = GUEST


class RoleIn(Body):
    role: Literal[20, 15, 5] = GUEST


class ProjectMembershipOut(Shown):
    id: str
    member: str  # the user
    role: int


class ProjectMemberOut(MemberOut):
    """One person in full; `member` repeats their id under the name that the membership's body has for it."""

    member: str


class ProjectMembers(Resource):
    path = "projects/{project_id}/project-members"
    key = "member_id"
    noun = "Project member"
    table, body, shown = project_members, ProjectMemberIn, ProjectMembershipOut
    scope = "projects.members"
    event = "project.member"
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        await _check_role(call, row["member_id"], row["role"])
        if await _find_membership(call, row["member_id"]) is not None:
            raise Refused("The payload is not valid")  # Plane's words for somebody who is a member already

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        await _check_role(call, row["member_id"], changes.get("role", row["role"]))


PROJECT_MEMBERS = ProjectMembers()


async def list_project_members(call: Call) -> Any:
    return await list_people(call, PROJECT_CIRCLE, **_project(call))


async def page_project_members(call: Call) -> Any:
    return await page_people(call, PROJECT_CIRCLE, **_project(call))


async def retrieve_project_member(call: Call) -> Any:
    """The person, with the role they hold here."""
    found = await call.reader.fetch_one(
        _ONE_PERSON, **_project(call), membership_id=await _get_membership(call)
    )
    if found is None:
        raise NotFound
    return shape_member(PROJECT_CIRCLE, found) | {"member": found["id"]}


async def update_project_member(call: Call) -> Any:
    call.path[PROJECT_MEMBERS.key] = await _get_membership(call)
    return await update(PROJECT_MEMBERS, call)


async def delete_project_member(call: Call) -> None:
    call.path[PROJECT_MEMBERS.key] = await _get_membership(call)
    await delete(PROJECT_MEMBERS, call)


async def end_project_memberships(call: Call, user_id: str) -> None:
    """Every one that the user holds in this workspace, each with its event."""
    for row in await call.writer.fetch_all(_ALL_OF_USER, workspace_id=call.workspace_id, user_id=user_id):
        await store_changes(PROJECT_MEMBERS, call, row, {"deleted_at": call.now})
        await record_deleted(call, PROJECT_MEMBERS, row)


async def _check_role(call: Call, user_id: str, role: int) -> None:
    """Nobody is more in a project than in its workspace."""
    member = await find_member(call.reader, call.workspace_id, user_id)
    if member is None:
        raise Invalid({"member": ["Member not found in workspace"]})
    if role > member["role"]:
        held = get_role(member["role"]).slug
        raise Invalid({"role": [f"A {held} of the workspace cannot have a higher role in a project."]})


async def _get_membership(call: Call) -> str:
    """The membership's id, for that id or the user's in the URL. Raises NotFound."""
    found = await _find_membership(call, call.path[PROJECT_MEMBERS.key].lower())
    if found is None:
        raise NotFound
    return found


async def _find_membership(call: Call, one: str) -> str | None:
    return await call.reader.fetch_value(_MEMBERSHIP, **_project(call), membership_id=one, user_id=one)


def _project(call: Call) -> dict[str, str]:
    return {"workspace_id": call.workspace_id, "project_id": call.project_id}


def _paths(tail: str = "") -> dict[str, Any]:
    first, *others = (f"{WORKSPACE}projects/{{project_id}}/{path}{tail}" for path in PATHS)
    return {"path": first, "aliases": tuple(others), "resource": PROJECT_MEMBERS}


PROJECT_MEMBER_ROUTES = [
    Route(
        method="GET",
        **_paths(),
        handler=list_project_members,
        scope="projects.members:read",
        name="list_project_members",
        shown=list[MemberOut],
        query=MEMBER_QUERY,
    ),
    Route(
        method="POST",
        **_paths(),
        handler=partial(create, PROJECT_MEMBERS),
        scope="projects.members:write",
        name="create_project_member",
        role=ADMIN,
        status=201,
        body=ProjectMemberIn,
        shown=ProjectMembershipOut,
        event="project.member.created",
    ),
    Route(
        method="GET",
        **_paths("/{member_id}"),
        handler=retrieve_project_member,
        scope="projects.members:read",
        name="retrieve_project_member",
        shown=ProjectMemberOut,
    ),
    Route(
        method="PATCH",
        **_paths("/{member_id}"),
        handler=update_project_member,
        scope="projects.members:write",
        name="update_project_member",
        role=ADMIN,
        body=RoleIn,
        partial=True,
        shown=ProjectMembershipOut,
        event="project.member.updated",
    ),
    Route(
        method="DELETE",
        **_paths("/{member_id}"),
        handler=delete_project_member,
        scope="projects.members:write",
        name="delete_project_member",
        role=ADMIN,
        status=204,
        event="project.member.deleted",
    ),
    Route(
        method="GET",
        path=WORKSPACE + "projects/{project_id}/project-members-lite",
        handler=page_project_members,
        scope="projects.members:read",
        name="page_project_members",
        shown=MemberOut,
        paged=True,
        query=(*MEMBER_QUERY, "cursor", "per_page"),
    ),
]
