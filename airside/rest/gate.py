"""The write gate: every change of a record goes through here, and so records its event and its history.

Separate from the verbs because links, actions and processes that change records use it too.
"""

from collections.abc import Collection
from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.events.outbox import Change, NewEvent, record_event
from airside.rest.call import Call
from airside.rest.computed import Computed, compute
from airside.rest.face import Face, columns_of
from airside.rest.history import FieldChange, write_history
from airside.rest.record import Parent, Record
from airside.rest.shaping import shape_row, shown_names
from airside.rest.wire import Shape

_COLUMN = Computed()
BOOKKEEPING = frozenset({"updated_at", "updated_by", "last_activity_at"})  # follow from other changes


async def record_created(call: Call, face: Face, row: Row) -> None:
    """Record the event of a new record, in the transaction that created it."""
    data = await _show_or_compute(call, face, row)
    await write_history(call, face, "created", row)
    if face.record.event is None:
        return
    await _record(call, face, "created", row, data=data, data_v2=show_v2(face, row))
    if not call.is_import:
        await call.site.change_hooks.run(f"{face.record.event}.created", call, None, row)


async def record_updated(
    call: Call, face: Face, before: Row, after: Row, named: Collection[str], action: str = "updated"
) -> bool:
    """Record the event of a changed record; returns False when no requested column changed.

    `named` are the columns that the request named: v1 sends one payload for each that changed, v2 also has the
    previous values of columns that changed as a consequence. `before` has its computed fields, `after` gets them
    here."""
    data = await _show_or_compute(call, face, after)
    compared = _compare(face, before, after)
    changes = [change for one in compared if one.column in named for change in one.list_changes()]
    if not changes:
        return False
    await write_history(
        call, face, action, after, [FieldChange(one.name, one.old, one.new) for one in compared]
    )
    if face.record.event is None:
        return True
    previous = {one.computed.event_name or one.column: one.old for one in compared}
    await _record(
        call, face, action, after,
        data=data, data_v2=show_v2(face, after), changes=changes, previous=previous,
    )  # fmt: skip
    if not call.is_import:
        await call.site.change_hooks.run(f"{face.record.event}.{action}", call, before, after)
    return True


async def record_deleted(call: Call, face: Face, row: Row) -> None:
    """Record the event of a deleted record; `row` has its computed fields."""
    await write_history(call, face, "deleted", row)
    if face.record.event is None:
        return
    data: Row = {"id": row["id"]}
    shown = face.events
    if shown.event_expands:  # not sent, but webhook filters use it
        names = shown.event_expands
        data |= await shape_row(call, shown, row, Shape(("id", *names), names))
    await _record(call, face, "deleted", row, data=data, data_v2={}, previous=show_v2(face, row))


async def record_act(call: Call, name: str, entity_id: str, **fields: Any) -> None:
    """Record the event of an action of the caller; `fields` are NewEvent's other fields."""
    event = NewEvent(
        workspace_id=call.workspace_id,
        name=name,
        entity_id=entity_id,
        actor_id=call.caller.user_id,
        actor=await call.access.describe_user(call, call.caller.user_id),
        at=call.now,
        is_imported=call.is_import,
        **fields,
    )
    await record_event(call.writer, call.site.wakeups, event)


async def show_v1(call: Call, face: Face, row: Row) -> Row:
    """The record as webhooks v1 show it."""
    face = face.events
    shown = await shape_row(call, face, row, Shape(expand=face.event_expands))
    return shown | {name: row[column] for name, column in face.event_also.items()}


def show_v2(face: Face, row: Row) -> Row:
    """The record as webhooks v2 show it: columns by their own names, lists as `…_ids`."""
    shown = {
        column.name: row[column.name] for column in face.table.c if column.name not in face.record.unlisted
    }
    computed = face.record.computed.items()
    return shown | {one.event_name: row[name] for name, one in computed if one.event_name}


async def _record(call: Call, face: Face, action: str, row: Row, **fields: Any) -> None:
    await record_act(
        call,
        f"{face.record.event}.{action}",
        row["id"],
        project_id=row.get(face.record.event_project),
        is_private=face.record.is_private(row) or await _is_below_private(call, face.record, row),
        **fields,
    )
    await face.record.after_event(call, action, row, fields.get("changes", ()))


async def _is_below_private(call: Call, record: Record, row: Row) -> bool:
    """Whether a parent of the record isn't public yet."""
    for parent in record.parents:
        if parent.private and await _is_private_parent(call, parent, row[parent.column]):
            return True
    return False


async def _is_private_parent(call: Call, parent: Parent, parent_id: str) -> bool:
    found = call.parents.get((parent.table.name, parent_id))
    if found is not None:
        return bool(found[parent.private])
    keys = {"workspace_id": call.workspace_id, "id": parent_id}
    return bool(await call.reader.fetch_value(_privacy_statement(parent), **keys))


@cache
def _privacy_statement(parent: Parent) -> Statement:
    columns = parent.table.c
    return Statement(
        sa.select(columns[parent.private]).where(
            tenant(parent.table), columns.id == sa.bindparam("id", type_=Id())
        )
    )


async def _show_or_compute(call: Call, face: Face, row: Row) -> Row:
    """What webhooks v1 show of the record, if it has events; either way `row` gets its computed fields."""
    if face.record.event is not None:
        return await show_v1(call, face, row)
    await compute(face.record.computed, call, [row])
    return {}


class _Difference(NamedTuple):
    """A shown field that changed."""

    name: str  # on the wire
    column: str
    old: Any
    new: Any
    computed: Computed

    def list_changes(self) -> list[Change]:
        """One change, or one for each added or removed id, since the work item's history shows each; an endpoint
        receives only one of them (see `list_parts`)."""
        if not self.computed.is_list:
            return [Change(self.name, self.old, self.new)]
        added = [one for one in self.new if one not in self.old]
        removed = [one for one in self.old if one not in self.new]
        return [
            Change(self.name, self.old, self.new, gone, come) for gone, come in zip_longest(removed, added)
        ]


def _compare(face: Face, before: Row, after: Row) -> list[_Difference]:
    face = face.events
    names = tuple(name for name in shown_names(face.shown) if name not in BOOKKEEPING)
    return [
        _Difference(name, column, before[column], after[column], face.record.computed.get(column, _COLUMN))
        for name, column in columns_of(face, names).items()
        if before[column] != after[column]
    ]
