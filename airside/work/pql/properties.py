"""Custom properties in a query: found by id among those that the caller sees, typed, and compared by their values.

`=` and `in` mean any of the values of a work item, `!=` and `not in` none of them, also where it has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import in_project, live, tenant
from airside.db.statements import Statement, any_of
from airside.pql.expression import (
    Condition,
    Either,
    Every,
    Expression,
    Negation,
    QueryError,
    Value,
    parts_of,
)
from airside.pql.fields import Field, Kind
from airside.pql.values import type_condition
from airside.rest.call import Call
from airside.work.access import in_visible_projects
from airside.work.pql.comparisons import among, compare, compare_instant
from airside.work.pql.scope import Clause, Scope, one_of
from airside.work.pql.text import contains
from airside.work.projects.tables import projects
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import property_options, property_values, work_item_properties
from airside.work.types.value_rules import text_key
from airside.work.work_items.tables import work_items

_owners = work_item_properties
# Aliases, so that the enclosing statement can use the tables as well.
_values = property_values.alias("pql_values")
_options = property_options.alias("pql_options")
_projects = projects.alias("pql_projects_of_values")

_TEXT = ("text", "text_key")
_KINDS: dict[str, tuple[Kind, str]] = {
    "TEXT": _TEXT,
    "URL": _TEXT,
    "EMAIL": _TEXT,
    "FILE": _TEXT,
    "DECIMAL": ("decimal", "value_decimal"),
    "BOOLEAN": ("boolean", "value_boolean"),
    "DATETIME": ("instant", "value_datetime"),
    "OPTION": ("id", "value_id"),
    "CASCADING": ("id", "value_id"),
    "ISSUE": ("id", "value_id"),
    "RELEASE": ("id", "value_id"),
    "USER": ("person", "value_id"),
    "RICH_TEXT": ("document", "text_key"),
}


@dataclass(frozen=True, slots=True)
class Property(Field):
    """A custom property as a field of a query: where its values are."""

    column: str = ""
    has_options: bool = False
    project_id: str | None = None  # of all its values that the query is about


async def type_properties(expression: Expression, call: Call) -> Expression:
    """The query with the types of its custom properties. Raises QueryError for an unknown property, and for what
    doesn't fit its type."""
    ids = list(dict.fromkeys(_list_ids(expression)))
    if not ids:
        return expression
    return _type(expression, await _find_properties(call, ids))


def compile_property(owner: Property, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    """Whether a work item has such a value; for `null` whether it has none."""
    found = sa.select(_values.c.work_item_id).where(
        _values.c.workspace_id == scope.workspace_id,
        _values.c.property_id == owner.property_id,
    )
    if owner.has_options:
        found = found.where(_values.c.value_id.in_(_live_options(owner, scope)))
    if how == "null":
        return ~found.where(_values.c.work_item_id == work_items.c.id).correlate(work_items).exists()
    found = found.where(_in_projects(owner, scope), _compare(owner, how, values, scope))
    return work_items.c.id.in_(found.correlate(None))


def _list_ids(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Condition) and expression.field.property_id:
        yield expression.field.property_id
    for part in parts_of(expression):
        yield from _list_ids(part)


def _type(expression: Expression, known: Mapping[str, Property]) -> Expression:
    match expression:
        case Every(parts):
            return Every(tuple(_type(part, known) for part in parts))
        case Either(parts):
            return Either(tuple(_type(part, known) for part in parts))
        case Negation(part):
            return Negation(_type(part, known))
        case Condition(field) if field.property_id:
            if field.property_id not in known:
                raise QueryError(f"There is no property {field.name}.")
            return type_condition(known[field.property_id], expression)
        case _:
            return expression


async def _find_properties(call: Call, ids: Sequence[str]) -> Mapping[str, Property]:
    """Those of the call's project, or else of the workspace and of every project that the caller sees."""
    params: dict[str, Any] = {"workspace_id": call.workspace_id, "ids": ids}
    if call.project:
        rows = await call.reader.fetch_all(_HERE, **params, project_id=call.project_id)
    else:
        seen = in_visible_projects(call, _owners.c.project_id)
        rows = await call.reader.fetch_all(_find_anywhere(seen.clauses), **params, **seen.params)
    here = call.project_id if call.project else None
    return {row["id"]: _as_field(row, here) for row in rows}


def _as_field(row: Row, here: str | None) -> Property:
    kind, column = _KINDS.get(row["relation_type"] or row["property_type"], ("absent", ""))
    return Property(
        f'cf["{row["id"]}"]',
        kind,
        property_id=row["id"],
        column=column,
        has_options=row["property_type"] in WITH_OPTIONS,
        project_id=row["project_id"] or here,
    )


def _among_ids(*conditions: Clause) -> Statement:
    columns = (_owners.c.id, _owners.c.project_id, _owners.c.property_type, _owners.c.relation_type)
    clause = sa.select(*columns).where(tenant(_owners), any_of(_owners.c.id, "ids"), live(_owners))
    return Statement(clause.where(*conditions))


_HERE = _among_ids(in_project(_owners))


@lru_cache(64)
def _find_anywhere(seen: tuple[Clause, ...]) -> Statement:
    return _among_ids(sa.or_(_owners.c.project_id.is_(None), sa.and_(*seen)))


def _live_options(owner: Property, scope: Scope) -> sa.Select[Any]:
    return sa.select(_options.c.id).where(
        _options.c.workspace_id == scope.workspace_id,
        _options.c.property_id == owner.property_id,
        live(_options),
    )


def _in_projects(owner: Property, scope: Scope) -> Clause:
    """Every value's project is named, since it comes before the value in the indexes."""
    if owner.project_id is not None:
        return _values.c.project_id == owner.project_id
    found = sa.select(_projects.c.id).where(_projects.c.workspace_id == scope.workspace_id, live(_projects))
    return _values.c.project_id.in_(found)


def _compare(owner: Property, how: str, values: Sequence[Any], scope: Scope) -> Clause:
    column = _values.c[owner.column]
    match owner.kind:
        case "text":
            return _compare_text(how, [str(value) for value in values])
        case "instant":
            return compare_instant(column, how, values, scope)
        case "id" | "person":
            return among(column, values, scope)
        case _:
            return compare(column, how, values)


def _compare_text(how: str, values: Sequence[str]) -> Clause:
    """Exact texts are found by their keys, which the index has."""
    if how == "~":
        return sa.and_(_values.c.text_key.is_not(None), contains(_values.c.value_text, values[0]))
    keys = list(dict.fromkeys(text_key(value) for value in values))
    return sa.and_(one_of(_values.c.text_key, keys), one_of(_values.c.value_text, values))
