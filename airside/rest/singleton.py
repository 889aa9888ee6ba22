"""One record under its parents, which the URL names without an id of its own: GET and PATCH.

Its row is stored with the first change, as an update of the body's defaults, which GET shows until then.
"""

from functools import partial
from typing import Any

from airside.db.base import Row
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import check_parents, find_only, find_record
from airside.rest.verbs import change_record, in_transaction, insert_record, new_row, show_record


async def retrieve_one(face: Face, call: Call) -> Row:
    """Raises NotFound for a missing parent."""
    await check_parents(face, call)
    row = await _find(face, call)
    return await show_record(call, face, _unstored(face, call) if row is None else row)


async def update_one(face: Face, call: Call) -> Row:
    """Update the record with its event; an update that changes nothing records none."""
    sent = to_columns(face, call.body)
    with wire_names(face):
        await face.record.prepare(call, sent)
        return await in_transaction(call, lambda: _update(face, call, sent))


async def _update(face: Face, call: Call, sent: Row) -> Row:
    await check_parents(face, call, to_write=True)
    before = await _find(face, call, lock=True)
    if before is None:
        await call.access.lock_workspace(call)  # so that two first changes store one row
        before = await _find(face, call, lock=True) or await _store(face, call)
    return await show_record(call, face, await change_record(face, call, before, sent))


async def _find(face: Face, call: Call, *, lock: bool = False) -> Row | None:
    """The row; by its id where that is its parent's, in the URL. Raises NotFound for an unknown one."""
    if face.key in call.path:
        return await find_record(face, call, call.path[face.key], lock=lock)
    return await find_only(face, call, lock=lock)


async def _store(face: Face, call: Call) -> Row:
    row = new_row(face, call, to_columns(face, with_defaults(face.body, {})))
    await face.record.before_create(call, row)
    await insert_record(face, call, row)
    return row


def _unstored(face: Face, call: Call) -> Row:
    """What the first change will store, without id and times."""
    row = new_row(face, call, to_columns(face, with_defaults(face.body, {})))
    return row | {"id": None, "created_at": None, "updated_at": None, "created_by_id": None}


def singleton_routes(face: Face, noun: str, *, event: str | None = None) -> list[Route]:
    """GET and PATCH. `noun` is for the operations' names: workspace features. `event` is the PATCH's, where that
    isn't the record's own."""
    record = face.record
    common: dict[str, Any] = {**place_of(face), "face": face, "shown": face.shown}
    name = noun.lower().replace(" ", "_")
    return [
        Route(
            **common,
            method="GET",
            handler=partial(retrieve_one, face),
            scope=f"{face.scope}:read",
            name=f"retrieve_{name}",
            summary=face.summaries.get("retrieve") or f"Retrieve {noun}",
            role=record.read_role,
            query=face.wire.query(face, "retrieve"),
        ),
        Route(
            **common,
            method="PATCH",
            handler=partial(update_one, face),
            scope=f"{face.scope}:write",
            name=f"update_{name}",
            summary=face.summaries.get("update") or f"Update {noun}",
            role=record.write_role,
            body=face.body,
            partial=True,
            event=event or (record.event and f"{record.event}.updated"),
            eventless=record.eventless,
        ),
    ]
