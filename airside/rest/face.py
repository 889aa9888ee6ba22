"""How one wire shows a record: path, scope, names, body, shown fields, filters and orders.

A face has its operations, see routes.py. A record has a face for each wire that serves it.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import cache, cached_property
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.errors import Invalid
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.parameters import Parameter
from airside.rest.record import EVERYTHING, Narrowing, Record
from airside.rest.wire import Wire

Expander = Callable[[Call, Sequence[str]], Awaitable[Mapping[str, Any]]]


class Shown(msgspec.Struct, kw_only=True):
    """The fields in every response of a face, in the wire's order. OpenAPI, tests and shaping read it."""


async def _lists_everything(_: Call) -> Narrowing:
    return EVERYTHING


@dataclass(frozen=True, eq=False)
class Face:
    """A record on one wire."""

    record: Record
    _: KW_ONLY
    wire: Wire
    path: str  # below the workspace
    key: str  # the parameter of one record: "state_id"
    scope: str  # ":read" for GET, ":write" for the rest
    shown: type[Shown]
    body: type[Body] = Body
    nulls: Mapping[str, Any] = field(default_factory=dict[str, Any])  # column → what a null in a body stores
    deferred: tuple[str, ...] = ()  # shown fields that a list has only where they are asked for
    # Shown fields that are answered, and looked up, only where `expand` or `fields` names them. Events have those
    # that `event_expands` names.
    on_request: tuple[str, ...] = ()
    order_names: tuple[str, ...] = ()  # of a list, for a wire that names them
    identifiers: bool = False  # whether its paths take identifiers besides ids, see identifiers.py
    aliases: tuple[str, ...] = ()  # further paths, such as Plane's former ones
    noun: str = ""  # in the names of its operations, where it isn't the record's
    verbs: tuple[str, ...] = ("list", "create", "retrieve", "update", "delete")
    names: Mapping[str, str] = field(default_factory=dict[str, str])  # name → column, see `columns_of`
    sortable: type[Shown] | None = None  # allowed orders of a list, if not those of `shown`
    order_by: tuple[str, ...] = ("-created_at",)
    sorts: Mapping[str, sa.ColumnElement[Any]] = field(default_factory=dict[str, Any])  # besides columns
    filters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])  # besides shown columns
    queries: Mapping[str, Any] = field(default_factory=dict[str, Any])  # what `listed` reads
    listed: Callable[[Call], Awaitable[Narrowing]] = (
        _lists_everything  # which of the visible records a list has
    )
    is_bare: Callable[[Mapping[str, str]], bool] | None = (
        None  # for which queries the list is an array, without its envelope
    )
    expands: Mapping[str, Expander] = field(default_factory=dict[str, Expander])
    page_size: int = 100
    page_limit: int = 1000
    create_status: int = 201
    summaries: Mapping[str, str] = field(default_factory=dict[str, str])  # verb → what it does
    webhooks: "Face | None" = None  # the face that webhooks v1 show; None: this one
    event_expands: tuple[str, ...] = ()  # fields that v1's webhook data expands to objects
    event_also: Mapping[str, str] = field(default_factory=dict[str, str])  # further ones there: name → column

    @property
    def table(self) -> sa.Table:
        return self.record.table

    @property
    def events(self) -> "Face":
        """The face that webhooks v1 show."""
        return self.webhooks or self

    @property
    def is_in_project(self) -> bool:
        """Whether its path leads through one project."""
        return "{project_id}" in self.path

    @cached_property
    def orders(self) -> Mapping[str, sa.ColumnElement[Any]]:
        """Name → what it orders a list by, besides columns: computed fields that are shown, and `sorts`."""
        found: dict[str, sa.ColumnElement[Any]] = {}
        for name, one in self.computed.items():
            found |= one.orders if one.sql is None else {name: one.sql, **one.orders}
        return {**found, **self.sorts}

    @cached_property
    def computed(self) -> Mapping[str, Computed]:
        """The computed fields that a list may be filtered and ordered by, by their name on this wire."""
        shown = tuple(info.encode_name for info in msgspec.structs.fields(self.sortable or self.shown))
        keys = columns_of(self, shown)
        fields = self.record.computed
        return {name: fields[key] for name, key in keys.items() if key in fields and key not in self.table.c}

    @cached_property
    def wire_names(self) -> Mapping[str, str]:
        """Column → the name under which a body has it."""
        names = tuple(info.encode_name for info in msgspec.structs.fields(self.body))
        return {column: name for name, column in columns_of(self, names).items()}


@cache
def columns_of(face: Face, names: tuple[str, ...]) -> dict[str, str]:
    """Name on the wire → key of the row. A reference is `state_id` in the table and may be `state` on the wire."""
    columns = face.table.c
    return {
        name: face.names.get(name)
        or (f"{name}_id" if name not in columns and f"{name}_id" in columns else name)
        for name in names
    }


def column_of(face: Face, name: str) -> str:
    """The column behind a name."""
    return columns_of(face, (name,))[name]


def to_columns(face: Face, sent: Row) -> Row:
    """The values of a body by column."""
    columns = {column_of(face, name): value for name, value in sent.items()}
    return {name: face.nulls.get(name) if value is None else value for name, value in columns.items()}


@contextmanager
def wire_names(face: Face) -> Generator[None]:
    """Rules name columns in their errors; the client reads the name that its wire has for them."""
    try:
        yield
    except Invalid as error:
        named = {_wire_name(face, name): messages for name, messages in error.fields.items()}
        if list(named) == list(error.fields):
            raise
        codes = {_wire_name(face, name): code for name, code in error.codes.items()}
        raise Invalid(named, codes) from error


def _wire_name(face: Face, name: str) -> str:
    names = face.wire_names
    if name in names.values():
        return name
    return names.get(name) or names.get(f"{name}_id") or name
