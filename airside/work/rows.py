"""The columns that project-management records share."""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, stamps, tenant_key
from airside.db.conditions import live


def project_row() -> list[Any]:
    """Columns of a project's record: key, project, timestamps and users, and the external id that importers set."""
    return [
        *tenant_key(),
        sa.Column("project_id", Id, nullable=False),
        *stamps(),
        *external_columns(),
    ]


def two_level_row() -> list[Any]:
    """Columns of a record that workspaces and projects have: as a project's, which is null for the workspace's."""
    return [*tenant_key(), sa.Column("project_id", Id), *stamps(), *external_columns()]


def workspace_row() -> list[Any]:
    """Columns of a workspace's record: key, timestamps and users."""
    return [*tenant_key(), *stamps()]


def external_columns() -> list[sa.Column[Any]]:
    return [sa.Column("external_source", sa.Text), sa.Column("external_id", sa.Text)]


def live_unique(name: str, *columns: sa.Column[Any]) -> sa.Index:
    """A unique index that lets a soft-deleted row's value be used again."""
    undeleted = live(columns[0].table)
    return sa.Index(name, *columns, unique=True, sqlite_where=undeleted, postgresql_where=undeleted)


def index_records(table: sa.Table, *lead: str) -> None:
    """The indexes of a project's records: newest first below their parent, and by external id."""
    columns = table.c
    under = [columns[name] for name in ("workspace_id", *(lead or ("project_id",)))]
    sa.Index(f"ix_{table.name}_newest", *under, columns.created_at.desc(), columns.id.desc())
    given = columns.external_id.is_not(None)
    sa.Index(
        f"ix_{table.name}_external",
        *under,
        columns.external_source,
        columns.external_id,
        sqlite_where=given,
        postgresql_where=given,
    )


def index_archived(table: sa.Table) -> None:
    """A partial index of a project's archived records, newest first; most aren't archived."""
    columns = table.c
    archived = columns.archived_at.is_not(None)
    order = (columns.created_at.desc(), columns.id.desc())
    under = (columns.workspace_id, columns.project_id)
    sa.Index(f"ix_{table.name}_archived", *under, *order, sqlite_where=archived, postgresql_where=archived)


def index_parents(table: sa.Table) -> None:
    """A partial index by parent; most records have none."""
    given = table.c.parent_id.is_not(None)
    name = f"ix_{table.name}_parent"
    sa.Index(name, table.c.workspace_id, table.c.parent_id, sqlite_where=given, postgresql_where=given)
