"""Records with parents of their own kind: no cycles, and no reference to a deleted parent.

This covers every reference of a record to its own table; the verbs check it, so that no record can forget to.
"""

from functools import lru_cache

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.followups import clearing, follow_up
from airside.rest.record import Record


def own_references(record: Record) -> list[str]:
    """The columns that name records of the same kind."""
    return [column for column, reference in record.references.items() if reference.table is record.table]


async def lock_ancestry(face: Face, call: Call, sent: Row | None = None) -> None:
    """Serialize changes of parents and deletions in the workspace until the transaction ends. Call it before any
    row is locked. Values `sent` without a parent take no lock; None for a deletion."""
    columns = own_references(face.record)
    if columns and (sent is None or any(sent.get(column) is not None for column in columns)):
        await call.access.lock_workspace(call)


async def check_ancestry(face: Face, call: Call, row: Row, changes: Row) -> None:
    """Raises Invalid for a record that would become its own ancestor. `row` is the stored one."""
    for column in own_references(face.record):
        above = changes.get(column)
        if above is None or above == row[column]:
            continue
        keys = {"workspace_id": call.workspace_id, "above": above, "own_id": row["id"]}
        if await call.reader.fetch_value(_ancestor_statement(face.table, column), **keys) is not None:
            raise Invalid({column: ["It cannot be below itself."]})


async def release_children(face: Face, call: Call, row: Row) -> None:
    """Clear the parent of this record's children before it is deleted; each change records its event."""
    for column in own_references(face.record):
        await follow_up(call, clearing(face, column), row["id"])


@lru_cache(64)
def _ancestor_statement(table: sa.Table, column: str) -> Statement:
    """Whether a record is an ancestor of another. UNION terminates even on a cycle."""
    columns = table.c
    above = sa.bindparam("above", type_=columns.id.type)
    start = sa.select(columns.id).where(tenant(table), columns.id == above)
    way = start.cte("way", recursive=True)
    way = way.union(
        sa.select(columns[column])
        .join(way, way.c.id == columns.id)
        .where(tenant(table), columns[column].is_not(None))
    )
    own_id = sa.bindparam("own_id", type_=columns.id.type)
    return Statement(sa.select(way.c.id).where(way.c.id == own_id).limit(1))
