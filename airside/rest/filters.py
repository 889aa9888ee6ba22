"""Filters of a list: the query parameters that compare a column of its records.

A face's wire says which it has. Conditions are memoized by which filters are given, so that the statement of a list
is too.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.errors import Invalid
from airside.rest.face import Face, column_of
from airside.rest.parameters import Condition, Link, Parameter, Query, WrongValue
from airside.rest.record import EVERYTHING, Narrowing

SHAPES = 1024  # memoized conditions

_WORKSPACE = "workspace_of_filters"  # the statement's parameter, which no filter's is called


class _Given(NamedTuple):
    """A filter of a request; `several` when it names more than one value."""

    name: str
    several: bool


class Filters:
    """The filters of one list. `face` is that of the records whose columns they name."""

    def __init__(self, kinds: Mapping[str, Parameter], face: Face | None = None) -> None:
        self.kinds = kinds
        self._face = face

    def read(self, query: Mapping[str, str], workspace_id: str) -> Narrowing:
        """The conditions that a query asks for; an empty parameter is none. Raises Invalid with all wrong ones."""
        values, errors, codes = self._read(query)
        if errors:
            raise Invalid(errors, codes)
        if not values:
            return EVERYTHING
        given = tuple(_Given(name, isinstance(value, list)) for name, value in values.items())
        params: Row = {_WORKSPACE: workspace_id}
        for name, value in values.items():
            params |= self.kinds[name].values(_bound(name), value)
        return Narrowing(_conditions(self, given), params)

    def _read(self, query: Mapping[str, str]) -> tuple[Row, Row, Row]:
        """Values, and the messages about wrong ones with their codes, by name."""
        values: Row = {}
        errors: Row = {}
        codes: Row = {}
        for name in [name for name in self.kinds if query.get(name)]:
            try:
                values[name] = self.kinds[name].read(query[name])
            except WrongValue as error:
                errors[name], codes[name] = [str(error)], error.code
        return values, errors, codes

    def compare(self, given: _Given) -> Condition:
        """The condition of one filter."""
        kind = self.kinds[given.name]
        if kind.link is None:
            return kind.compare(self._column(given.name), _bound(given.name), given.several)
        return self._among_linked(kind.link, kind, given)

    def _among_linked(self, link: Link, kind: Parameter, given: _Given) -> Condition:
        """IN, not EXISTS: SQLite then reads the value's links once, and not one for each record of the list."""
        assert self._face is not None
        columns = link.table.c
        found = sa.select(columns[link.record]).where(
            tenant(link.table, _WORKSPACE),
            kind.compare(columns[link.value], _bound(given.name), given.several),
            *link.conditions,
        )
        return self._face.table.c.id.in_(found)

    def _column(self, name: str) -> sa.ColumnElement[Any]:
        column = self.kinds[name].column
        if column is not None and not isinstance(column, str):
            return column
        assert self._face is not None
        computed = self._face.computed.get(name)
        if column is None and computed is not None and computed.sql is not None:
            return computed.sql
        return self._face.table.c[column or column_of(self._face, name)]

    def describe(self) -> Query:
        """Filter → its type, for OpenAPI."""
        return {name: kind.describe(name) for name, kind in self.kinds.items()}


@cache
def filters_of(face: Face) -> Filters:
    """A face's filters, as its wire has them."""
    return Filters(face.wire.filters(face), face)


@lru_cache(SHAPES)
def _conditions(filters: Filters, given: tuple[_Given, ...]) -> tuple[Condition, ...]:
    return tuple(filters.compare(one) for one in given)


def _bound(name: str) -> str:
    """The statement's parameter for a filter."""
    return f"filter_{name}"
