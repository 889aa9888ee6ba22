"""The number of people in each role over the projects of a workspace."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.remembered import Remembered
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.record import MEMBER
from airside.rest.route import Route
from airside.rest.totals import LARGE, LARGE_SECONDS
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.access import in_app_projects
from airside.work.projects.tables import project_members, projects
from airside.workspaces.role_definitions import DEFINITIONS, role_id
from airside.workspaces.tables import workspace_members

_large = Remembered[list[Row]](LARGE_SECONDS, until_commit=False)

Clauses = tuple[sa.ColumnElement[bool], ...]

_m, _p, _w = project_members.c, projects.c, workspace_members.c
_LIVE = sa.join(
    project_members, projects, sa.and_(_p.workspace_id == _m.workspace_id, _p.id == _m.project_id)
).join(
    workspace_members,
    sa.and_(_w.workspace_id == _m.workspace_id, _w.user_id == _m.member_id, _w.is_active),
)
_COUNTED = (sa.func.count().label("memberships"), sa.func.count(_m.member_id.distinct()).label("people"))
_CONDITIONS = (
    tenant(project_members),
    live(project_members),
    live(projects),
    _p.archived_at.is_(None),
)


@cache
def _total(clauses: Clauses) -> Statement:
    return Statement(sa.select(*_COUNTED).select_from(_LIVE).where(*_CONDITIONS, *clauses))


@cache
def _by_role(clauses: Clauses) -> Statement:
    counted = sa.select(_m.role, *_COUNTED).select_from(_LIVE)
    return Statement(counted.where(*_CONDITIONS, *clauses).group_by(_m.role))


class RoleCount(Shown):
    role_id: str
    name: str
    slug: str
    is_system: bool
    level: int
    membership_count: int
    distinct_member_count: int


class RoleDistribution(Shown):
    total_memberships: int
    total_distinct_members: int
    roles: list[RoleCount]


async def _count(call: Call, clauses: Clauses, params: Row) -> list[Row]:
    """All memberships, then those in each role; a large number is seconds old, as that of a list."""
    db = call.site.db
    key = (clauses, *(repr(value) for value in params.values()))
    found = _large.find(db, key)
    if found is None:
        total: Row = await call.reader.fetch_one(_total(clauses), **params) or _NOBODY
        found = [total, *await call.reader.fetch_all(_by_role(clauses), **params)]
        if total["memberships"] > LARGE:
            _large.keep(db, db.commits, key, found)
    return found


async def show_role_distribution(call: Call) -> Any:
    """Counts over unarchived projects, including roles that nobody has."""
    reached = in_app_projects(call, _m.project_id)
    params = {"workspace_id": call.workspace_id, **reached.params}
    total, *found = await _count(call, reached.clauses, params)
    counted = {row["role"]: row for row in found}
    return {
        "total_memberships": total["memberships"],
        "total_distinct_members": total["people"],
        "roles": [
            {
                "role_id": role_id(call.workspace_id, role),
                "name": role.name,
                "slug": role.slug,
                "is_system": True,
                "level": role.level,
                "membership_count": counted.get(role.level, _NOBODY)["memberships"],
                "distinct_member_count": counted.get(role.level, _NOBODY)["people"],
            }
            for role in DEFINITIONS
            if role.namespace == "project"
        ],
    }


_NOBODY: Row = {"memberships": 0, "people": 0}

ROLE_DISTRIBUTION_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "project-role-distribution",
        handler=show_role_distribution,
        scope="workspaces.members:read",
        name="retrieve_project_role_distribution",
        summary="Count the people in each project role",
        role=MEMBER,
        shown=RoleDistribution,
    )
]
