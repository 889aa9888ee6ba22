"""A project's members and their roles, at both paths that clients use.

Lists show people; a write returns the membership. The URL accepts either's id.
"""

from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.events.outbox import NewEvent, record_event
from airside.identity.tables import users
from airside.identity.users import actor_of
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.gate import record_created, record_updated, show_v2
from airside.rest.guard import check_scope
from airside.rest.record import ADMIN, GUEST, MEMBER, Record
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import create, delete, store_changes, update
from airside.rest.wires.v1.paging import page_query
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.wire import V1
from airside.runtime.site import Site
from airside.work.projects.tables import project_members
from airside.workspaces.members import find_member
from airside.workspaces.people import (
    LITE_SIZE,
    MemberOut,
    PeopleScope,
    list_people,
    page_people,
    people_query,
    people_statement,
    shape_member,
)
from airside.workspaces.tables import workspace_members

PATHS = ("project-members", "members")
NAME_ANOTHER_LEAD = "Who leads the project is an admin of it. Name another lead first."

_m, _w = project_members.c, workspace_members.c
_IN_PROJECT = (
    tenant(project_members),
    _m.project_id == sa.bindparam("project_id", type_=Id()),
    live(project_members),
)
PROJECT_PEOPLE = PeopleScope(
    namespace="project",
    source=sa.join(project_members, users, users.c.id == _m.member_id).join(
        workspace_members, sa.and_(_w.workspace_id == _m.workspace_id, _w.user_id == _m.member_id)
    ),
    role=_m.role,
    is_active=_w.is_active,
    joined_at=_m.created_at,
    user_id=_m.member_id,
    conditions=_IN_PROJECT,
)

