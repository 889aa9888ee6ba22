"""Compiles an expression to a condition on work_items in SQL. Values are always parameters, and every subquery is
limited to the workspace."""

import operator
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, IdList, TextList
from airside.db.conditions import live
from airside.db.statements import any_of
from airside.errors import Invalid
from airside.pql.expression import (
    Condition,
    Either,
    Every,
    Expression,
    Function,
    Key,
    Negation,
    Predicate,
    QueryError,
    Value,
)
from airside.pql.fields import OPEN_GROUPS
from airside.pql.functions import CYCLE_FUNCTIONS, resolve_day
from airside.rest.call import Call
from airside.rest.parameters import Link
from airside.rest.record import ADMIN
from airside.work.access import PUBLIC
from airside.work.planning.milestone_tables import IN_MILESTONES
from airside.work.planning.tables import IN_CYCLES, IN_MODULES, cycles
from airside.work.pql.text import contains
from airside.work.projects.states import states
from airside.work.projects.tables import project_members, projects
from airside.work.types.tables import work_item_types
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.tables import work_items
from airside.workspaces.tables import workspace_members

Clause = sa.ColumnElement[bool]

# Aliases, so that the enclosing statement can use the tables as well.
_states = states.alias("pql_states")
_projects = projects.alias("pql_projects")
_types = work_item_types.alias("pql_types")
_others = work_items.alias("pql_work_items")
_project_members = project_members.alias("pql_project_members")
_own = project_members.alias("pql_own_projects")
_members = workspace_members.alias("pql_members")
_cycles = cycles.alias("pql_cycles")

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
_LINKS: dict[str, Link] = {
    "cycle": IN_CYCLES,
    "module": IN_MODULES,
    "milestone": IN_MILESTONES,
    **{one.query: one.filter.link for one in COMPUTED.values() if one.filter is not None and one.filter.link},
}
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Scope(NamedTuple):
    """The caller, workspace and day of a query; with the expression, the cache key of its clause."""

    workspace_id: str
    user_id: str
    today: date  # in UTC
    is_admin: bool
    projects: frozenset[str] | None = None  # the only projects that the caller's app may access


def compile_pql(text: str, call: Call) -> Clause:
    """The query as a condition on work_items. Raises Invalid under `pql`."""
    from airside.pql.parse import parse_pql  # importing lark would slow down the start

    expression = parse_pql(text)
    try:
        return compile_expression(expression, scope_of(call))
    except QueryError as error:
        raise Invalid({"pql": [str(error)]}) from None


def scope_of(call: Call) -> Scope:
    is_admin = call.workspace_role >= ADMIN
    today = call.now.astimezone(UTC).date()
    return Scope(call.workspace_id, call.caller.user_id, today, is_admin, call.caller.projects)


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
            return _negate(_compile(part, scope))
        case Predicate(name, arguments):
            return _PREDICATES[name](arguments, scope)
        case Condition():
            return _compile_condition(expression, scope)


def _compile_condition(condition: Condition, scope: Scope) -> Clause:
    """`!=` and `not in` are the exact negation of `=` and `in`: they include records without a value."""
    name, compile_kind = condition.field.name, _KINDS[condition.field.kind]
    match condition.operator:
        case "!=" | "not in":
            return _negate(compile_kind(name, "in", condition.values, scope))
        case "=":
            return compile_kind(name, "in", condition.values, scope)
        case "not null":
            return _negate(compile_kind(name, "null", (), scope))
        case "between":
            low, high = condition.values
            return sa.and_(compile_kind(name, ">=", (low,), scope), compile_kind(name, "<=", (high,), scope))
        case other:
            return compile_kind(name, other, condition.values, scope)


def _negate(clause: Clause) -> Clause:
    """NOT, with NULL as false: true where SQL's NOT would be NULL."""
    return sa.not_(sa.func.coalesce(clause, sa.false(), type_=sa.Boolean()))


def _choice(name: str, _: str, values: Sequence[Value], scope: Scope) -> Clause:
    return _in_groups(values, scope) if name == "state_group" else _one_of(_COLUMNS[name], values)


def _flag(name: str, _: str, values: Sequence[Value], scope: Scope) -> Clause:
    return _COLUMNS[name] if values[0] else _negate(_COLUMNS[name])


