"""Rows for every table, with values that are easily lost on the way; made by column type, so for new tables too."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from airside.backup.lines import BOOLEAN, DATE, FLOAT, ID, INSTANT, INTEGER, JSON, kind_of
from airside.db.base import new_id
from airside.db.database import Database
from airside.db.statements import Statement
from airside.db.tables import load_tables

ROWS = 5
TEXTS = ("", "plain", "tab\tline\nreturn\r\\N \\. \\\\", "čaj 茶 🫖 \x08\x0b\x0c\x7f", "'\"<>&\u2028\u00a0")
JSONS: tuple[Any, ...] = (
    None, {}, [], {"b": [1, 2.5, None, True, "\\n\n\t\"'"], "a": {"z": 1, "é": "茶"}}, "text\\", 0, -1.5, False,
)  # fmt: skip
FLOATS = (0.0, -0.1, 65535.0, 1e-300, 1.7976931348623157e308, 0.1 + 0.2, 1e22)
INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31))
START = datetime(2026, 1, 31, 23, 59, 59, 999999, UTC)


async def fill_tables(db: Database, number_of_rows: int = ROWS) -> int:
    """Put so many rows into each table; returns how many there are."""
    made = 0
    for table in load_tables().sorted_tables:
        rows = [
            {column.name: value_of(column, number) for column in table.c} for number in range(number_of_rows)
        ]
        async with db.transaction() as tx:
            await tx.insert_all(table, rows)
        made += len(rows)
    return made


def value_of(column: "sa.Column[Any]", number: int) -> Any:
    """None where that is allowed and its turn; different for each number."""
    if column.nullable and number % 3 == 1:
        return None
    at = number + sum(map(ord, column.name))
    match kind_of(column):
        case kind if kind == ID:
            return new_id()
        case kind if kind == INSTANT:
            return START + timedelta(microseconds=number, days=at % 7)
        case kind if kind == JSON:
            return JSONS[at % len(JSONS)] if column.nullable else (JSONS[at % len(JSONS)] or {})
        case kind if kind == INTEGER:
            return INTEGERS[at % len(INTEGERS)]
        case kind if kind == FLOAT:
            return FLOATS[at % len(FLOATS)]
        case kind if kind == BOOLEAN:
            return bool(at % 2)
        case kind if kind == DATE:
            return date(2026, 2, 28) + timedelta(days=number)
        case _:
            return _text_of(column, at, number)


def _text_of(column: "sa.Column[Any]", at: int, number: int) -> Any:
    """Of a FrozenJson column any plain data, as text that keeps its order."""
    text = TEXTS[at % len(TEXTS)]
    if not isinstance(column.type, sa.Text):
        return {"z": text, "a": [number]}
    is_key = column.primary_key or column.unique or any(
        column.name in constraint.columns
        for constraint in column.table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ) or any(index.unique and column.name in index.columns for index in column.table.indexes)  # fmt: skip
    return f"{text}{number}" if is_key else text


async def read_all(db: Database) -> dict[str, list[Any]]:
    """Every row of every table, as Python values."""
    found: dict[str, list[Any]] = {}
    for table in load_tables().sorted_tables:
        rows = await db.fetch_all(Statement(sa.select(table)))
        found[table.name] = sorted((tuple(row.values()) for row in rows), key=repr)
    return found
