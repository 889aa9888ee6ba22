"""Substring search that works alike on both databases."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

ESCAPE = "!"  # not the backslash, which PostgreSQL and SQLAlchemy quote differently


def contains_patterns(text: str) -> tuple[str, ...]:
    """LIKE patterns for "contains text, in any case". SQLite folds the case of ASCII letters only, so for
    other text there is a pattern for each likely case."""
    if text.isascii():
        return (_pattern(text),)
    return tuple(dict.fromkeys(_pattern(one) for one in (text, text.lower(), text.upper(), text.title())))


def like_any(column: sa.ColumnElement[Any], patterns: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Whether the column matches one of the patterns, which are strings or parameters."""
    return sa.or_(*(column.ilike(pattern, escape=ESCAPE) for pattern in patterns))


def contains(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    return like_any(column, contains_patterns(text))


def _pattern(text: str) -> str:
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return f"%{text}%"
