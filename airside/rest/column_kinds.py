"""Which kind of parameter compares a column."""

from typing import Any, Literal, get_args, get_origin

import sqlalchemy as sa

from airside.db.base import Id as IdType
from airside.db.base import Instant
from airside.rest.parameters import Choice, Day, Decimal, Flag, Many, Moment, Number, Parameter, Text


def kind_of(stored: Any, declared: Any) -> Parameter | None:
    """The kind for a column, by its type and that of the shown field; None for JSON."""
    if words := _words(declared):
        choice = Choice(choices={str(word): word for word in words})
        return Many(kind=choice) if all(isinstance(word, str) for word in words) else choice
    for type_, kind in _KINDS.items():
        if isinstance(stored, type_):
            return kind
    return None


def _words(declared: Any) -> tuple[Any, ...]:
    if get_origin(declared) is Literal:
        return get_args(declared)
    return tuple(
        word for part in get_args(declared) if get_origin(part) is Literal for word in get_args(part)
    )


_KINDS: dict[Any, Parameter] = {
    IdType: Many(),
    Instant: Moment(),
    sa.Date: Day(),
    sa.Boolean: Flag(),
    sa.Float: Decimal(),
    sa.Integer: Number(),
    sa.Text: Text(),
}
