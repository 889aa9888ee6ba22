"""The types of rows have the columns of their tables and statements.

The type checker finds a misspelt column only if the row's type is right.
"""

import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

import airside
from airside.db.base import Id, Instant, Json, TableOf, metadata
from airside.db.statements import Statement

TYPES = {Id: str, sa.Text: str, Instant: datetime, sa.Integer: int, sa.Boolean: bool}
ROOMS = ("airside.installations", "airside.oauth", "airside.webhooks")


def modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.walk_packages(airside.__path__, "airside."):
        if not found.name.endswith(("__main__",)) and ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def typed_tables() -> list[TableOf]:
    list(modules())
    return [table for table in metadata.tables.values() if isinstance(table, TableOf)]


def shape(row: type) -> dict[str, tuple[type, bool]]:
    """Column → its Python type, and whether it may be None."""
    found = {}
    for name, hint in typing.get_type_hints(row).items():
        parts = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
        rest = parts - {types.NoneType}
        found[name] = (rest.pop() if len(rest) == 1 else object, types.NoneType in parts)
    return found


def columns_of(clause: typing.Any) -> dict[str, typing.Any]:
    """What a statement returns, by name."""
    if isinstance(clause, sa.Update):
        return {one["name"]: one["expr"] for one in clause.returning_column_descriptions}
    return {column.key: column for column in clause.selected_columns}


def test_a_tables_row_type_has_its_columns_with_their_types_and_nulls() -> None:
    tables = typed_tables()
    assert {"installations", "scope_requests"} <= {table.name for table in tables}
    for table in tables:
        (row,) = typing.get_args(table.__orig_class__)
        found = shape(row)
        assert set(found) == set(table.c.keys()), row
        for column in table.c:
            type_, may_be_none = found[column.key]
            assert may_be_none == column.nullable, (row, column.key)
            if not isinstance(column.type, Json):
                assert type_ is TYPES[type(column.type)], (row, column.key)


def test_a_statements_row_type_has_the_columns_that_it_returns() -> None:
    seen = 0
    for module in modules():
        for name, statement in vars(module).items():
            if not isinstance(statement, Statement) or statement.row is None:
                continue
            where, found, seen = f"{module.__name__}.{name}", shape(statement.row), seen + 1
            columns = columns_of(statement.clause)
            assert set(found) == set(columns), where
            for key, column in columns.items():
                source = getattr(column, "element", column)
                if getattr(source, "nullable", False):
                    assert found[key][1], (where, key)
    assert seen >= 20


@pytest.mark.parametrize("room", ROOMS)
def test_every_table_of_a_typed_room_says_the_type_of_its_rows(room: str) -> None:
    tables = vars(importlib.import_module(f"{room}.tables")).values()
    assert all(isinstance(table, TableOf) for table in tables if isinstance(table, sa.Table))
