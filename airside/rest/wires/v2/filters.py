"""Filters of v2, each of which a face names; `forms` adds those with the suffixes in, isnull, gte and lte."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.errors import Invalid
from airside.rest.face import Face
from airside.rest.parameters import Condition, Contains, Flag, Id, Many, Moment, Parameter, described
from airside.rest.route import Route
from airside.rest.shaping import shown_names
from airside.rest.wires.v2.fields import name_closest

NOT_FILTERS = frozenset({"page", "limit", "expand"})  # what clients of other APIs try


class Named(Contains):
    """The whole text, whatever its case."""

    def values(self, name: str, value: str) -> Row:
        return {name: super().values(name, value)[name][1:-1]}

    def describe(self, name: str, **schema: Any) -> Any:
        return described(str, f"Only those with this `{name}`, in upper or lower case.", **schema)


class IsNull(Flag):
    """Whether there is no value."""

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        return column.is_(None) == sa.bindparam(name, type_=sa.Boolean())

    def describe(self, name: str, **schema: Any) -> Any:
        field_name = name.removesuffix("__isnull")
        return described(bool, f"Only those without a `{field_name}`, or only those with one.", **schema)


@dataclass(frozen=True, eq=False)
class Bound(Parameter):
    """This value or above, or with `is_upper` below; a day includes all its times."""

    kind: Parameter = field(default_factory=Id)
    is_upper: bool = False

    @property
    def type(self) -> Any:
        return self.kind.type

    def read(self, text: str) -> Any:
        value = self.kind.read(text)
        if isinstance(self.kind, Moment):
            return value[1] if self.is_upper else value[0]
        return value

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        limit = sa.bindparam(name, type_=column.type)
        if not self.is_upper:
            return column >= limit
        return (
            column < limit if isinstance(self.kind, Moment) else column <= limit
        )  # a moment's end is exclusive


def forms(name: str, kind: Parameter, *suffixes: str) -> dict[str, Parameter]:
    """The filter `name`, and those with these suffixes: in, isnull, gte, lte."""
    column = kind.column or name
    made: dict[str, Parameter] = {
        "in": Many(column, kind=kind),
        "isnull": IsNull(column),
        "gte": Bound(column, kind=kind),
        "lte": Bound(column, kind=kind, is_upper=True),
    }
    return {name: kind, **{f"{name}__{suffix}": made[suffix] for suffix in suffixes}}


def list_filters(face: Face) -> Mapping[str, Parameter]:
    return face.filters


def check_query(route: Route, query: Mapping[str, str]) -> None:
    """Raises Invalid for a parameter that seems to filter this list, and doesn't; others are ignored."""
    if not query or route.face is None or not route.paged:
        return
    meant = {*shown_names(route.face.shown), *(name.partition("__")[0] for name in route.query), *NOT_FILTERS}
    for name, value in query.items():
        if value and name not in route.query and name.partition("__")[0] in meant:
            raise Invalid({name: [name_closest(name, route.query)]})
