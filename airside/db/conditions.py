"""Conditions that nearly every statement has: the records of one workspace or project, and those not deleted."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from airside.db.statements import unindexed

InProject = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]

_shared: dict[sa.Table, InProject] = {}


def tenant(table: sa.FromClause, parameter: str = "workspace_id") -> sa.ColumnElement[bool]:
    """The table's rows of the workspace in this parameter."""
    column = table.c.workspace_id
    return column == sa.bindparam(parameter, type_=column.type)


def in_project(
    table: sa.Table, parameter: str = "project_id", *, names_few: bool = False
) -> sa.ColumnElement[bool]:
    """The table's rows of the project in this parameter, also the shared ones, see `share_in_projects`. With
    `names_few` another condition chooses the index."""
    project = sa.bindparam(parameter, type_=table.c.project_id.type)
    column: sa.ColumnElement[Any] = unindexed(table.c.project_id) if names_few else table.c.project_id
    shared = _shared.get(table)
    return column == project if shared is None else sa.or_(column == project, shared(project))


def share_in_projects(table: sa.Table, condition: InProject) -> None:
    """Declare by a condition, which gets a project's id, which rows a project has besides its own ones."""
    _shared[table] = condition


def live(table: sa.FromClause, *, names_few: bool = False) -> sa.ColumnElement[bool]:
    """The table's rows that aren't soft-deleted. With `names_few` another condition chooses the index."""
    column: sa.ColumnElement[Any] = unindexed(table.c.deleted_at) if names_few else table.c.deleted_at
    return column.is_(None)
