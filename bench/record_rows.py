"""Copies the rows of a workspace, straight into the tables: of one record of everything there are N more then.

A copy has the columns of its sample but those that have to differ, which the unique indexes of the table name; so a
new table needs no filler of its own. Where a column with another record's id has to differ, a copy has the id of
that record's copy of the same number.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.database import Database
from airside.db.postgres import PostgresDatabase
from airside.db.statements import insert_into
from airside.db.tables import load_tables
from airside.identity.tables import users
from airside.workspaces.tables import workspace_members

# Tables of a workspace whose rows aren't copied.
SKIPPED = {
    **dict.fromkeys(
        (
            "access_tokens", "app_policies", "app_usage", "apps", "authorization_codes", "consent_requests",
            "device_requests", "installations", "listings", "scope_requests", "token_families",
            "upstream_accounts", "upstream_tokens", "verified_publishers",
        ),
        "belongs to apps, of which a workspace has few",
    ),
    **dict.fromkeys(
        (
            "assets", "entity_sequences", "file_endings", "file_usage", "followups", "idempotency_keys",
            "imported_records", "imports",
        ),
        "lists nowhere",
    ),
    **dict.fromkeys(
        ("audit_log", "events", "record_history", "webhook_attempts", "webhook_deliveries"),
        "a log of changes, kept for a time",
    ),
    "estimates": "a project has one",
    "estimate_points": "an estimate has at most 100",
    "webhook_endpoints": "a workspace has at most 100",
    "webhook_listeners": "an app has at most 50",
    "workspace_invitations": "at most 200 are pending",
}  # fmt: skip

# Columns that name other records, and their tables.
NAMED = {
    "event_id": "events",
    "issue_id": "work_items",
    "member_id": "users",
    "module_id": "modules",
    "page_id": "pages",
    "project_id": "projects",
    "property_id": "work_item_properties",
    "related_issue_id": "work_items",
    "type_id": "work_item_types",
    "user_id": "users",
    "work_item_id": "work_items",
}

# Columns that differ where no unique index says so: of what a work item, a type or a property shows with all its
# rows, each has few.
DIFFERENT = {
    "module_members": ("module_id",),
    "work_item_links": ("issue_id",),
    "work_item_assignees": ("work_item_id",),
    "work_item_property_options": ("property_id",),
    "work_item_property_values": ("work_item_id",),
    "work_item_relations": ("issue_id", "related_issue_id"),
    "work_item_type_properties": ("type_id", "property_id"),
    "worklogs": ("work_item_id",),
}

# Columns that are null in copies: these stand beside their sample, not below the record that it is below.
CLEARED = {"pages": ("parent_id",)}

SPAN = timedelta(
    days=30
)  # before its sample a copy was made, so that those of all samples lie among each other
BEYOND = 1_000_000  # numbers of copies begin after those that rows have or will get
APART = 10_000  # more than the numbers of two samples of a table differ by
GROWING = ("sort_order", "sequence")  # numbers that lists are ordered by


class NoFiller(LookupError):
    """A table with a unique index whose columns can't be made to differ."""


@dataclass
class Copies:
    """The copies of one row."""

    table: sa.Table
    row: Row
    ids: list[str]
    first: int  # of their numbers
    named: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])  # column → its ids

    def rows(self) -> Iterator[Row]:
        varied = varied_columns(self.table)
        texts = [name for name in varied if is_text(self.table.c[name])]
        numbers = [name for name in varied if is_number(self.table.c[name])]
        numbers += [name for name in GROWING if name in self.table.c and name not in varied]
        for at, one in enumerate(self.ids):
            number = self.first + at
            different: Row = {name: f"{self.row[name]}{number}" for name in texts}
            different |= {name: self.row[name] + number for name in numbers}
            different |= {name: ids[at] for name, ids in self.named.items()}
            different |= dict.fromkeys(CLEARED.get(self.table.name, ()))
            if "created_at" in self.table.c:
                different["created_at"] = self.row["created_at"] - SPAN * (len(self.ids) - at) / len(self.ids)
            if "id" in self.table.c:
                different["id"] = one
            yield self.row | different


def varied_columns(table: sa.Table) -> list[str]:
    """The columns that differ from copy to copy, besides the id. Raises NoFiller."""
    found = list(DIFFERENT.get(table.name, ()))
    for names in unique_keys(table):
        if not {"id", *found} & set(names):
            found.append(_choose(table, names))
    return found


