"""The rows that a call may see: the only place that filters by tenant, parents and soft deletion.

Statements are memoized by their shape, so that a request compiles nothing.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import in_project, live, tenant
from airside.db.statements import Statement, any_of, unindexed
from airside.errors import NotFound, Refused
from airside.rest.call import Call
from airside.rest.face import Face, columns_of
from airside.rest.filters import filters_of
from airside.rest.record import EVERYTHING, Level, Narrowing
from airside.rest.shaping import shown_names
from airside.rest.totals import find_total

SHAPES = 1024  # memoized statements; a list with ad-hoc conditions (PQL) takes one, which is soon evicted


async def find_record(face: Face, call: Call, record_id: str, *, lock: bool = False) -> Row:
    """The record in this tenant and below these parents. Raises the record's NotFound, also across tenants."""
    narrowing = await face.record.narrow(call)
    statement = _find_statement(face, narrowing.clauses, lock)
    row = await call.reader.fetch_one(
        statement, **_scope(face, call), **narrowing.params, record_id=record_id
    )
    if row is None:
        raise face.record.missing
    return row


async def find_external(
    face: Face, call: Call, source: str, external_id: str, *, listed: bool = False, lock: bool = False
) -> Row | None:
    """The record with this external id, of all or of those that the list has."""
    narrowing = await _narrow(face, call, listed=listed)
    statement = _external_statement(face, narrowing.clauses, lock)
    return await call.reader.fetch_one(
        statement, **_scope(face, call), **narrowing.params, source=source, external=external_id
    )


async def find_only(face: Face, call: Call, *, lock: bool = False) -> Row | None:
    """The one record in this tenant, project and below these parents."""
    narrowing = await face.record.narrow(call)
    statement = _only_statement(face, narrowing.clauses, lock)
    return await call.reader.fetch_one(statement, **_scope(face, call), **narrowing.params)


async def find_among(
    face: Face, call: Call, column: str, values: Sequence[str], *, listed: bool = False, lock: bool = False
) -> list[Row]:
    """The records whose column is one of these ids, of all or of those that the list has, in the ids' order."""
    narrowing = await _narrow(face, call, listed=listed)
    statement = _among_statement(face, column, narrowing.clauses, lock)
    rows = await call.reader.fetch_all(
        statement, **_scope(face, call), **narrowing.params, among=list(values)
    )
    places = {value: place for place, value in enumerate(values)}
    return sorted(rows, key=lambda row: places[row[column]])


async def _narrow(face: Face, call: Call, *, listed: bool) -> Narrowing:
    """Which records the caller may see, or which of them the list has."""
    visible = await face.record.narrow(call)
    return visible.also(await face.listed(call)) if listed else visible


async def list_records(
    face: Face, call: Call, order: tuple[str, ...], offset: int, limit: int
) -> tuple[list[Row], int]:
    """One page of the records and their total. Raises Invalid for wrong filters."""
    asked = await _read_narrowing(face, call)
    rows = await _fetch(face, call, asked, order, offset, limit)
    statement = _count_statement(face, asked.clauses, asked.names_few)
    params = {**_scope(face, call), **asked.params}
    total = await find_total(call, statement, params, offset=offset, limit=limit, found=len(rows))
    return rows, total


async def list_uncounted(
    face: Face, call: Call, order: tuple[str, ...], offset: int, limit: int, after: Narrowing = EVERYTHING
) -> list[Row]:
    """One page of the records `after` a position. Raises Invalid for wrong filters."""
    asked = (await _read_narrowing(face, call)).also(after)
    return await _fetch(face, call, asked, order, offset, limit)


async def _read_narrowing(face: Face, call: Call) -> Narrowing:
    """Which records the caller may see, and which of them the list has and the query asks for."""
    visible, asked = await face.record.narrow(call), filters_of(face).read(call.query, call.workspace_id)
    return asked.also(visible).also(await face.listed(call))


async def _fetch(
    face: Face, call: Call, asked: Narrowing, order: tuple[str, ...], offset: int, limit: int
) -> list[Row]:
    statement = list_statement(face, order, asked.clauses, asked.names_few)
    params = {**_scope(face, call), **asked.params}
    return await call.reader.fetch_all(statement, **params, limit=limit, offset=offset)


async def check_parents(face: Face, call: Call, *, to_write: bool = False) -> None:
    """Raises NotFound unless every parent in the URL exists in this tenant, and with `to_write` Refused where one
    is archived: like the parent itself, what it has isn't changed until it is restored."""
    for number, parent in enumerate(face.record.parents):
        narrowing = parent.narrow(call)
        statement = _parent_statement(face, number, narrowing.clauses)
        own = {"workspace_id": call.workspace_id, "parent_id": call.path[parent.parameter]}
        params = {**own, **narrowing.params}
        if _is_in_project(face, parent.table):
            params["project_id"] = call.project_id
        found = await call.reader.fetch_one(statement, **params)
        if found is None:
            raise NotFound
        call.parents[parent.table.name, found["id"]] = found
        if to_write:
            require_unarchived(found, parent.parameter.removesuffix("_id").replace("_", " "))


def require_unarchived(row: Row, noun: str) -> None:
    """Raises Refused for an archived record."""
    if row.get("archived_at") is not None:
        raise Refused(f"Archived {noun} cannot be updated")


def _is_in_project(face: Face, parent: sa.Table) -> bool:
    """Whether the parent belongs to the URL's project; an agent's run is found by the workspace alone."""
    return face.is_in_project and "project_id" in parent.c


