"""SQLAlchemy Core statements, compiled once per dialect.

Compiling takes a millisecond and executing 15 µs, so a statement is built at import, or by a memoised function when
its shape varies; see docs/decisions for the measurements.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Dialect, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import SelectBase, TextualSelect
from sqlalchemy.types import UserDefinedType

from airside.db.base import IdList, Processor, R, Row, TextList


class Form(NamedTuple):
    """A statement compiled for one dialect."""

    text: str
    inputs: tuple[tuple[str, Any, Processor | None], ...]  # name, value when not given, processor
    names: tuple[str, ...]
    outputs: tuple[tuple[str, Processor], ...]
    converted: tuple[int, ...]  # the positions of the columns in `outputs`
    only_reads: bool
    reads_texts: bool  # reads long values (_LONG_TEXTS, `is_long`): one step may be slow

    def bind(self, params: Mapping[str, Any]) -> list[Any]:
        """The positional arguments. Raises KeyError for a missing parameter."""
        values: list[Any] = []
        for name, default, process in self.inputs:
            value = params[name] if default is _REQUIRED or name in params else default
            values.append(process(value) if process else value)
        return values

    def shape(self, values: Iterable[Any]) -> Row:
        row = dict(zip(self.names, values, strict=True))
        for name, process in self.outputs:
            if row[name] is not None:
                row[name] = process(row[name])
        return row


_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_LONG_TEXTS = ("_stripped", "value_text")  # columns with long texts
_REQUIRED = object()


class Statement(Generic[R]):
    """One Core statement. Its parameters are `sa.bindparam(name)`s, given by keyword when it is executed.

    `row` is the TypedDict of the rows that it returns; without one they are any dicts."""

    __slots__ = ("_forms", "clause", "row")

    def __init__(self, clause: Executable, row: type[R] | None = None) -> None:
        self.clause = clause
        self.row = row
        self._forms: dict[str, Form] = {}

    def form(self, dialect: Dialect) -> Form:
        found = self._forms.get(dialect.name)
        if found is None:
            found = self._forms[dialect.name] = _compile(self.clause, dialect)
        return found


def _compile(clause: Any, dialect: Dialect) -> Form:
    compiled = clause.compile(dialect=dialect)
    inputs: list[tuple[str, Any, Processor | None]] = []
    for name in compiled.positiontup or ():
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        inputs.append((name, _REQUIRED if bind.required else bind.value, process))
    columns = _result_columns(clause)
    outputs = [(name, _result_processor(type_, dialect)) for name, type_ in columns]
    return Form(
        compiled.string,
        tuple(inputs),
        tuple(name for name, _ in columns),
        tuple((name, process) for name, process in outputs if process is not None),
        tuple(at for at, (_, process) in enumerate(outputs) if process is not None),
        _only_reads(clause, compiled.string),
        _compares_texts(compiled.string) or _has_long_values(clause, columns),
    )


def _result_processor(type_: Any, dialect: Dialect) -> Processor | None:
    # asyncpg returns Python's types, so on PostgreSQL only Airside's own types need a conversion.
    if dialect.name == "postgresql" and not isinstance(type_, UserDefinedType):
        return None
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _only_reads(clause: Any, text: str) -> bool:
    """Whether SQLite may interrupt it: a statement that writes would then roll its whole transaction back. What is
    written as text counts as a SELECT to Core as soon as it has columns, an INSERT with RETURNING too."""
    return isinstance(clause, SelectBase) and not (isinstance(clause, TextualSelect) and _WRITES.search(text))


def _compares_texts(text: str) -> bool:
    where = text.partition("WHERE")[2]
    return any(name in where for name in _LONG_TEXTS)


def _has_long_values(clause: Any, columns: list[tuple[str, Any]]) -> bool:
    """Whether it reads long values, or updates or deletes rows that hold them."""
    types = [type_ for _, type_ in columns]
    if isinstance(clause, sa.Update | sa.Delete):
        types += [column.type for column in clause.table.c]
    return any(getattr(type_, "is_long", False) for type_ in types)


def _result_columns(clause: Any) -> list[tuple[str, Any]]:
    if isinstance(clause, SelectBase):
        return [(column.key or "", column.type) for column in clause.selected_columns]
    if isinstance(clause, UpdateBase):
        return [(column["name"], column["type"]) for column in clause.returning_column_descriptions]
    return []


def first_of_each(
    outer: sa.FromClause, first: sa.Select[*tuple[Any, ...]], inner: Any, name: str, dialect_name: str
) -> tuple[sa.FromClause, sa.Join]:
    """For each row of `outer` the rows of `first`, a limited query of the aliased table `inner` correlated with it:
    those rows under this name, and the join of both."""
    if dialect_name == "sqlite":  # which has no LATERAL
        row_ids = first.with_only_columns(
            sa.literal_column(f"{inner.name}.rowid", sa.Integer)
        ).scalar_subquery()
        found = inner.element.alias(name)
        return found, outer.join(found, sa.literal_column(f"{name}.rowid").in_(row_ids))
    found = first.lateral(name)
    return found, outer.join(found, sa.true())


class unindexed(ColumnElement[Any]):  # noqa: N801 - likewise
    """The column, by which SQLite then chooses no index. Without statistics it takes any two equal columns for a
    better choice than a list of ids."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.type = column.type
        self.column = column
        self.nullable = getattr(column, "nullable", True)


