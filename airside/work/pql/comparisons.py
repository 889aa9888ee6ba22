"""Comparisons of one column with the values of a condition. `how` is in, null, an order, or ~ for texts."""

import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live
from airside.pql.expression import Function, Key, Value
from airside.pql.functions import resolve_day
from airside.work.pql.called import list_called
from airside.work.pql.scope import Clause, Scope, either, one_of
from airside.work.projects.tables import projects

_projects = projects.alias("pql_projects")  # so that the enclosing statement can use the table as well

ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

COUNTS = {**ORDERS, "=": operator.eq, "!=": operator.ne}


def compare(column: sa.ColumnElement[Any], how: str, values: Sequence[Any]) -> Clause:
    """With numbers, days, or what else has an order."""
    if how == "null":
        return column.is_(None)
    if how == "in":
        return either([column == value for value in values])
    return ORDERS[how](column, values[0])


def compare_instant(column: sa.ColumnElement[Any], how: str, values: Sequence[Value], scope: Scope) -> Clause:
    if how == "null":
        return column.is_(None)
    return either([_compare_moment(column, how, resolve(value, scope)) for value in values])


def _compare_moment(column: sa.ColumnElement[Any], how: str, value: Any) -> Clause:
    """A day is a range of instants: `=` is within it, `>` after its end."""
    if isinstance(value, datetime):
        return column == value if how == "in" else ORDERS[how](column, value)
    start = datetime.combine(value, time(), UTC)
    end = start + timedelta(days=1)
    match how:
        case "in":
            return sa.and_(column >= start, column < end)
        case "<" | ">=":
            return ORDERS[how](column, start)
        case _:
            return column < end if how == "<=" else column >= end


def resolve(value: Any, scope: Scope) -> Any:
    """The value, or the day that a function returns."""
    return resolve_day(value, scope.today) if isinstance(value, Function) else value


def among(column: sa.ColumnElement[Any], values: Sequence[Value], scope: Scope) -> Clause:
    """Whether the column is one of these ids, or one of the users or cycles that a function returns."""
    ids = [scope.user_id if value == Function("currentUser") else value for value in values]
    plain = [value for value in ids if isinstance(value, str)]
    groups = [column.in_(list_called(value, scope)) for value in ids if isinstance(value, Function)]
    return sa.or_(one_of(column, plain) if plain else sa.false(), *groups)


def is_item(items: Any, values: Sequence[Value], scope: Scope) -> Clause:
    """Whether the row is one of the work items, given by id, key (WEB-11) or number."""
    ids = [value for value in values if isinstance(value, str)]
    found = [one_of(items.id, ids)] if ids else []
    for value in values:
        if isinstance(value, Key):
            in_project = items.project_id.in_(projects_called(value.project, scope))
            found.append(sa.and_(in_project, items.sequence_id == value.sequence))
        elif isinstance(value, int):
            found.append(items.sequence_id == value)
    return either(found)


def projects_called(identifier: str, scope: Scope) -> sa.Select[Any]:
    return sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id,
        _projects.c.identifier == identifier,
        live(_projects),
    )
