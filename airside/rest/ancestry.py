"""Records below records of their own kind: none is its own ancestor at any depth, and none names one that is gone.

Every reference of a resource to its own table is one of these; the verbs ask here, so that no resource can forget.
"""

from functools import lru_cache

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.gate import record_updated
from airside.rest.resource import Resource
from airside.rest.shaping import column_of


def own_references(resource: Resource) -> dict[str, str]:
    """Wire name → column, of the references to records of the same kind."""
    return {
        name: column_of(resource, name)
        for name, reference in resource.references.items()
        if reference.table is resource.table
    }


async def lock_ancestry(resource: Resource, call: Call, sent: Row | None = None) -> None:
    """Before any row is locked: nobody else puts records below each other, nor deletes them, until this ends.
    `sent` is a body, which may name no record of the same kind; None for a deletion."""
    names = own_references(resource)
    if names and (sent is None or any(sent.get(name) is not None for name in names)):
        await call.access.lock_workspace(call)


async def check_ancestry(resource: Resource, call: Call, row: Row, changes: Row) -> None:
    """Raises Invalid for a record that would stand below itself. `row` is as it is stored."""
    for name, column in own_references(resource).items():
        above = changes.get(column)
        if above is None or above == row[column]:
            continue
        keys = {"workspace_id": call.workspace_id, "above": above, "own_id": row["id"]}
        if await call.reader.fetch_value(_ancestor_statement(resource.table, column), **keys) is not None:
            raise Invalid({name: ["It cannot be below itself."]})


async def release_children(resource: Resource, call: Call, row: Row) -> None:
    """The records that name this one, which is about to be deleted, name none; each change has its event."""
    for column in own_references(resource).values():
        children = await call.reader.fetch_all(
            _children_statement(resource.table, column), workspace_id=call.workspace_id, own_id=row["id"]
        )
        if not children:
            continue
        await resource.decorate(call, children)
        changes = {column: None, "updated_at": call.now, "updated_by_id": call.caller.user_id}
        await call.writer.update(
            resource.table, changes, workspace_id=call.workspace_id, **{column: row["id"]}
        )
        for child in sorted(children, key=lambda row: row["id"]):
            await record_updated(call, resource, child, child | changes, (column,))


@lru_cache(64)
def _ancestor_statement(table: sa.Table, column: str) -> Statement:
    """Whether a record is found on the way up from another. UNION ends where a way goes in circles."""
    columns = table.c
    workspace_id = sa.bindparam("workspace_id", type_=columns.workspace_id.type)
    above = sa.bindparam("above", type_=columns.id.type)
    start = sa.select(columns.id).where(columns.workspace_id == workspace_id, columns.id == above)
    way = start.cte("way", recursive=True)
    way = way.union(
        sa.select(columns[column])
        .join(way, way.c.id == columns.id)
        .where(columns.workspace_id == workspace_id, columns[column].is_not(None))
    )
    own_id = sa.bindparam("own_id", type_=columns.id.type)
    return Statement(sa.select(way.c.id).where(way.c.id == own_id).limit(1))


@lru_cache(64)
def _children_statement(table: sa.Table, column: str) -> Statement:
    """In no order: to have one, SQLite would rather read the whole workspace than the index of parents."""
    columns = table.c
    return Statement(
        sa.select(table)
        .where(
            columns.workspace_id == sa.bindparam("workspace_id", type_=columns.workspace_id.type),
            columns[column] == sa.bindparam("own_id", type_=columns.id.type),
            columns.deleted_at.is_(None),
        )
        .with_for_update()
    )
