"""Rows as lines of text that don't depend on the database: PostgreSQL's COPY text format, with one spelling a kind.

PostgreSQL reads and writes such lines itself, millions of them without a step in Python. Times are UTC with
microseconds and `Z`; ids, dates and numbers as PostgreSQL shows them; JSON as the database has it.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, Instant, Json
from airside.events.tables import FrozenJson

NULL = rb"\N"

ID, INSTANT, JSON, TEXT, INTEGER, FLOAT, BOOLEAN, DATE = (
    "id", "instant", "json", "text", "integer", "float", "boolean", "date",
)  # fmt: skip
KINDS = (ID, INSTANT, JSON, TEXT, INTEGER, FLOAT, BOOLEAN, DATE)

# The first that fits; FrozenJson is stored as text, so that its keys keep their order.
_KIND_OF: tuple[tuple[type[Any], str], ...] = (
    (FrozenJson, TEXT),
    (Id, ID),
    (Instant, INSTANT),
    (Json, JSON),
    (sa.Boolean, BOOLEAN),
    (sa.Integer, INTEGER),
    (sa.Float, FLOAT),
    (sa.Date, DATE),
    (sa.Text, TEXT),
)

_ESCAPES = {
    b"\\": rb"\\", b"\b": rb"\b", b"\f": rb"\f", b"\n": rb"\n", b"\r": rb"\r", b"\t": rb"\t", b"\v": rb"\v",
}  # fmt: skip
_PLAIN = {escape: plain for plain, escape in _ESCAPES.items()}
_SPECIAL = re.compile(rb"[\\\b\f\n\r\t\v]")
_ESCAPED = re.compile(rb"\\[\\bfnrtv]")


class TableHead(msgspec.Struct):
    """A table as the file has it: its columns with their kinds, and those of its primary key."""

    name: str
    columns: list[tuple[str, str]]
    key: list[str]


def head_of(table: sa.Table) -> TableHead:
    """Raises TypeError for a column whose type has no kind yet."""
    columns = [(str(column.name), kind_of(column)) for column in table.columns]
    return TableHead(str(table.name), columns, [str(column.name) for column in table.primary_key])


def kind_of(column: "sa.Column[Any]") -> str:
    for type_, kind in _KIND_OF:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"{column}: no kind of lines.py fits the type {column.type!r}")


def join_line(values: Sequence[Any], kinds: Sequence[str]) -> bytes:
    """The line of a row as SQLite has it, texts being bytes, with its end."""
    fields = (
        NULL if value is None else _WRITERS[kind](value) for value, kind in zip(values, kinds, strict=True)
    )
    return b"\t".join(fields) + b"\n"


def split_line(line: bytes, kinds: Sequence[str]) -> list[Any]:
    """The row of a line without its end, with the values that SQLite stores."""
    return [
        None if field == NULL else _READERS[kind](_unescape(field))
        for field, kind in zip(line.split(b"\t"), kinds, strict=True)
    ]


def is_same_row(line: bytes, other: bytes, kinds: Sequence[str]) -> bool:
    """Whether two lines are the same row: two databases may spell JSON and numbers differently."""
    if line == other:
        return True
    return all(
        one == two or (NULL not in (one, two) and _COMPARED[kind](one) == _COMPARED[kind](two))
        for one, two, kind in zip(line.split(b"\t"), other.split(b"\t"), kinds, strict=True)
    )


def _escape(value: bytes) -> bytes:
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value) if _SPECIAL.search(value) else value


def _unescape(field: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: _PLAIN[found[0]], field) if b"\\" in field else field


def _write_instant(value: bytes) -> bytes:
    """As db/base.py writes it; rows that a migration wrote by hand may have another spelling."""
    if len(value) == 27 and value[10:11] == b"T" and value.endswith(b"Z"):
        return value
    time = datetime.fromisoformat(value.decode())
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.isoformat(timespec="microseconds")[:26].encode() + b"Z"


def _write_float(value: float | bytes) -> bytes:
    return repr(float(value)).encode()


def _write_boolean(value: int) -> bytes:
    return b"t" if value else b"f"


def _write_integer(value: int) -> bytes:
    return str(value).encode()


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    ID: _escape,
    INSTANT: _write_instant,
    JSON: _escape,
    TEXT: _escape,
    INTEGER: _write_integer,
    FLOAT: _write_float,
    BOOLEAN: _write_boolean,
    DATE: _escape,
}
_READERS: dict[str, Callable[[bytes], Any]] = {
    **dict.fromkeys((ID, INSTANT, JSON, TEXT, DATE), bytes.decode),
    INTEGER: int,
    FLOAT: float,
    BOOLEAN: lambda field: int(field == b"t"),
}
_COMPARED: dict[str, Callable[[bytes], Any]] = {
    **dict.fromkeys((ID, INSTANT, TEXT, DATE, INTEGER, BOOLEAN), bytes),
    FLOAT: float,
    JSON: lambda field: json.loads(_unescape(field)),
}