def scope_values(face: Face, call: Call) -> Row:
    """The columns that a new record takes from the URL."""
    columns: Row = {parent.column: call.path[parent.parameter] for parent in face.record.parents}
    if face.record.level is Level.BOTH:
        columns["project_id"] = call.project_id if face.is_in_project else None
    elif "project_id" in face.table.c and call.project:
        columns["project_id"] = call.project_id
    return {"workspace_id": call.workspace_id, **columns}


def _scope(face: Face, call: Call) -> Row:
    return {f"scope_{name}": value for name, value in scope_values(face, call).items()}


def _conditions(
    face: Face, names_few: bool = False, column_of_few: str = "id"
) -> list[sa.ColumnElement[bool]]:
    """Those of the tenant, of the parents and of the project; only the first chooses an index where the others
    come with conditions that name few records by their `column_of_few`."""
    columns = face.table.c
    names = {"workspace_id": face.record.tenant_column}
    names |= {parent.column: parent.column for parent in face.record.parents}
    found = [
        (unindexed(columns[column]) if names_few and name != "workspace_id" else columns[column])
        == sa.bindparam(f"scope_{name}", type_=columns[column].type)
        for name, column in names.items()
    ]
    if face.is_in_project and "project_id" in columns:
        found.append(in_project(face.table, "scope_project_id", names_few=names_few))
    if face.record.level is Level.BOTH and not face.is_in_project:
        project: sa.ColumnElement[Any] = unindexed(columns.project_id) if names_few else columns.project_id
        found.append(project.is_(None))
    if "deleted_at" in columns:
        # The index of another column than the key has live rows alone.
        found.append(live(face.table, names_few=names_few and column_of_few == "id"))
    return found


def _as_statement(face: Face, clause: sa.Select[Any], lock: bool) -> Statement:
    return Statement(clause.with_for_update(of=face.table) if lock else clause)


@lru_cache(SHAPES)
def _find_statement(face: Face, clauses: tuple[Any, ...], lock: bool) -> Statement:
    column = face.table.c.id
    clause = sa.select(face.table).where(
        *_conditions(face), *clauses, column == sa.bindparam("record_id", type_=column.type)
    )
    return _as_statement(face, clause, lock)


@lru_cache(SHAPES)
def _only_statement(face: Face, clauses: tuple[Any, ...], lock: bool) -> Statement:
    clause = sa.select(face.table).where(*_conditions(face), *clauses).limit(1)
    return _as_statement(face, clause, lock)


@lru_cache(SHAPES)
def _among_statement(face: Face, column: str, clauses: tuple[Any, ...], lock: bool) -> Statement:
    found = any_of(face.table.c[column], "among")
    clause = sa.select(face.table).where(
        *_conditions(face, names_few=True, column_of_few=column), *clauses, found
    )
    return _as_statement(face, clause, lock)


@lru_cache(SHAPES)
def _external_statement(face: Face, clauses: tuple[Any, ...], lock: bool) -> Statement:
    columns = face.table.c
    clause = sa.select(face.table).where(
        *_conditions(face),
        *clauses,
        columns.external_source == sa.bindparam("source"),
        columns.external_id == sa.bindparam("external"),
    )
    return _as_statement(face, clause.limit(1), lock)


@lru_cache(SHAPES)
def list_statement(
    face: Face, order: tuple[str, ...], clauses: tuple[Any, ...], names_few: bool = False
) -> Statement:
    return Statement(
        sa.select(face.table)
        .where(*_conditions(face, names_few), *clauses)
        .order_by(*_ordering(face, order, names_few))
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .offset(sa.bindparam("offset", type_=sa.Integer()))
    )


@lru_cache(SHAPES)
def _count_statement(face: Face, clauses: tuple[Any, ...], names_few: bool) -> Statement:
    counted = sa.select(sa.func.count().label("total")).select_from(face.table)
    return Statement(counted.where(*_conditions(face, names_few), *clauses))


@lru_cache(SHAPES)
def _parent_statement(face: Face, number: int, clauses: tuple[Any, ...]) -> Statement:
    parent = face.record.parents[number]
    table, columns = parent.table, parent.table.c
    names = [name for name in ("id", "archived_at", parent.private) if name in columns]
    clause = sa.select(*(columns[name] for name in names)).where(
        tenant(table),
        columns.id == sa.bindparam("parent_id", type_=columns.id.type),
        live(table),
        *clauses,
    )
    if _is_in_project(face, table):
        clause = clause.where(in_project(table))
    elif face.record.level is Level.BOTH and "project_id" in columns:
        clause = clause.where(columns.project_id.is_(None))
    return Statement(clause)


@cache
def sortable_columns(face: Face) -> dict[str, str]:
    """Name → column of fields that responses show. The order of a list must not leak other values."""
    columns = columns_of(face, shown_names(face.sortable or face.shown))
    shown = {name: column for name, column in columns.items() if column in face.table.c}
    return shown | {column: column for column in shown.values()}


def _ordering(face: Face, order: tuple[str, ...], names_few: bool) -> list[sa.ColumnElement[Any]]:
    found: list[sa.ColumnElement[Any]] = []
    for asked in order:
        name = asked.removeprefix("-")
        column = face.orders[name] if name in face.orders else face.table.c[name]
        column = unindexed(column) if names_few and isinstance(column, sa.Column) else column
        term = column.desc() if asked[0] == "-" else column.asc()
        # No NULLS LAST for a column that is never null: its index couldn't be used.
        found.append(term.nulls_last() if getattr(column, "nullable", True) else term)
    return [*found, face.table.c.id.desc() if order[0][0] == "-" else face.table.c.id.asc()]
