"""What a record is, whatever wire shows it: table, level, references, its own rules, event, roles.

A rule is a hook, a method named after its time; it speaks of columns, never of a wire's names. A record that would
override most of them should be plain routes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa

from airside.db.base import Row
from airside.errors import NotFound
from airside.events.outbox import Change
from airside.rest.call import Call
from airside.rest.computed import Computed

ADMIN, MEMBER, GUEST = 20, 15, 5


class Level(Enum):
    """Where records live. A table of both levels has no `project_id` for those of the workspace."""

    WORKSPACE = "workspace"
    PROJECT = "project"
    BOTH = "both"


# The id of the record that a URL names by an identifier, such as ENG-12; None where there is none.
Identify = Callable[[Call, str], Awaitable[str | None]]


class Reference(NamedTuple):
    """A column that names another record, which has to exist in the same workspace.

    `scope_column` limits it to this project; `column` is the referenced column, for a person their user id."""

    table: sa.Table
    scope_column: str | None = None
    column: str = "id"


class Narrowing(NamedTuple):
    """Conditions and their values. `clauses` is the key under which the statement is cached, so keep it a
    module-level constant where the conditions don't depend on the request. `names_few` records: they are looked up,
    and no other condition or order chooses the index."""

    clauses: tuple[sa.ColumnElement[bool], ...] = ()
    params: Mapping[str, Any] = {}
    names_few: bool = False

    def also(self, other: "Narrowing") -> "Narrowing":
        """Both conditions."""
        params = {**self.params, **other.params}
        return Narrowing((*self.clauses, *other.clauses), params, self.names_few or other.names_few)


EVERYTHING = Narrowing()


def _sees_everything(_: Call) -> Narrowing:
    return EVERYTHING


class Parent(NamedTuple):
    """A parent record in the URL: its parameter, its table, and this table's column that references it.

    `identify` finds it by an identifier, for faces whose paths take them; `narrow` says which of them the caller
    sees. `private` is its column that says that it isn't public yet: what belongs to it isn't either, so the events
    are stored and sent to nobody."""

    parameter: str
    table: sa.Table
    column: str
    identify: Identify | None = None
    narrow: Callable[[Call], Narrowing] = _sees_everything
    private: str = ""


class Record:
    """One kind of record."""

    noun: ClassVar[str]  # in messages: "State"
    about: ClassVar[str] = ""  # the sentence of its group in OpenAPI; "": the wire's table has a group for it
    table: ClassVar[sa.Table]
    tenant_column: ClassVar[str] = "workspace_id"  # "id" for a part of the workspace itself
    level: ClassVar[Level] = Level.PROJECT
    event: ClassVar[str | None]  # <event>.created, .updated, .deleted of events/catalog.py
    eventless: ClassVar[str | None] = None  # why it has no event, which is None then
    has_history: ClassVar[bool] = True  # False: `after_event` writes a history of its own
    event_project: ClassVar[str] = "project_id"  # column with the project of its events
    parents: ClassVar[tuple[Parent, ...]] = ()
    feature: ClassVar[str | None] = None  # of the project, or the workspace: off, and nothing is written
    references: ClassVar[Mapping[str, Reference]] = {}  # by column or computed field
    unserved: ClassVar[tuple[str, ...]] = ()  # references to unserved records: only null is valid
    defaults: ClassVar[
        Mapping[str, Any]
    ] = {}  # column → its value in a new record whose body doesn't name it
    unlisted: ClassVar[tuple[str, ...]] = ()  # columns of the table that webhooks v2 omits
    computed: ClassVar[Mapping[str, Computed]] = {}  # fields that aren't columns
    missing: ClassVar[type[NotFound]] = NotFound  # error for a missing record
    read_role: ClassVar[int] = GUEST
    write_role: ClassVar[int] = MEMBER
    create_role: ClassVar[int | None] = None  # if it differs from write_role

    def is_private(self, row: Row, /) -> bool:
        """Whether the record is private to one person; its events are then stored but sent to nobody."""
        return False

    async def identify(self, call: Call, identifier: str, /) -> str | None:
        """The id of the record with this identifier, for `Face.identifiers`; None without one."""
        return None

    async def narrow(self, call: Call, /) -> Narrowing:
        """Which records the caller may see, besides tenant, parents and soft deletion."""
        return EVERYTHING

    async def prepare(self, call: Call, sent: Row, /) -> None:
        """Before the transaction: slow work without the database; results go into `call.prepared` by column."""

    async def resolve(self, call: Call, sent: Row, /) -> None:
        """First in the transaction, before any row is locked: replace ids that name another record indirectly."""

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

    async def before_archive(self, call: Call, row: Row, /) -> None:
        """Refuse the archiving of the record, which may be archived already."""

    async def before_unarchive(self, call: Call, row: Row, /) -> None:
        """Refuse its restoring."""

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        """Write the permanent history of the change, in the same transaction; its event is purged later."""
