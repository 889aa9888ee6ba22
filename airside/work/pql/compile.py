"""Compiles an expression to a condition on work_items in SQL. Values are always parameters, and every subquery is
limited to the workspace."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from airside.errors import Invalid
from airside.pql.expression import (
    Condition,
    Either,
    Every,
    Expression,
    Key,
    Negation,
    Predicate,
    QueryError,
    Value,
)
from airside.pql.fields import Field
from airside.rest.call import Call
from airside.work.pql.comparisons import (
    ORDERS,
    among,
    compare,
    compare_instant,
    is_item,
    projects_called,
    resolve,
)
from airside.work.pql.linked import LINKS, compile_link
from airside.work.pql.predicates import compile_predicate, in_groups
from airside.work.pql.properties import Property, compile_property, type_properties
from airside.work.pql.scope import Clause, Scope, negate, one_of, scope_of
from airside.work.pql.text import contains
from airside.work.projects.tables import projects
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.tables import work_items

_projects = projects.alias(
    "pql_projects_of_keys"
)  # so that the enclosing statement can use the table as well

_items = work_items.c

_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "priority": _items.priority,
    "is_draft": _items.is_draft,
    "is_archived": _items.archived_at.is_not(None),
    "external_id": _items.external_id,
    "external_source": _items.external_source,
    "sequence_id": _items.sequence_id,
    "point": _items.point,
    "target_date": _items.target_date,
    "start_date": _items.start_date,
    "created_at": _items.created_at,
    "updated_at": _items.updated_at,
    "completed_at": _items.completed_at,
    "archived_at": _items.archived_at,
    "state": _items.state_id,
    "project": _items.project_id,
    "parent": _items.parent_id,
    "type": _items.type_id,
    "estimate_point": _items.estimate_point_id,
    "created_by": _items.created_by_id,
    "updated_by": _items.updated_by_id,
    **{one.query: one.sql for one in COMPUTED.values() if one.query and one.sql is not None},
}
_TEXTS: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
    "title": (_items.name,),
    "description": (_items.description_stripped,),
    "text": (_items.name, _items.description_stripped),
    "external_id": (_items.external_id,),
    "external_source": (_items.external_source,),
}


async def compile_pql(text: str, call: Call) -> Clause:
    """The query as a condition on work_items. Raises Invalid under `pql`."""
    from airside.pql.parse import parse_pql  # importing lark would slow down the start

    expression = parse_pql(text)
    try:
        return await compile_parsed(expression, call)
    except QueryError as error:
        raise Invalid({"pql": [str(error)]}) from None


async def compile_parsed(expression: Expression, call: Call) -> Clause:
    """The condition of a parsed query. Raises QueryError."""
    return compile_expression(await type_properties(expression, call), scope_of(call))


@lru_cache(256)
def compile_expression(expression: Expression, scope: Scope) -> Clause:
    """The condition, cached: the same object for the same query, so that the next page reuses its statement.

    Raises QueryError for a date out of range."""
    return _compile(expression, scope)


def _compile(expression: Expression, scope: Scope) -> Clause:
    match expression:
        case Every(parts):
            return sa.and_(sa.true(), *(_compile(part, scope) for part in parts))
        case Either(parts):
            return sa.or_(*(_compile(part, scope) for part in parts))
        case Negation(part):
            return negate(_compile(part, scope))
        case Predicate(name, arguments):
            return compile_predicate(name, arguments, scope)
        case Condition():
            return _compile_condition(expression, scope)


def _compile_condition(condition: Condition, scope: Scope) -> Clause:
    """`!=` and `not in` are the exact negation of `=` and `in`: they include records without a value."""
    field, values = condition.field, condition.values
    match condition.operator:
        case "!=" | "not in":
            return negate(_compare(field, "in", values, scope))
        case "=":
            return _compare(field, "in", values, scope)
        case "not null":
            return negate(_compare(field, "null", (), scope))
        case "between":
            low, high = values
            return sa.and_(_compare(field, ">=", (low,), scope), _compare(field, "<=", (high,), scope))
        case other:
            return _compare(field, other, values, scope)


def _compare(field: Field, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    if isinstance(field, Property):
        return compile_property(field, how, values, scope)
    return _KINDS[field.kind](field.name, how, values, scope)


def _choice(name: str, _: str, values: Sequence[Value], scope: Scope) -> Clause:
    return in_groups(values, scope) if name == "state_group" else one_of(_COLUMNS[name], values)


def _flag(name: str, _: str, values: Sequence[Value], scope: Scope) -> Clause:
    return _COLUMNS[name] if values[0] else negate(_COLUMNS[name])


def _text(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    columns = _TEXTS[name]
    if how == "null":
        return sa.and_(*(sa.or_(column.is_(None), column == "") for column in columns))
    if how == "~":
        return sa.or_(*(contains(column, str(values[0])) for column in columns))
    return sa.or_(*(one_of(column, values) for column in columns))


def _number(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    return compare(_COLUMNS[name], how, values)


def _date(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    return compare(_COLUMNS[name], how, [resolve(value, scope) for value in values])


def _instant(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    return compare_instant(_COLUMNS[name], how, values, scope)


def _key(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    if how == "~":
        return _key_contains(values[0], scope)
    if how == "in":
        return is_item(_items, values, scope)
    value = values[0]
    if isinstance(value, Key):
        in_project = _items.project_id.in_(projects_called(value.project, scope))
        return sa.and_(in_project, ORDERS[how](_items.sequence_id, value.sequence))
    return ORDERS[how](_items.sequence_id, value)


def _key_contains(value: Value, scope: Scope) -> Clause:
    if isinstance(value, Key):
        value = f"{value.project}-{value.sequence}"
    whole = _projects.c.identifier + "-" + sa.cast(_items.sequence_id, sa.Text)
    found = sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id,
        _projects.c.id == _items.project_id,
        contains(whole, str(value)),
    )
    return found.correlate(work_items).exists()


def _id(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    if name in LINKS:
        return compile_link(LINKS[name], how, values, scope)
    column = _COLUMNS[name]
    return column.is_(None) if how == "null" else among(column, values, scope)


_KINDS: dict[str, Callable[[str, str, Sequence[Value], Scope], Clause]] = {
    "choice": _choice,
    "flag": _flag,
    "text": _text,
    "key": _key,
    "date": _date,
    "instant": _instant,
    "number": _number,
    "id": _id,
    "cycle": _id,
    "person": _id,
}