def unique_keys(table: sa.Table) -> list[list[str]]:
    """The columns of the primary key, and of each unique index and constraint."""
    found: list[Any] = [table.primary_key, *(one for one in table.indexes if one.unique)]
    found += [one for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    return [[column.name for column in one.columns] for one in found]


def _choose(table: sa.Table, names: Sequence[str]) -> str:
    texts = [name for name in names if is_text(table.c[name])]
    numbers = [name for name in names if is_number(table.c[name])]
    others = [name for name in reversed(names) if name in NAMED]
    if not (texts or numbers or others):
        raise NoFiller(f"{table.name}: none of {', '.join(names)} can be made to differ, see NAMED")
    return [*texts, *numbers, *others][0]


def is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Text)


def is_number(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Integer | sa.Float)


class Filling:
    """Which rows of a workspace are copied, each `number` times."""

    def __init__(self, db: Database, workspace_id: str, number: int) -> None:
        self._db, self._workspace_id, self._number = db, workspace_id, number
        self._copies: dict[str, Copies] = {}

    async def add_samples(self, known: Collection[str]) -> None:
        """The rows with known ids; of tables that have none, one that names such rows."""
        for table in load_tables().tables.values():
            if "workspace_id" in table.c and table.name not in SKIPPED:
                rows = await self._db.find_all(table, workspace_id=self._workspace_id)
                for row in _choose_samples(table, rows, known):
                    await self.add_copies(table, row)

    async def add_copies(self, table: sa.Table, row: Row) -> Copies:
        key = f"{table.name} {row.get('id') or row}"
        if key not in self._copies:
            first = BEYOND + len(self._copies) * (self._number + APART)
            ids = [new_id() for _ in range(self._number)]
            copies = self._copies[key] = Copies(table, row, ids, first)
            copies.named = {
                name: await self._ids_of(name, row[name])
                for name in varied_columns(table)
                if isinstance(table.c[name].type, Id) and row[name] is not None
            }
        return self._copies[key]

    async def _ids_of(self, column: str, record_id: str) -> Sequence[str]:
        table = load_tables().tables[NAMED[column]]
        keys = {} if table is users else {"workspace_id": self._workspace_id}
        row = await self._db.find(table, **keys, id=record_id)
        assert row is not None, (table.name, column)
        if table is users:  # who is in a project is in its workspace
            member = {"workspace_id": self._workspace_id, "user_id": record_id}
            for membership in await self._db.find_all(workspace_members, **member):
                await self.add_copies(workspace_members, membership)
        return (await self.add_copies(table, row)).ids

    async def store(self) -> None:
        by_table: dict[sa.Table, list[Copies]] = {}
        for copies in self._copies.values():
            by_table.setdefault(copies.table, []).append(copies)
        if isinstance(self._db, PostgresDatabase):
            await _store_in_postgres(self._db, by_table)
        else:
            _store_in_sqlite(self._db, by_table)


def _choose_samples(table: sa.Table, rows: list[Row], known: Collection[str]) -> list[Row]:
    """One row for each place where lists look: of the workspace, of a project, of a collection."""
    own = [row for row in rows if row.get("id") in known]
    own = own or sorted(rows, key=lambda row: -_count_known(row, known))[:1]
    if table.name == "work_items":  # they differ by what holds them, too
        return own
    return list({(row.get("project_id"), row.get("collection_id")): row for row in own}.values())


def _count_known(row: Row, known: Collection[str]) -> int:
    return sum(isinstance(value, str) and value in known for value in row.values())


def _store_in_sqlite(db: Database, by_table: Mapping[sa.Table, list[Copies]]) -> None:
    """Without its indexes, which are created again in the end: that takes a third of the time."""
    with closing(sqlite3.connect(db.url.removeprefix("sqlite:///"), timeout=30)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-500000")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for table, all_copies in by_table.items():
            form = insert_into(table, tuple(all_copies[0].row)).form(db.dialect)
            for copies in all_copies:
                connection.executemany(form.text, (form.bind(row) for row in copies.rows()))
        for _, sql in indexes:
            connection.execute(sql)


_PLAIN_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisunique AND relnamespace = 'public'::regnamespace
"""


async def _store_in_postgres(db: Database, by_table: Mapping[sa.Table, list[Copies]]) -> None:
    connection = await asyncpg.connect(db.url)
    try:
        indexes = await connection.fetch(_PLAIN_INDEXES)
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["name"]}"')
        for table, all_copies in by_table.items():
            form = insert_into(table, tuple(all_copies[0].row)).form(db.dialect)
            names = [name for name, _, _ in form.inputs]
            for copies in all_copies:
                records = (tuple(form.bind(row)) for row in copies.rows())
                await connection.copy_records_to_table(table.name, records=records, columns=names)
        for index in indexes:
            await connection.execute(index["sql"])
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
