"""All that a declaration can say: Resource for a collection, Route for an odd endpoint.

A declaration is data that five plain functions (verbs.py) serve. A hook is a method named after its moment;
there are at most ten kinds, and a resource that would override most of them is better off as plain routes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.errors import NotFound
from airside.events.outbox import Change
from airside.rest.body import Body
from airside.rest.call import Call

ADMIN, MEMBER, GUEST = 20, 15, 5

Expander = Callable[[Call, Sequence[str]], Awaitable[Mapping[str, Any]]]


class Shown(msgspec.Struct, kw_only=True):
    """What every answer of a resource shows, in the wire's order. Read for OpenAPI, tests and shaping."""


class Parent(NamedTuple):
    """A record above this one in the URL: its parameter, its table, and this table's column that points to it."""

    parameter: str
    table: sa.Table
    column: str


class Reference(NamedTuple):
    """A body's field that names another record, which has to exist in the same workspace.

    `scope_column` narrows it to this project; `column` is what the field holds, for a person their user id."""

    table: sa.Table
    scope_column: str | None = None
    column: str = "id"


class Narrowing(NamedTuple):
    """Conditions and their values. `clauses` is the key by which the statement is remembered, so keep it a
    module-level constant wherever the conditions don't depend on the request."""

    clauses: tuple[sa.ColumnElement[bool], ...] = ()
    params: Mapping[str, Any] = {}


EVERYTHING = Narrowing()


class Resource:
    """A collection: its table, the body it takes, the shape it shows, its scope, its event, its own rules."""

    path: ClassVar[str]  # below /api/v1/workspaces/{workspace_slug}/
    aliases: ClassVar[tuple[str, ...]] = ()  # further paths that serve the same, such as Plane's legacy ones
    key: ClassVar[str]  # the parameter of one record: "state_id"
    noun: ClassVar[str]  # as messages say it: "State"
    table: ClassVar[sa.Table]
    body: ClassVar[type[Body]]
    shown: ClassVar[type[Shown]]
    sortable: ClassVar[type[Shown] | None] = None  # what a list is ordered by; another shape than `shown`
    scope: ClassVar[str]  # ":read" for GET, ":write" for the rest
    event: ClassVar[str]  # <event>.created, .updated, .deleted of events/catalog.py
    event_project: ClassVar[str] = "project_id"  # the column that says to which project its events belong
    verbs: ClassVar[tuple[str, ...]] = ("list", "create", "retrieve", "update", "delete")
    order_by: ClassVar[tuple[str, ...]] = ("-created_at",)
    sorts: ClassVar[Mapping[str, sa.ColumnElement[Any]]] = {}  # beside the table's own columns
    filters: ClassVar[tuple[str, ...]] = ()  # query parameters that compare a column
    parents: ClassVar[tuple[Parent, ...]] = ()
    references: ClassVar[Mapping[str, Reference]] = {}
    unserved: ClassVar[tuple[str, ...]] = ()  # fields that name records of families still to come: null only
    expands: ClassVar[Mapping[str, Expander]] = {}
    event_expands: ClassVar[tuple[str, ...]] = ()  # what v1's webhook data shows as objects
    event_also: ClassVar[Mapping[str, str]] = {}  # name → column of what v1's webhook data shows besides
    unlisted: ClassVar[tuple[str, ...]] = ()  # columns of the table that webhooks v2 leaves out
    lists: ClassVar[Mapping[str, str]] = {}  # v2 name → wire name of what `decorate` adds: label_ids → labels
    missing: ClassVar[type[NotFound]] = NotFound  # what one that isn't there is answered with
    page_size: ClassVar[int] = 100
    page_limit: ClassVar[int] = 1000
    read_role: ClassVar[int] = GUEST
    write_role: ClassVar[int] = MEMBER
    create_role: ClassVar[int | None] = None  # where it differs from write_role
    create_status: ClassVar[int] = 201

    def is_private(self, row: Row, /) -> bool:
        """Whether the record is one person's alone; its events are then kept and told to nobody."""
        return False

    async def narrow(self, call: Call, /) -> Narrowing:
        """More conditions on every record of this call, beside tenant, parents and soft deletion."""
        return EVERYTHING

    async def prepare(self, call: Call, sent: Row, /) -> None:
        """Before the transaction: what takes long and needs no database, into `call.prepared` by field."""

    async def before_create(self, call: Call, row: Row, /) -> None:
        """Check and complete the new row; what is popped from it isn't stored."""

    async def after_create(self, call: Call, row: Row, /) -> None:
        """Write what belongs to the new record, in the same transaction."""

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        """Check and complete the changes to `row`, by column."""

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        """Write what belongs to the changed record, in the same transaction; `row` is the new one."""

    async def before_delete(self, call: Call, row: Row, /) -> None:
        """Refuse, or clear away what belongs to the record."""

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        """Write what is kept of the change beyond its event, which is purged, in the same transaction."""

    async def decorate(self, call: Call, rows: list[Row], /) -> None:
        """Add what the table doesn't hold, for all rows at once."""


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation. `handler` returns the body to send, or None for none."""

    method: str
    path: str  # below /api/v1/, without the trailing slash
    handler: Handler
    scope: str | None  # None: any valid credential
    name: str  # operationId
    role: int = GUEST  # the least workspace role, or project role below projects/{project_id}
    people_only: bool = False  # refuses bots, whatever their role and scopes
    status: int = 200
    body: type[Body] | None = None
    partial: bool = False
    shown: Any = None  # a Shown, list[Shown], or None
    paged: bool = False
    is_placeholder: bool = False  # empty until its family is served; any other method there is 404
    event: str | None = None  # the event it records; a writing route has one, or says why not:
    eventless: str | None = None
    unmetered: bool = False  # nearly so: clients call it before every request
    resource: Resource | None = None
    query: tuple[str, ...] = ()
    aliases: tuple[str, ...] = field(default=())  # further paths that do the same
