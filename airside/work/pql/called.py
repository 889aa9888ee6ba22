"""The ids that a function of a query returns: people and cycles."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live
from airside.pql.expression import Function
from airside.pql.functions import CYCLE_FUNCTIONS
from airside.work.access import PUBLIC
from airside.work.planning.tables import cycles
from airside.work.pql.scope import Scope, own_projects
from airside.work.projects.tables import project_members, projects
from airside.workspaces.tables import workspace_members

# Aliases, so that the enclosing statement can use the tables as well.
_projects = projects.alias("pql_projects_of_members")
_project_members = project_members.alias("pql_project_members")
_members = workspace_members.alias("pql_members")
_cycles = cycles.alias("pql_cycles")


def list_called(function: Function, scope: Scope) -> sa.Select[Any]:
    """The ids that a function returns."""
    return (_cycles_now if function.name in CYCLE_FUNCTIONS else _people)(function, scope)


def _cycles_now(function: Function, scope: Scope) -> sa.Select[Any]:
    """By the day: a cycle is active from its first day to its last."""
    today = datetime.combine(scope.today, time(), UTC)
    tomorrow, columns = today + timedelta(days=1), _cycles.c
    spans = {
        "activeCycle": (columns.start_date < tomorrow, columns.end_date >= today),
        "completedCycles": (columns.end_date < today,),
        "upcomingCycles": (columns.start_date >= tomorrow,),
    }
    return sa.select(columns.id).where(
        columns.workspace_id == scope.workspace_id, live(_cycles), *spans[function.name]
    )


def _people(function: Function, scope: Scope) -> sa.Select[Any]:
    if function.name == "membersOf":
        return _members_of(str(function.argument), scope)
    active = _members.c.is_active if function.name == "workspaceMembers" else ~_members.c.is_active
    return sa.select(_members.c.user_id).where(
        _members.c.workspace_id == scope.workspace_id, live(_members), active
    )


def _members_of(project_id: str, scope: Scope) -> sa.Select[Any]:
    """The members of a project, if the caller may see them."""
    found = sa.select(_project_members.c.member_id).where(
        _project_members.c.workspace_id == scope.workspace_id,
        _project_members.c.project_id == project_id,
        live(_project_members),
    )
    if scope.projects is not None and project_id not in scope.projects:
        return found.where(sa.false())
    if scope.is_admin:
        return found
    seen = sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id,
        live(_projects),
        sa.or_(_projects.c.network == PUBLIC, _projects.c.id.in_(own_projects(scope))),
    )
    return found.where(_project_members.c.project_id.in_(seen))
