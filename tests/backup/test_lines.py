"""Rows as lines: every column has a kind, and what goes in comes out."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.backup.lines import (
    BOOLEAN,
    FLOAT,
    INSTANT,
    INTEGER,
    JSON,
    TEXT,
    head_of,
    is_same_row,
    join_line,
    split_line,
)
from airside.db.tables import load_tables

VALUES = st.one_of(
    st.tuples(st.just(TEXT), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    st.tuples(st.just(INTEGER), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(FLOAT), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just(BOOLEAN), st.sampled_from([0, 1])),
    st.tuples(st.sampled_from([TEXT, INTEGER, JSON, INSTANT]), st.none()),
)


def as_read(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_a_row_comes_back_as_it_was(row: list[tuple[str, Any]]) -> None:
    kinds, values = [kind for kind, _ in row], [value for _, value in row]
    line = join_line([as_read(value) for value in values], kinds)
    assert line.count(b"\n") == 1
    assert split_line(line[:-1], kinds) == values


def test_every_column_of_every_table_has_a_kind_and_every_table_a_key() -> None:
    """A type without one would end every backup."""
    for table in load_tables().sorted_tables:
        head = head_of(table)
        assert len(head.columns) == len(table.columns)
        assert head.key, table.name


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        (JSON, b'{"a":1,"b":[1.0,"\\\\n"]}', b'{"b": [1.0, "\\\\n"], "a": 1}', True),
        (JSON, b'{"a":1}', b'{"a":2}', False),
        (JSON, rb"\N", b"null", False),
        (FLOAT, b"65535.0", b"65535", True),
        (FLOAT, b"1e+22", b"1e22", True),
        (FLOAT, b"0.1", b"0.10000000000000002", False),
        (TEXT, b"1.0", b"1", False),
    ],
)
def test_rows_are_compared_by_what_they_mean(kind: str, one: bytes, other: bytes, same: bool) -> None:
    assert is_same_row(one, other, [kind]) is same


def test_a_time_has_one_spelling() -> None:
    for written in (
        b"2026-01-31 12:00:00+00:00",
        b"2026-01-31 12:00:00",
        b"2026-01-31T13:00:00.000000+01:00",
    ):
        assert join_line([written], [INSTANT]) == b"2026-01-31T12:00:00.000000Z\n"
