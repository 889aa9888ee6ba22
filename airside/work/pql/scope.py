"""Who asks a query, where and when; and what all of its parts share."""

from collections.abc import Sequence
from datetime import UTC, date
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, IdList, TextList
from airside.db.conditions import live
from airside.db.statements import any_of
from airside.pql.expression import Value
from airside.rest.call import Call
from airside.rest.record import ADMIN
from airside.work.projects.tables import project_members, projects

Clause = sa.ColumnElement[bool]

OR_AT_ONCE = 50

# Aliases, so that the enclosing statement can use the tables as well.
_projects = projects.alias("pql_seen_projects")
_own = project_members.alias("pql_own_projects")


class Scope(NamedTuple):
    """The caller, workspace and day of a query; with the expression, the cache key of its clause."""

    workspace_id: str
    user_id: str
    today: date  # in UTC
    is_admin: bool
    projects: frozenset[str] | None = None  # the only projects that the caller's app may access
    here: str | None = None  # the project in the URL, which the guard has checked


def scope_of(call: Call) -> Scope:
    is_admin = call.workspace_role >= ADMIN
    today = call.now.astimezone(UTC).date()
    here = call.project_id if call.project else None
    return Scope(call.workspace_id, call.caller.user_id, today, is_admin, call.caller.projects, here)


def negate(clause: Clause) -> Clause:
    """NOT, with NULL as false: true where SQL's NOT would be NULL."""
    return sa.not_(sa.func.coalesce(clause, sa.false(), type_=sa.Boolean()))


def either(clauses: Sequence[Clause]) -> Clause:
    """OR in groups, since SQLite refuses an expression that is 1000 deep."""
    if len(clauses) <= OR_AT_ONCE:
        return sa.or_(sa.false(), *clauses)
    groups = [sa.or_(*clauses[at : at + OR_AT_ONCE]) for at in range(0, len(clauses), OR_AT_ONCE)]
    return sa.or_(
        *(sa.func.coalesce(group, sa.false(), type_=sa.Boolean()) for group in groups)
    )  # kept apart


def is_visible(project_id: sa.ColumnElement[str], scope: Scope) -> Clause:
    """Whether it is the URL's project, or one that the caller belongs to, as in airside/work/access.py."""
    found = sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id, live(_projects), _projects.c.archived_at.is_(None)
    )
    if not scope.is_admin:
        found = found.where(_projects.c.id.in_(own_projects(scope)))
    if scope.projects is not None:
        found = found.where(one_of(_projects.c.id, sorted(scope.projects)))
    seen = project_id.in_(found)
    return seen if scope.here is None else sa.or_(project_id == scope.here, seen)


def own_projects(scope: Scope) -> sa.Select[tuple[str]]:
    return sa.select(_own.c.project_id).where(
        _own.c.workspace_id == scope.workspace_id, _own.c.member_id == scope.user_id, live(_own)
    )


def one_of(column: sa.ColumnElement[Any], values: Sequence[Value]) -> Clause:
    """Equal to one of the values, which are sent as one parameter."""
    if len(values) == 1:
        return column == values[0]
    found = any_of(column, "", IdList() if isinstance(column.type, Id) else TextList())
    found.values = sa.bindparam(None, list(values), type_=found.of)
    return found
