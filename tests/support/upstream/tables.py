"""The rows as PostgreSQL tables, for a role that may only read them.

Known from the recordings: the tables' names, that each has created_at, updated_at and deleted_at, and that a poll
is by the greater of the first two. A column has the name that the internal API has for it, so a reference ends in
`_id`. Not known, and therefore left out: indices and constraints; columns that no answer shows; every other table.
That the author's column is `created_by_id` is taken from the other references."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.support.upstream.site import Site
from tests.support.upstream.store import Row

STAMPS = "id created_at updated_at deleted_at"
OWN = f"{STAMPS} created_by updated_by project workspace"
TABLES = {
    "comment_reactions": f"{OWN} actor comment reaction",
    "cycle_issues": f"{OWN} cycle issue",
    "cycles": (
        f"{OWN} name description start_date end_date sort_order external_source external_id archived_at "
        "owned_by"
    ),
    "file_assets": f"{OWN} attributes asset entity_type size is_uploaded user issue",
    "intake_issues": f"{OWN} intake issue status source",
    "issue_activities": (
        f"{OWN} verb field old_value new_value comment old_identifier new_identifier epoch issue "
        "issue_comment actor"
    ),
    "issue_assignees": f"{OWN} issue assignee",
    "issue_comments": (
        f"{OWN} comment_html comment_stripped access external_source external_id edited_at issue actor"
    ),
    "issue_labels": f"{OWN} issue label",
    "issue_links": f"{OWN} title url metadata issue",
    "issue_mentions": f"{OWN} issue mention",
    "issue_reactions": f"{OWN} actor issue reaction",
    "issue_relations": f"{OWN} relation_type issue related_issue",
    "issue_subscribers": f"{OWN} issue subscriber",
    "issues": (
        f"{OWN} name description_html priority start_date target_date sequence_id sort_order completed_at "
        "archived_at is_draft external_source external_id parent state"
    ),
    "labels": f"{OWN} name description color sort_order external_source external_id parent",
    "module_issues": f"{OWN} module issue",
    "modules": f"{OWN} name description start_date target_date status sort_order external_source external_id lead",
    "pages": f"{STAMPS} created_by updated_by workspace name description_html access archived_at owned_by parent",
    "project_members": f"{OWN} role member is_active",
    "project_pages": f"{OWN} page",
    "projects": f"{STAMPS} created_by updated_by workspace name identifier description network archived_at",
    "states": f"{OWN} name description color slug sequence group default external_source external_id",
    "users": f"{STAMPS} display_name first_name last_name avatar is_active is_bot email password token",
    "workspace_members": f"{STAMPS} created_by updated_by workspace member role is_active",
    "workspaces": f"{STAMPS} created_by updated_by name slug owner",
}
REFERENCES = (
    "created_by updated_by project workspace actor cycle issue owned_by user intake issue_comment assignee label "
    "mention related_issue subscriber parent state module lead member page owner"
)
TYPES = {
    "timestamptz": "created_at updated_at deleted_at completed_at edited_at",
    "double precision": "sort_order sequence epoch size",
    "integer": "sequence_id role network access_level status",
    "boolean": "is_draft is_active is_bot is_uploaded default",
    "date": "start_date target_date",
    "uuid": "id old_identifier new_identifier",
    "jsonb": "attributes metadata",
}
# Never e-mail addresses, passwords or tokens.
READABLE_OF_USERS = (
    "id display_name first_name last_name avatar is_active is_bot created_at updated_at deleted_at"
)


def _type(table: str, name: str) -> str:
    if name in REFERENCES.split() or (table, name) == ("comment_reactions", "comment"):
        return "uuid"
    if (table, name) in {("cycles", "start_date"), ("cycles", "end_date"), ("projects", "archived_at")}:
        return "timestamptz"
    if name == "archived_at":
        return "date" if table == "issues" else "timestamptz"
    return next((kind for kind, names in TYPES.items() if name in names.split()), "text")


def column(table: str, name: str) -> str:
    """As it is called in the database."""
    is_reference = _type(table, name) == "uuid" and name not in ("id", "old_identifier", "new_identifier")
    return f"{name}_id" if is_reference else name


def _definitions() -> str:
    statements = []
    for table, names in TABLES.items():
        columns = [f'"{column(table, name)}" {_type(table, name)}' for name in names.split()]
        columns[0] += " PRIMARY KEY"
        statements.append(f'CREATE TABLE IF NOT EXISTS "{table}" ({", ".join(columns)})')
    return ";".join(statements)


async def create_reader(connection: asyncpg.Connection, role: str, password: str) -> None:
    """It may read all of the tables but `users`, and of that what tells people apart."""
    await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    others = ", ".join(f'"{table}"' for table in TABLES if table != "users")
    columns = ", ".join(f'"{name}"' for name in READABLE_OF_USERS.split())
    await connection.execute(
        f"GRANT SELECT ON {others} TO {role}; GRANT SELECT ({columns}) ON users TO {role}"
    )


@asynccontextmanager
async def shown_as_tables(site: Site, url: str) -> AsyncIterator[None]:
    """Every row is written before the answer, or the end of the task, that changed it."""
    connection = await asyncpg.connect(url)
    await connection.execute(_definitions())
    changed: dict[tuple[str, str], Row] = {}

    def note(table: str, row: Row) -> None:
        if table in TABLES:
            changed[table, row["id"]] = row

    async def flush() -> None:
        rows = list(changed.items())
        changed.clear()
        for (table, _), row in rows:
            await connection.execute(_upsert(table), *_values(table, row))

    site.store.observers.append(note)
    site.flushes.append(flush)
    try:
        yield
    finally:
        await connection.close()


def _upsert(table: str) -> str:
    columns = [f'"{column(table, name)}"' for name in TABLES[table].split()]
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    insert = f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({places})'
    return f'{insert} ON CONFLICT ("id") DO UPDATE SET {updates}'


def _values(table: str, row: Row) -> list[Any]:
    return [_stored(_type(table, name), row.get(name)) for name in TABLES[table].split()]


def _stored(kind: str, value: Any) -> Any:
    if kind == "jsonb":
        return json.dumps(value)
    return str(value) if kind == "text" and value is not None else value
