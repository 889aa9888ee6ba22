"""Archiving a record and restoring it: idempotent, with the event `archived` or `updated`.

The rules are the record's `before_archive` and `before_unarchive`; the list of archived ones is a face of its own.
"""

from functools import partial

import sqlalchemy as sa

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Face
from airside.rest.gate import record_updated
from airside.rest.identifiers import identifiers_of
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import in_transaction, store_changes

ARCHIVED_AT = "archived_at"


async def archive(face: Face, call: Call) -> None:
    """Raises what the record's `before_archive` raises, and NotFound."""

    async def work() -> None:
        row = await find_record(face, call, call.path[face.key], lock=True)
        await face.record.before_archive(call, row)
        is_day = isinstance(face.table.c[ARCHIVED_AT].type, sa.Date)
        if row[ARCHIVED_AT] is None:
            await _store(face, call, row, {ARCHIVED_AT: call.now.date() if is_day else call.now}, "archived")

    await in_transaction(call, work)


async def unarchive(face: Face, call: Call) -> None:
    """Raises what the record's `before_unarchive` raises, and NotFound."""

    async def work() -> None:
        row = await find_record(face, call, call.path[face.key], lock=True)
        await face.record.before_unarchive(call, row)
        if row[ARCHIVED_AT] is not None:
            await _store(face, call, row, {ARCHIVED_AT: None}, "updated")

    await in_transaction(call, work)


async def _store(face: Face, call: Call, row: Row, changes: Row, action: str) -> None:
    await compute(face.record.computed, call, [row])
    after = await store_changes(face, call, row, changes)
    await record_updated(call, face, row, after, (ARCHIVED_AT,), action)


def archive_routes(
    face: Face,
    noun: str,
    *,
    which: str = "",
    unarchive_at: str = "archive",
    archived: Face | None = None,
) -> list[Route]:
    """POST …/archive, and DELETE at the path's last part `unarchive_at`, below the record's path or below that of
    the `archived` ones. `which` records may be archived is for the summary: finished ones."""
    path, archived_path = (
        f"{face.wire.workspace}{one.path}/{{{face.key}}}" for one in (face, archived or face)
    )
    event = face.record.event
    name = noun.replace(" ", "_")
    return [
        Route(
            method="POST",
            path=f"{path}/archive",
            handler=partial(archive, face),
            scope=f"{face.scope}:write",
            name=f"archive_{name}",
            summary=f"Archive a {which} {noun}" if which else f"Archive a {noun}",
            role=face.record.write_role,
            status=204,
            face=face,
            identifiers=identifiers_of(face),
            event=event and f"{event}.archived",
            eventless=face.record.eventless,
        ),
        Route(
            method="DELETE",
            path=f"{archived_path}/{unarchive_at}",
            handler=partial(unarchive, face),
            scope=f"{face.scope}:write",
            name=f"unarchive_{name}",
            summary=f"Restore an archived {noun}",
            role=face.record.write_role,
            status=204,
            face=face,
            identifiers=identifiers_of(face),
            event=event and f"{event}.updated",
            eventless=face.record.eventless,
        ),
    ]
