"""The rows that a call may see: the only place that filters by tenant, parents and soft deletion.

Statements are memoized by their shape, so that a request compiles nothing.
"""

from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.remembered import Remembered
from airside.db.statements import Statement
from airside.errors import BadRequest, NotFound
from airside.rest.call import Call
from airside.rest.filters import filters_of
from airside.rest.resource import Resource
from airside.rest.shaping import shown_names, wire_columns

_counts = Remembered[int]()

SHAPES = 1024  # memoized statements; a list with ad-hoc conditions (PQL) takes one, which is soon evicted


async def find_record(resource: Resource, call: Call, record_id: str, *, lock: bool = False) -> Row:
    """The record in this tenant and below these parents. Raises the resource's NotFound, also across tenants."""
    narrowing = await resource.narrow(call)
    statement = _find_statement(resource, narrowing.clauses, lock)
    row = await call.reader.fetch_one(
        statement, **_scope(resource, call), **narrowing.params, record_id=record_id
    )
    if row is None:
        raise resource.missing
    return row


async def find_external(resource: Resource, call: Call, source: str, external_id: str) -> Row | None:
    """The record with this external id."""
    narrowing = await resource.narrow(call)
    statement = _external_statement(resource, narrowing.clauses)
    return await call.reader.fetch_one(
        statement, **_scope(resource, call), **narrowing.params, source=source, external=external_id
    )


async def list_records(resource: Resource, call: Call, offset: int, limit: int) -> tuple[list[Row], int]:
    """One page of the records and their total. Raises BadRequest for an unknown order."""
    narrowing, asked = await resource.narrow(call), filters_of(resource).read(call.query, call.workspace_id)
    order = _order_names(resource, call.query.get("order_by"))
    params = {**_scope(resource, call), **narrowing.params, **asked.params}
    clauses = (*asked.clauses, *narrowing.clauses)
    statement = list_statement(resource, order, clauses)
    rows = await call.reader.fetch_all(statement, **params, limit=limit, offset=offset)
    if len(rows) < limit and (rows or not offset):
        return rows, offset + len(rows)
    return rows, await _count_records(call, _count_statement(resource, clauses), params)


async def _count_records(call: Call, statement: Statement, params: Row) -> int:
    """The total; it is cached for a client that reads page after page."""
    db, commits = call.site.db, call.site.db.commits
    key = (statement, tuple((name, str(value)) for name, value in params.items()))
    found = _counts.find(db, key)
    if found is None:
        found = int(await call.reader.fetch_value(statement, **params))
        _counts.keep(db, commits, key, found)
    return found


async def check_parents(resource: Resource, call: Call) -> None:
    """Raises NotFound unless every parent in the URL exists in this tenant."""
    for number, parent in enumerate(resource.parents):
        statement = _parent_statement(resource, number)
        params = {"workspace_id": call.workspace_id, "parent_id": call.path[parent.parameter]}
        if _is_in_project(resource, parent.table):
            params["project_id"] = call.project_id
        if await call.reader.fetch_value(statement, **params) is None:
            raise NotFound


def _is_in_project(resource: Resource, parent: sa.Table) -> bool:
    """Whether the parent belongs to the URL's project; an agent's run is found by the workspace alone."""
    return "{project_id}" in resource.path and "project_id" in parent.c


def scope_values(resource: Resource, call: Call) -> Row:
    """The columns that a new record takes from the URL."""
    columns = {parent.column: call.path[parent.parameter] for parent in resource.parents}
    if "project_id" in resource.table.c and call.project:
        columns["project_id"] = call.project_id
    return {"workspace_id": call.workspace_id, **columns}


def _scope(resource: Resource, call: Call) -> Row:
    return {f"scope_{name}": value for name, value in scope_values(resource, call).items()}


def _conditions(resource: Resource) -> list[sa.ColumnElement[bool]]:
    columns = resource.table.c
    names = ["workspace_id", *(parent.column for parent in resource.parents)]
    if "{project_id}" in resource.path and "project_id" in columns:
        names.append("project_id")
    found = [columns[name] == sa.bindparam(f"scope_{name}", type_=columns[name].type) for name in names]
    if "deleted_at" in columns:
        found.append(live(resource.table))
    return found


@lru_cache(SHAPES)
def _find_statement(resource: Resource, clauses: tuple[Any, ...], lock: bool) -> Statement:
    column = resource.table.c.id
    clause = sa.select(resource.table).where(
        *_conditions(resource), *clauses, column == sa.bindparam("record_id", type_=column.type)
    )
    return Statement(clause.with_for_update(of=resource.table) if lock else clause)


@lru_cache(SHAPES)
def _external_statement(resource: Resource, clauses: tuple[Any, ...]) -> Statement:
    columns = resource.table.c
    return Statement(
        sa.select(resource.table)
        .where(
            *_conditions(resource),
            *clauses,
            columns.external_source == sa.bindparam("source"),
            columns.external_id == sa.bindparam("external"),
        )
        .limit(1)
    )


@lru_cache(SHAPES)
def list_statement(resource: Resource, order: tuple[str, ...], clauses: tuple[Any, ...]) -> Statement:
    return Statement(
        sa.select(resource.table)
        .where(*_conditions(resource), *clauses)
        .order_by(*_ordering(resource, order))
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .offset(sa.bindparam("offset", type_=sa.Integer()))
    )


@lru_cache(SHAPES)
def _count_statement(resource: Resource, clauses: tuple[Any, ...]) -> Statement:
    return Statement(
        sa.select(sa.func.count().label("total"))
        .select_from(resource.table)
        .where(*_conditions(resource), *clauses)
    )


@lru_cache(SHAPES)
def _parent_statement(resource: Resource, number: int) -> Statement:
    table = resource.parents[number].table
    columns = table.c
    clause = sa.select(columns.id).where(
        tenant(table),
        columns.id == sa.bindparam("parent_id", type_=columns.id.type),
        live(table),
    )
    if _is_in_project(resource, table):
        clause = clause.where(columns.project_id == sa.bindparam("project_id", type_=columns.project_id.type))
    return Statement(clause)


def _order_names(resource: Resource, asked: str | None) -> tuple[str, ...]:
    if not asked:
        return resource.order_by
    name = asked.removeprefix("-")
    if name in resource.sorts:
        return (asked,)
    column = sortable_columns(resource).get(name)
    if column is None:
        raise BadRequest("Invalid order_by parameter.")
    return (f"-{column}" if asked[0] == "-" else column,)


@cache
def sortable_columns(resource: Resource) -> dict[str, str]:
    """Name → column of fields that responses show. The order of a list must not leak other values."""
    columns = wire_columns(resource.table, shown_names(resource.sortable or resource.shown))
    shown = {name: column for name, column in columns.items() if column in resource.table.c}
    return shown | {column: column for column in shown.values()}


def _ordering(resource: Resource, order: tuple[str, ...]) -> list[sa.ColumnElement[Any]]:
    found: list[sa.ColumnElement[Any]] = []
    for asked in order:
        name = asked.removeprefix("-")
        column = resource.sorts[name] if name in resource.sorts else resource.table.c[name]
        term = column.desc() if asked[0] == "-" else column.asc()
        # No NULLS LAST for a column that is never null: its index couldn't be used.
        found.append(term.nulls_last() if getattr(column, "nullable", True) else term)
    return [*found, resource.table.c.id.desc() if order[0][0] == "-" else resource.table.c.id.asc()]