def _text(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    columns = _TEXTS[name]
    if how == "null":
        return sa.and_(*(sa.or_(column.is_(None), column == "") for column in columns))
    if how == "~":
        return sa.or_(*(contains(column, str(values[0])) for column in columns))
    return sa.or_(*(_one_of(column, values) for column in columns))


def _number(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    column = _COLUMNS[name]
    if how == "null":
        return column.is_(None)
    if how == "in":
        return sa.or_(*(column == value for value in values))
    return _ORDERS[how](column, values[0])


def _date(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    return _number(name, how, [_day(value, scope) for value in values], scope)


def _instant(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    column = _COLUMNS[name]
    if how == "null":
        return column.is_(None)
    found = [_compare_instant(column, how, _day(value, scope)) for value in values]
    return sa.or_(*found)


def _compare_instant(column: sa.ColumnElement[Any], how: str, value: Any) -> Clause:
    """A day is a range of instants: `=` is within it, `>` after its end."""
    if isinstance(value, datetime):
        return column == value if how == "in" else _ORDERS[how](column, value)
    start = datetime.combine(value, time(), UTC)
    end = start + timedelta(days=1)
    match how:
        case "in":
            return sa.and_(column >= start, column < end)
        case "<" | ">=":
            return _ORDERS[how](column, start)
        case _:
            return column < end if how == "<=" else column >= end


def _day(value: Any, scope: Scope) -> Any:
    return resolve_day(value, scope.today) if isinstance(value, Function) else value


def _key(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    if how == "~":
        return _key_contains(values[0], scope)
    if how == "in":
        return _is_item(_items, values, scope)
    value = values[0]
    if isinstance(value, Key):
        in_project = _items.project_id.in_(_projects_called(value.project, scope))
        return sa.and_(in_project, _ORDERS[how](_items.sequence_id, value.sequence))
    return _ORDERS[how](_items.sequence_id, value)


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
    if name in _LINKS:
        return _linked(name, how, values, scope)
    column = _COLUMNS[name]
    return column.is_(None) if how == "null" else _among(column, values, scope)


def _linked(name: str, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    link = _LINKS[name]
    columns = link.table.c
    found = sa.select(columns[link.record]).where(
        columns.workspace_id == scope.workspace_id, *link.conditions
    )
    if how == "null":
        return _negate(found.where(columns[link.record] == _items.id).correlate(work_items).exists())
    found = found.where(_among(columns[link.value], values, scope))
    return _items.id.in_(found.correlate(None))


def _among(column: sa.ColumnElement[Any], values: Sequence[Value], scope: Scope) -> Clause:
    """Whether the column is one of these ids, or one of the users or cycles that a function returns."""
    ids = [scope.user_id if value == Function("currentUser") else value for value in values]
    plain = [value for value in ids if isinstance(value, str)]
    groups = [column.in_(_called(value, scope)) for value in ids if isinstance(value, Function)]
    return sa.or_(_one_of(column, plain) if plain else sa.false(), *groups)


def _called(function: Function, scope: Scope) -> sa.Select[Any]:
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
    own = sa.select(_own.c.project_id).where(
        _own.c.workspace_id == scope.workspace_id,
        _own.c.member_id == scope.user_id,
        live(_own),
    )
    seen = sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id,
        live(_projects),
        sa.or_(_projects.c.network == PUBLIC, _projects.c.id.in_(own)),
    )
    return found.where(_project_members.c.project_id.in_(seen))


def _is_item(items: Any, values: Sequence[Value], scope: Scope) -> Clause:
    """Whether the row is one of the work items, given by id, key (WEB-11) or number."""
    ids = [value for value in values if isinstance(value, str)]
    found = [_one_of(items.id, ids)] if ids else []
    for value in values:
        if isinstance(value, Key):
            in_project = items.project_id.in_(_projects_called(value.project, scope))
            found.append(sa.and_(in_project, items.sequence_id == value.sequence))
        elif isinstance(value, int):
            found.append(items.sequence_id == value)
    return sa.or_(*found)


def _projects_called(identifier: str, scope: Scope) -> sa.Select[Any]:
    return sa.select(_projects.c.id).where(
        _projects.c.workspace_id == scope.workspace_id,
        _projects.c.identifier == identifier,
        live(_projects),
    )


def _in_groups(groups: Sequence[Value], scope: Scope) -> Clause:
    found = sa.select(_states.c.id).where(
        _states.c.workspace_id == scope.workspace_id, _one_of(_states.c.group, groups)
    )
    return _items.state_id.in_(found)


def _one_of(column: sa.ColumnElement[Any], values: Sequence[Value]) -> Clause:
    """Equal to one of the values, which are sent as one parameter."""
    if len(values) == 1:
        return column == values[0]
    found = any_of(column, "", IdList() if isinstance(column.type, Id) else TextList())
    found.values = sa.bindparam(None, list(values), type_=found.of)
    return found


def _item_relation(inner: str, outer: str) -> Callable[[Sequence[Key | str], Scope], Clause]:
    """Whether the work item's column `outer` equals `inner` of one of the named work items."""

    def compile_relation(arguments: Sequence[Key | str], scope: Scope) -> Clause:
        found = sa.select(_others.c[inner]).where(
            _others.c.workspace_id == scope.workspace_id,
            live(_others),
            _others.c[inner].is_not(None),
            _is_item(_others.c, arguments, scope),
        )
        return _items[outer].in_(found)

    return compile_relation


def _has_children(_: Any, scope: Scope) -> Clause:
    found = sa.select(_others.c.id).where(
        _others.c.workspace_id == scope.workspace_id,
        _others.c.parent_id == _items.id,
        live(_others),
    )
    return found.correlate(work_items).exists()


def _is_overdue(_: Any, scope: Scope) -> Clause:
    return sa.and_(_items.target_date < scope.today, _in_groups(OPEN_GROUPS, scope))


def _is_epic(_: Any, scope: Scope) -> Clause:
    found = sa.select(_types.c.id).where(_types.c.workspace_id == scope.workspace_id, _types.c.is_epic)
    return _items.type_id.in_(found)


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

_PREDICATES: dict[str, Callable[[Sequence[Key | str], Scope], Clause]] = {
    "isOverdue": _is_overdue,
    "hasNoAssignee": lambda _, scope: _linked("assignee", "null", (), scope),
    "hasNoLabel": lambda _, scope: _linked("label", "null", (), scope),
    "isTopLevel": lambda _, scope: _items.parent_id.is_(None),
    "isSubWorkItem": lambda _, scope: _items.parent_id.is_not(None),
    "hasChildren": _has_children,
    "hasStartAndDueDates": lambda _, scope: sa.and_(
        _items.start_date.is_not(None), _items.target_date.is_not(None)
    ),
    "isDraft": lambda _, scope: _COLUMNS["is_draft"],
    "isEpic": _is_epic,
    "isArchived": lambda _, scope: _COLUMNS["is_archived"],
    "childOf": _item_relation("id", "parent_id"),
    "parentOf": _item_relation("parent_id", "id"),
}
