"""A record's history: who made it, changed which field from what to what, archived and deleted it.

Separate from its events, but written in the same transaction: events are purged after delivery, this is kept.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, Row, metadata, new_id, tenant_key
from airside.db.conditions import tenant
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.face import Face

MAX_VALUE_LENGTH = 1000  # characters of a value; a longer one is cut

record_history = sa.Table(
    "record_history",
    metadata,
    *tenant_key(),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("parent_id", Id),  # the record above it, in whose history it is, too
    sa.Column("noun", sa.Text, nullable=False),  # what it is: "Cycle"
    sa.Column("action", sa.Text, nullable=False),  # created | updated | archived | deleted
    sa.Column("changes", Json, nullable=False),  # [field, old, new] of each
    sa.Column("actor_id", Id),
    sa.Column("created_at", Instant, nullable=False),
)
_columns = record_history.c
sa.Index("ix_record_history_record", _columns.workspace_id, _columns.record_id, _columns.id)
sa.Index(
    "ix_record_history_parent",
    _columns.workspace_id,
    _columns.parent_id,
    _columns.id,
    sqlite_where=_columns.parent_id.is_not(None),
    postgresql_where=_columns.parent_id.is_not(None),
)


class FieldChange(NamedTuple):
    """A changed field by its name on the wire, with the values as the wire shows them."""

    field: str
    old: Any
    new: Any


async def write_history(
    call: Call, face: Face, action: str, row: Row, changes: Sequence[FieldChange] = ()
) -> None:
    """Add an entry for a change of the record, unless the record has a history of its own or is private."""
    record = face.record
    if not record.has_history or record.is_private(row):
        return
    await call.writer.insert(
        record_history,
        {
            "workspace_id": call.workspace_id,
            "id": new_id(),
            "record_id": row["id"],
            "parent_id": row[record.parents[-1].column] if record.parents else None,
            "noun": record.noun,
            "action": action,
            "changes": [(change.field, _cut(change.old), _cut(change.new)) for change in changes],
            "actor_id": call.caller.user_id,
            "created_at": call.now,
        },
    )


async def list_history(reader: Reader, workspace_id: str, record_id: str, limit: int) -> list[Row]:
    """The newest entries of a record and of the records below it, newest first."""
    return await reader.fetch_all(_NEWEST, workspace_id=workspace_id, record_id=record_id, limit=limit)


def _cut(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"{text[:MAX_VALUE_LENGTH]}…" if len(text) > MAX_VALUE_LENGTH else value


def _newest() -> Statement:
    limit = sa.bindparam("limit", type_=sa.Integer())
    record_id = sa.bindparam("record_id", type_=Id())
    # Two statements, so that each reads its index from the end.
    parts = [
        sa.select(record_history)
        .where(tenant(record_history), column == record_id)
        .order_by(_columns.id.desc())
        .limit(limit)
        .subquery()
        for column in (_columns.record_id, _columns.parent_id)
    ]
    found = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    return Statement(sa.select(found).order_by(found.c.id.desc()).limit(limit))


_NEWEST = _newest()
