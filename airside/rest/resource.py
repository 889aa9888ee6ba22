"""The types of declarations: Resource for a collection, Route for any other endpoint.

A declaration is data that five plain functions (verbs.py) serve. A hook is a method named after its time;
there are at most ten kinds, and a resource that would override most of them should be plain routes.
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
from airside.rest.parameters import Parameter

ADMIN, MEMBER, GUEST = 20, 15, 5

Expander = Callable[[Call, Sequence[str]], Awaitable[Mapping[str, Any]]]


class Shown(msgspec.Struct, kw_only=True):
    """The fields in every response of a resource, in the wire's order. OpenAPI, tests and shaping read it."""


class Parent(NamedTuple):
    """A parent record in the URL: its parameter, its table, and this table's column that references it."""

    parameter: str
    table: sa.Table
    column: str


class Reference(NamedTuple):
    """A field of the body that names another record, which has to exist in the same workspace.

    `scope_column` limits it to this project; `column` is the referenced column, for a person their user id."""

    table: sa.Table
    scope_column: str | None = None
    column: str = "id"


class Narrowing(NamedTuple):
    """Conditions and their values. `clauses` is the key under which the statement is cached, so keep it a
    module-level constant where the conditions don't depend on the request."""

    clauses: tuple[sa.ColumnElement[bool], ...] = ()
    params: Mapping[str, Any] = {}


EVERYTHING = Narrowing()


class Resource:
    """A collection: its table, request body, response shape, scope, event, and its own rules."""

    path: ClassVar[str]  # below /api/v1/workspaces/{workspace_slug}/
    aliases: ClassVar[tuple[str, ...]] = ()  # further paths, such as Plane's legacy ones
    key: ClassVar[str]  # the parameter of one record: "state_id"
    noun: ClassVar[str]  # in messages: "State"
    table: ClassVar[sa.Table]
    body: ClassVar[type[Body]]
    shown: ClassVar[type[Shown]]
    sortable: ClassVar[type[Shown] | None] = None  # allowed orders of a list, if not those of `shown`
    scope: ClassVar[str]  # ":read" for GET, ":write" for the rest
    event: ClassVar[str]  # <event>.created, .updated, .deleted of events/catalog.py
    event_project: ClassVar[str] = "project_id"  # column with the project of its events
    verbs: ClassVar[tuple[str, ...]] = ("list", "create", "retrieve", "update", "delete")
    order_by: ClassVar[tuple[str, ...]] = ("-created_at",)
    sorts: ClassVar[Mapping[str, sa.ColumnElement[Any]]] = {}  # besides the table's own columns
    filters: ClassVar[Mapping[str, Parameter]] = {}  # of a list, besides its shown columns; see filters.py
    queries: ClassVar[Mapping[str, Any]] = {}  # parameters that `narrow` reads: a Parameter, or a type
    summaries: ClassVar[Mapping[str, str]] = {}  # verb → what it does, where the noun doesn't say it
    parents: ClassVar[tuple[Parent, ...]] = ()
    references: ClassVar[Mapping[str, Reference]] = {}
    unserved: ClassVar[tuple[str, ...]] = ()  # references to unserved resources: only null is valid
    expands: ClassVar[Mapping[str, Expander]] = {}
    event_expands: ClassVar[tuple[str, ...]] = ()  # fields that v1's webhook data expands to objects
    event_also: ClassVar[Mapping[str, str]] = {}  # name → column of additional fields in v1's webhook data
    unlisted: ClassVar[tuple[str, ...]] = ()  # columns of the table that webhooks v2 omits
    lists: ClassVar[Mapping[str, str]] = {}  # v2 name → wire name of what `decorate` adds: label_ids → labels
    missing: ClassVar[type[NotFound]] = NotFound  # error for a missing record
    page_size: ClassVar[int] = 100
    page_limit: ClassVar[int] = 1000
    read_role: ClassVar[int] = GUEST
    write_role: ClassVar[int] = MEMBER
    create_role: ClassVar[int | None] = None  # if it differs from write_role
    create_status: ClassVar[int] = 201

    def is_private(self, row: Row, /) -> bool:
        """Whether the record is private to one person; its events are then stored but sent to nobody."""
        return False

    async def narrow(self, call: Call, /) -> Narrowing:
        """Further conditions on every record of this call, besides tenant, parents and soft deletion."""
        return EVERYTHING

    async def prepare(self, call: Call, sent: Row, /) -> None:
        """Before the transaction: slow work without the database; results go into `call.prepared` by field."""

    async def before_create(self, call: Call, row: Row, /) -> None:
        """Check and complete the new row; a key that is popped from it isn't stored."""

    async def after_create(self, call: Call, row: Row, /) -> None:
        """Write related records of the new one, in the same transaction."""

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        """Check and complete the changes to `row`, by column."""

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        """Write related records of the changed one, in the same transaction; `row` is the new state."""

    async def before_delete(self, call: Call, row: Row, /) -> None:
        """Refuse the deletion, or delete related records."""

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        """Write the permanent history of the change, in the same transaction; its event is purged later."""

    async def decorate(self, call: Call, rows: list[Row], /) -> None:
        """Add fields that aren't columns of the table, for all rows at once."""


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One operation. `handler` returns the body to send, or None for none."""

    method: str
    path: str  # below /api/v1/, without the trailing slash
    handler: Handler
    scope: str | None  # None: any valid credential
    name: str  # operationId
    summary: str = ""  # one sentence for API clients
    role: int = GUEST  # minimum workspace role, or project role below projects/{project_id}
    people_only: bool = False  # refuses bots, whatever their role and scopes
    status: int = 200
    body: type[Body] | None = None
    partial: bool = False
    shown: Any = None  # a Shown, list[Shown], or None
    paged: bool = False
    is_placeholder: bool = False  # an empty list until the resource is served; any other method is 404
    event: str | None = None  # the event it records; a writing route has one, or a reason:
    eventless: str | None = None
    unmetered: bool = False  # almost: clients call it before every request
    resource: Resource | None = None
    streams: str | None = None  # media type of a streamed response
    may_conflict: bool = False  # whether it can return 409
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])  # name → type, see openapi_parameters.py
    aliases: tuple[str, ...] = field(default=())  # further paths of the same operation
