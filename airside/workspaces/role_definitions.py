"""The roles as the API lists them. Airside's are built in: three of a workspace, three of its projects.

Plane's editions have more (an owner of the workspace, commenters in projects); roles that both have share their
slugs.
"""

from typing import Any, NamedTuple
from uuid import UUID, uuid5

from airside.db.base import Row
from airside.errors import NotFound
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import Choice, read_parameter
from airside.rest.route import Route
from airside.rest.wires.v1.paging import page_query, read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.workspaces.roles import ADMIN, GUEST, MEMBER

PAGE_SIZE, PAGE_LIMIT = 20, 100

_NAMESPACE = Choice(sentence="Only the roles of workspaces or of projects.", choices=("workspace", "project"))


class RoleDefinition(NamedTuple):
    namespace: str  # workspace | project
    slug: str  # unique within its namespace only
    name: str
    level: int  # the number in a membership's `role`
    description: str


DEFINITIONS = (
    RoleDefinition("project", "admin", "Admin", ADMIN, "Manages the project and its members."),
    RoleDefinition("project", "contributor", "Contributor", MEMBER, "Creates and changes the project's records."),
    RoleDefinition("project", "guest", "Guest", GUEST, "Sees the project and comments."),
    RoleDefinition("workspace", "admin", "Admin", ADMIN, "Manages the workspace, its members and its apps."),
    RoleDefinition("workspace", "member", "Member", MEMBER, "Creates projects and works in them."),
    RoleDefinition("workspace", "guest", "Guest", GUEST, "Sees the projects it was added to."),
)  # fmt: skip


class RoleOut(Shown):
    id: str
    name: str
    slug: str
    namespace: str
    description: str
    level: int
    is_system: bool


def role_slugs(namespace: str) -> dict[int, str]:
    """Role number → slug."""
    return {role.level: role.slug for role in DEFINITIONS if role.namespace == namespace}


def role_id(workspace_id: str, role: RoleDefinition) -> str:
    """Deterministic, and different in each workspace."""
    return str(uuid5(UUID(workspace_id), f"{role.namespace}.{role.slug}"))


def show_role(workspace_id: str, role: RoleDefinition) -> Row:
    return {
        "id": role_id(workspace_id, role),
        "name": role.name,
        "slug": role.slug,
        "namespace": role.namespace,
        "description": role.description,
        "level": role.level,
        "is_system": True,
    }


async def list_roles(call: Call) -> Any:
    """The roles of both namespaces, or of the query's `namespace`."""
    page = read_page(call.query, PAGE_SIZE, PAGE_LIMIT)
    found = _list_shown(call, read_parameter(_NAMESPACE, "namespace", call.query))
    return wrap_page(page, len(found), found[page.offset : page.offset + page.size])


async def retrieve_role(call: Call) -> Any:
    wanted = call.path["role_id"]
    for role in _list_shown(call, None):
        if role["id"] == wanted:
            return role
    raise NotFound


def _list_shown(call: Call, namespace: str | None) -> list[Row]:
    return [
        show_role(call.workspace_id, role)
        for role in DEFINITIONS
        if not namespace or role.namespace == namespace
    ]


ROLE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "roles",
        handler=list_roles,
        scope="workspaces.members:read",
        name="list_roles",
        summary="List the roles that people can have",
        shown=RoleOut,
        paged=True,
        query={
            "namespace": _NAMESPACE.describe("namespace"),
            **page_query(PAGE_SIZE, PAGE_LIMIT),
        },
    ),
    Route(
        method="GET",
        path=WORKSPACE + "roles/{role_id}",
        handler=retrieve_role,
        scope="workspaces.members:read",
        name="retrieve_role",
        summary="Retrieve a role",
        shown=RoleOut,
    ),
]
