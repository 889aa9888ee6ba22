"""List, create, retrieve, update, delete: the five functions that serve every declared record."""

from collections.abc import Awaitable, Callable
from typing import Any

from airside.db.base import Row, new_id
from airside.db.database import UniqueViolation
from airside.errors import Conflict, Invalid
from airside.rest.ancestry import check_ancestry, lock_ancestry, release_children
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.external_ids import check_external
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.gate import record_created, record_deleted, record_updated
from airside.rest.references import check_references
from airside.rest.selection import check_parents, find_record, scope_values
from airside.rest.shaping import shape_row


async def list_all(face: Face, call: Call) -> Any:
    """What the wire lists of the records."""
    await check_parents(face, call)
    return await face.wire.list_page(face, call)


async def retrieve(face: Face, call: Call) -> Row:
    await check_parents(face, call)
    return await show_record(call, face, await find_record(face, call, call.path[face.key]))


async def create(face: Face, call: Call) -> Row:
    """Store a new record with its event. Raises Invalid, Conflict, NotFound for a missing parent."""
    sent = to_columns(face, with_defaults(face.body, call.body))
    with wire_names(face):
        await face.record.prepare(call, sent)
        return await in_transaction(call, lambda: _show(call, face, create_record(face, call, sent)))


async def update(face: Face, call: Call) -> Row:
    """Update a record with its event; an update that changes nothing records none."""
    sent, record_id = to_columns(face, call.body), call.path[face.key]
    with wire_names(face):
        await face.record.prepare(call, sent)
        return await in_transaction(
            call, lambda: _show(call, face, update_record(face, call, record_id, sent))
        )


async def delete(face: Face, call: Call) -> None:
    """Soft-delete a record with its event."""
    await in_transaction(call, lambda: delete_record(face, call, call.path[face.key]))


VERBS = {"list": list_all, "create": create, "retrieve": retrieve, "update": update, "delete": delete}


async def create_record(face: Face, call: Call, sent: Row) -> Row:
    """Store a new record, in the call's transaction, of values by column that were prepared."""
    await lock_ancestry(face, call, sent)
    await check_parents(face, call, to_write=True)
    await face.record.resolve(call, sent)
    await check_references(face, call, sent, {})
    await check_external(face, call, sent, None)
    return await store_record(face, call, sent)


async def store_record(face: Face, call: Call, sent: Row) -> Row:
    """Store a new record whose parents and references were checked."""
    row = new_row(face, call, sent)
    await face.record.before_create(call, row)
    kept, call.kept = call.kept, {}
    row |= kept
    await insert_record(face, call, row)
    await face.record.after_create(call, row)
    await record_created(call, face, row)
    return row


async def insert_record(face: Face, call: Call, row: Row) -> None:
    await call.writer.insert(face.table, {name: v for name, v in row.items() if name in face.table.c})


async def update_record(face: Face, call: Call, record_id: str, sent: Row) -> Row:
    """Change a record, in the call's transaction, to values by column that were prepared; returns the new state."""
    await lock_ancestry(face, call, sent)
    await check_parents(face, call, to_write=True)
    await face.record.resolve(call, sent)
    return await change_record(face, call, await find_record(face, call, record_id, lock=True), sent)


async def change_record(face: Face, call: Call, before: Row, sent: Row) -> Row:
    """Change a record that was found and locked, as `update_record`."""
    await compute(face.record.computed, call, [before])
    await check_references(face, call, sent, before)
    await check_external(face, call, sent, before)
    changes = dict(sent)
    await check_ancestry(face, call, before, changes)
    await face.record.before_update(call, before, changes)
    _check_nulls(face, changes)
    after = await store_changes(face, call, before, changes)
    await face.record.after_update(call, after, changes)
    await record_updated(call, face, before, after, set(sent))
    return after


async def delete_record(face: Face, call: Call, record_id: str) -> None:
    """Soft-delete a record, in the call's transaction."""
    await lock_ancestry(face, call)
    await check_parents(face, call, to_write=True)
    await remove_record(face, call, await find_record(face, call, record_id, lock=True))


async def remove_record(face: Face, call: Call, row: Row) -> None:
    """Soft-delete a record that was found and locked."""
    await compute(face.record.computed, call, [row])
    await face.record.before_delete(call, row)
    await release_children(face, call, row)
    await store_changes(face, call, row, {"deleted_at": call.now})
    await record_deleted(call, face, row)


async def in_transaction(call: Call, work: Callable[[], Awaitable[Any]]) -> Any:
    """Run `work` with `call.tx` set. A unique key that was taken in the meantime is a Conflict."""
    try:
        async with call.site.db.transaction() as tx:
            call.tx = tx
            call.parents.clear()
            return await work()
    except UniqueViolation as error:
        raise Conflict("A record with the same unique value already exists") from error
    finally:
        call.tx = None


async def store_changes(face: Face, call: Call, row: Row, changes: Row) -> Row:
    """Write the changed columns with their bookkeeping; returns the new row."""
    if all(row.get(name) == value for name, value in changes.items()):
        return row
    columns = {name: value for name, value in changes.items() if name in face.table.c}
    columns |= {"updated_at": call.now, "updated_by_id": call.caller.user_id}
    keys = {face.record.tenant_column: call.workspace_id, "id": row["id"]}
    await call.writer.update(face.table, columns, **keys)
    return {**row, **changes, **columns}


async def _show(call: Call, face: Face, stored: Awaitable[Row]) -> Row:
    return await show_record(call, face, await stored)


async def show_record(call: Call, face: Face, row: Row) -> Row:
    """The record in the shape that the query asks for."""
    return await shape_row(call, face, row, face.wire.read_shape(face, call.query))


def new_row(face: Face, call: Call, sent: Row) -> Row:
    """The row of a new record, with key, parents and bookkeeping."""
    user_id = call.caller.user_id
    return {
        "id": new_id(),
        **face.record.defaults,
        **sent,
        **scope_values(face, call),
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": user_id,
        "updated_by_id": None,
    }


def _check_nulls(face: Face, changes: Row) -> None:
    """A null in POST lets the face choose the value; PATCH refuses it where the column isn't nullable."""
    columns = face.table.c
    errors = {
        name: ["This field may not be null."]
        for name, value in changes.items()
        if value is None and name in columns and not columns[name].nullable
    }
    if errors:
        raise Invalid(errors)