@compiles(unindexed)
def _unindexed(element: unindexed, compiler: Any, **kw: Any) -> str:
    return compiler.process(element.column, **kw)


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: Any, **kw: Any) -> str:
    return f"+{compiler.process(element.column, **kw)}"


class any_of(ColumnElement[bool]):  # noqa: N801 - reads as a function, as Core's own constructs do
    """`column` is one of the values of a single list parameter: `= ANY($1)`, or `json_each` on SQLite."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], parameter: str, of: IdList | None = None) -> None:
        self.type = sa.Boolean()
        self.column = column
        self.of = of or IdList()
        self.values = sa.bindparam(parameter, type_=self.of)

    def self_group(self, against: Any = None) -> "any_of":
        """Unchanged: for dialects without booleans Core would append `= 1`, and SQLite then uses no index."""
        return self


def any_text_of(column: ColumnElement[Any], parameter: str) -> any_of:
    return any_of(column, parameter, TextList())


@compiles(any_of)
def _any_of(element: any_of, compiler: Any, **kw: Any) -> str:
    column, parameter = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} = ANY({parameter}::{element.of.get_col_spec()})"


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: Any, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - compiled Core on both sides


class hour_of(ColumnElement[str]):  # noqa: N801 - likewise
    """The UTC hour of a time as 2026-01-31T12, to group by."""

    inherit_cache = False
    type = sa.Text()

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column


@compiles(hour_of)
def _hour_of(element: hour_of, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24')"""


@compiles(hour_of, "sqlite")
def _hour_of_sqlite(element: hour_of, compiler: Any, **kw: Any) -> str:
    return f"substr({compiler.process(element.column, **kw)}, 1, 13)"


@cache
def insert_into(table: Table, columns: tuple[str, ...]) -> Statement:
    """INSERT of one row with exactly these columns."""
    return Statement(
        sa.insert(table).values({name: sa.bindparam(name, type_=table.c[name].type) for name in columns})
    )


@cache
def update_where(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> Statement:
    """UPDATE of these columns; the keys' parameters are called `key_<name>`."""
    values = {name: sa.bindparam(name, type_=table.c[name].type) for name in columns}
    return Statement(sa.update(table).where(*_equal_keys(table, keys)).values(values))


@cache
def delete_where(table: Table, keys: tuple[str, ...]) -> Statement:
    return Statement(sa.delete(table).where(*_equal_keys(table, keys)))


@cache
def select_where(table: Table, keys: tuple[str, ...], for_update: bool = False) -> Statement:
    """The whole row by equality of its keys; `for_update` locks it until the transaction ends."""
    clause = sa.select(table).where(*_equal_keys(table, keys))
    return Statement(clause.with_for_update() if for_update else clause)


def _equal_keys(table: Table, keys: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [table.c[name] == sa.bindparam(f"where_{name}", type_=table.c[name].type) for name in keys]
