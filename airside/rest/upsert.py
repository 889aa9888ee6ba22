"""Creating a record or changing the one that has its external id, in one request, as importers repeat it.

`external_source` and `external_id` name the record; a body without both of them creates one. What a repeat doesn't
send it doesn't change.
"""

from functools import partial

from airside.db.base import Row
from airside.rest.ancestry import lock_ancestry
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.external_ids import lock_external
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import check_parents, find_external
from airside.rest.verbs import change_record, create_record, in_transaction, show_record


async def upsert(face: Face, call: Call) -> Row:
    """The record as it is afterwards. Raises what creating and updating it raise."""
    sent, new = to_columns(face, call.body), to_columns(face, with_defaults(face.body, call.body))
    with wire_names(face):
        await face.record.prepare(call, new)
        return await in_transaction(call, partial(_upsert, face, call, sent, new))


async def _upsert(face: Face, call: Call, sent: Row, new: Row) -> Row:
    await lock_ancestry(face, call, sent)
    await check_parents(face, call, to_write=True)
    row = await _find(face, call, sent.get("external_source"), sent.get("external_id"))
    stored = create_record(face, call, new) if row is None else change_record(face, call, row, sent)
    return await show_record(call, face, await stored)


async def _find(face: Face, call: Call, source: str | None, external_id: str | None) -> Row | None:
    """The record of the pair, locked; so is the pair, so that two requests at once make one record."""
    if not source or not external_id:
        return None
    await lock_external(face, call, source, external_id)
    return await find_external(face, call, source, external_id, lock=True)


def upsert_route(face: Face) -> Route:
    """POST …/upsert."""
    record, noun = face.record, (face.noun or face.record.noun).lower()
    return Route(
        **place_of(face, "/upsert"),
        method="POST",
        handler=partial(upsert, face),
        scope=f"{face.scope}:write",
        name=f"upsert_{noun.replace(' ', '_')}",
        summary=f"Create a {noun}, or change the one with its external id",
        role=max(record.write_role, record.create_role or record.write_role),
        body=face.body,
        shown=face.shown,
        may_conflict=True,
        event=record.event and f"{record.event}.created",
        other_event=record.event and f"{record.event}.updated",
        eventless=record.eventless,
        face=face,
        query=face.wire.query(face, "create"),
    )