_ONE_PERSON = Statement(
    people_statement(PROJECT_PEOPLE).where(_m.id == sa.bindparam("membership_id", type_=Id()))
)
_MEMBERSHIP = Statement(
    sa.union_all(  # each by its own index
        sa.select(_m.id).where(*_IN_PROJECT, _m.id == sa.bindparam("membership_id", type_=Id())),
        sa.select(_m.id).where(*_IN_PROJECT, _m.member_id == sa.bindparam("user_id", type_=Id())),
    )
)
_ALL_OF_USER = Statement(
    sa.select(project_members)
    .where(
        tenant(project_members),
        _m.member_id == sa.bindparam("user_id", type_=Id()),
        live(project_members),
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
    """One person in full; `member` repeats their id, as in the membership's body."""

    member: str


class ProjectMembers(Record):
    noun = "Project member"
    table = project_members
    event = "project.member"
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        _check_own_act(call, row["member_id"], row["role"])
        await _check_role(call, row["member_id"], row["role"])
        if await _find_membership(call, row["member_id"]) is not None:
            raise Refused("The payload is not valid")  # Plane's message for a person who is a member already

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _check_own_act(call, row["member_id"], max(row["role"], changes.get("role", row["role"])))
        await _check_role(call, row["member_id"], changes.get("role", row["role"]))

    async def before_delete(self, call: Call, row: Row, /) -> None:
        _check_own_act(call, row["member_id"], row["role"])
        if call.project["project_lead_id"] == row["member_id"]:
            raise Refused(NAME_ANOTHER_LEAD)


PROJECT_MEMBERS = ProjectMembers()
PROJECT_MEMBERS_V1 = Face(
    PROJECT_MEMBERS,
    wire=V1,
    path="projects/{project_id}/project-members",
    key="member_id",
    body=ProjectMemberIn,
    shown=ProjectMembershipOut,
    scope="projects.members",
)


async def list_project_members(call: Call) -> Any:
    return await list_people(call, PROJECT_PEOPLE, **_project(call))


async def page_project_members(call: Call) -> Any:
    return await page_people(call, PROJECT_PEOPLE, **_project(call))


async def retrieve_project_member(call: Call) -> Any:
    """The person, with their role in the project."""
    found = await call.reader.fetch_one(
        _ONE_PERSON, **_project(call), membership_id=await _get_membership(call)
    )
    if found is None:
        raise NotFound
    return shape_member(PROJECT_PEOPLE, found) | {"member": found["id"]}


async def update_project_member(call: Call) -> Any:
    call.path[PROJECT_MEMBERS_V1.key] = await _get_membership(call)
    return await update(PROJECT_MEMBERS_V1, call)


async def delete_project_member(call: Call) -> None:
    call.path[PROJECT_MEMBERS_V1.key] = await _get_membership(call)
    await delete(PROJECT_MEMBERS_V1, call)


async def join_project(call: Call) -> Any:
    """Add the caller to a public project as a member. Raises Refused."""
    if call.project_role:
        raise Refused("You are a member of this project already.")
    if call.project["archived_at"]:
        raise Refused("Archived project cannot be updated")
    call.body = {"member": call.caller.user_id, "role": MEMBER}
    return await create(PROJECT_MEMBERS_V1, call)


async def make_lead(call: Call, user_id: str) -> None:
    """Make the lead of the call's project an admin of it; a guest of the workspace stays a guest.

    Raises InsufficientScope for an app that may not write memberships, unless the lead has the role already."""
    _check_own_act(call, user_id, ADMIN)
    role, found = await lead_role(call, user_id), await _find_membership(call, user_id)
    if found is None:
        check_lead_scope(call)
        row = new_membership(call, call.project_id, user_id, role)
        await call.writer.insert(project_members, row)
        await record_created(call, PROJECT_MEMBERS_V1, row)
        return
    before = await find_record(PROJECT_MEMBERS_V1, call, found, lock=True)
    if before["role"] < role:
        check_lead_scope(call)
        after = await store_changes(PROJECT_MEMBERS_V1, call, before, {"role": role})
        await record_updated(call, PROJECT_MEMBERS_V1, before, after, ("role",))


def check_lead_scope(call: Call) -> None:
    """The lead's membership needs the same scope as any other. Raises InsufficientScope."""
    check_scope(call.caller, f"{PROJECT_MEMBERS_V1.scope}:write")


async def lead_role(call: Call, user_id: str) -> int:
    member = await find_member(call.reader, call.workspace_id, user_id)
    return GUEST if member is None or member["role"] < MEMBER else ADMIN


def new_membership(call: Call, project_id: str, user_id: str, role: int) -> Row:
    return {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "project_id": project_id,
        "member_id": user_id,
        "role": role,
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": call.caller.user_id,
        "updated_by_id": None,
    }


async def end_project_memberships(
    tx: Transaction, site: Site, workspace_id: str, user_id: str, by: Row
) -> None:
    """End all of the user's memberships in the workspace's projects, each with its event."""
    now = site.clock.now()
    for row in await tx.fetch_all(_ALL_OF_USER, workspace_id=workspace_id, user_id=user_id):
        changes = {"deleted_at": now, "updated_at": now, "updated_by_id": by["id"]}
        await tx.update(project_members, changes, workspace_id=workspace_id, id=row["id"])
        event = NewEvent(
            workspace_id=workspace_id,
            name="project.member.deleted",
            entity_id=row["id"],
            project_id=row["project_id"],
            actor_id=by["id"],
            actor=actor_of(by),
            at=now,
            data={"id": row["id"]},
            data_v2={},
            previous=show_v2(PROJECT_MEMBERS_V1, row),
        )
        await record_event(tx, site.wakeups, event)


def _check_own_act(call: Call, user_id: str, role: int) -> None:
    """A bot that is admin of the project may write memberships, but not its own and not above its own role.
    Raises Forbidden."""
    if call.caller.kind == "bot" and (user_id == call.caller.user_id or role > call.project_role):
        raise Forbidden


async def _check_role(call: Call, user_id: str, role: int) -> None:
    """Raises Invalid: a guest of the workspace can't get a higher role, and a lead stays an admin."""
    member = await find_member(call.reader, call.workspace_id, user_id)
    if member is None:
        raise Invalid({"member": ["Member not found in workspace"]})
    if member["role"] < MEMBER:
        if role > member["role"]:
            raise Invalid({"role": ["A guest of the workspace cannot have a higher role in a project."]})
    elif role < ADMIN and call.project["project_lead_id"] == user_id:
        raise Invalid({"role": [NAME_ANOTHER_LEAD]})


async def _get_membership(call: Call) -> str:
    """The id of the membership, given by its own or the user's id in the URL. Raises NotFound."""
    found = await _find_membership(call, call.path[PROJECT_MEMBERS_V1.key])
    if found is None:
        raise NotFound
    return found


async def _find_membership(call: Call, one: str) -> str | None:
    return await call.reader.fetch_value(_MEMBERSHIP, **_project(call), membership_id=one, user_id=one)


def _project(call: Call) -> dict[str, str]:
    return {"workspace_id": call.workspace_id, "project_id": call.project_id}


def _paths(tail: str = "") -> dict[str, Any]:
    first, *others = (f"{WORKSPACE}projects/{{project_id}}/{path}{tail}" for path in PATHS)
    return {"path": first, "aliases": tuple(others), "face": PROJECT_MEMBERS_V1}


PROJECT_MEMBER_ROUTES = [
    Route(
        method="GET",
        **_paths(),
        handler=list_project_members,
        scope="projects.members:read",
        name="list_project_members",
        summary="List the members of a project",
        shown=list[MemberOut],
        query=people_query(PROJECT_PEOPLE),
    ),
    Route(
        method="POST",
        **_paths(),
        handler=partial(create, PROJECT_MEMBERS_V1),
        scope="projects.members:write",
        name="create_project_member",
        may_conflict=True,
        summary="Add a person to a project",
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
        summary="Retrieve a member of a project",
        shown=ProjectMemberOut,
    ),
    Route(
        method="PATCH",
        **_paths("/{member_id}"),
        handler=update_project_member,
        scope="projects.members:write",
        name="update_project_member",
        summary="Change a member's role in a project",
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
        summary="Remove a person from a project",
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
        summary="List the members of a project, page by page",
        shown=MemberOut,
        paged=True,
        query={**people_query(PROJECT_PEOPLE), **page_query(LITE_SIZE, LITE_SIZE)},
    ),
]

# For pages only: Plane's API has no operation to join a public project, so it isn't in the table.
JOIN_PROJECT = Route(
    method="POST",
    path=WORKSPACE + "projects/{project_id}/join",
    handler=join_project,
    scope="projects.members:write",
    name="join_project",
    summary="Join a public project",
    role=0,
    status=201,
    shown=ProjectMembershipOut,
    event="project.member.created",
)
