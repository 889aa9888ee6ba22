"""Creating, updating and deleting up to 50 records of one face in one request.

Each row is a write of its own, with its event: some may fail while others are stored. With `all_or_none` they share
a transaction, and any failure discards all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from airside.db.base import Row, is_uuid
from airside.errors import AirsideError, BadRequest, Conflict, Forbidden, Invalid, NotFound, Refused
from airside.rest.body import check_body, with_defaults
from airside.rest.call import Call
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.verbs import create_record, delete_record, in_transaction, update_record

MAX_ROWS = 50

Store = Callable[[Call], Awaitable[str]]  # writes a prepared row in the call's transaction; returns its id
Prepare = Callable[[Call, Row], Awaitable[Store]]

# What fails one row. Anything else, such as a database that is away, fails the request.
ROW_ERRORS = (BadRequest, Conflict, Forbidden, Invalid, NotFound, Refused)


class Outcome(NamedTuple):
    """What became of one row; without an error it was stored."""

    id: str | None  # None for a row that names no record
    error: AirsideError | None = None


class BatchFailed(Conflict):
    """A batch that was discarded as a whole; `failures` are by the row's number."""

    def __init__(self, failures: dict[int, AirsideError]) -> None:
        super().__init__("Nothing was saved, since some of the rows failed.")
        self.failures = failures


class _Row(NamedTuple):
    call: Call
    id: str | None
    store: Store | None  # None with an error
    error: AirsideError | None


async def bulk_create(face: Face, call: Call, items: list[Row], *, all_or_none: bool) -> list[Outcome]:
    """Raises BatchFailed."""

    async def prepare(row_call: Call, item: Row) -> Store:
        sent = to_columns(face, with_defaults(face.body, check_body(face.body, item, partial=False)))
        await face.record.prepare(row_call, sent)
        return partial(_create, face, sent)

    rows = [await _prepare(face, call, item, prepare) for item in items]
    return await _store_all(face, call, rows, all_or_none=all_or_none)


async def bulk_update(face: Face, call: Call, items: list[Row], *, all_or_none: bool) -> list[Outcome]:
    """Each item has the `id` of its record. Raises BatchFailed."""

    async def prepare(row_call: Call, item: Row) -> Store:
        record_id, sent = _read_id(item), to_columns(face, check_body(face.body, item, partial=True))
        await face.record.prepare(row_call, sent)
        return partial(_update, face, record_id, sent)

    rows = [await _prepare(face, call, item, prepare) for item in items]
    return await _store_all(face, call, rows, all_or_none=all_or_none)


async def bulk_delete(face: Face, call: Call, ids: list[str], *, all_or_none: bool) -> list[Outcome]:
    """Raises BatchFailed."""

    async def prepare(row_call: Call, item: Row) -> Store:
        return partial(_delete, face, _read_id(item))

    rows = [await _prepare(face, call, {"id": one}, prepare) for one in ids]
    return await _store_all(face, call, rows, all_or_none=all_or_none)


async def _create(face: Face, sent: Row, call: Call) -> str:
    return (await create_record(face, call, sent))["id"]


async def _update(face: Face, record_id: str, sent: Row, call: Call) -> str:
    return (await update_record(face, call, record_id, sent))["id"]


async def _delete(face: Face, record_id: str, call: Call) -> str:
    await delete_record(face, call, record_id)
    return record_id


def _read_id(item: Row) -> str:
    """Raises Invalid."""
    if "id" not in item:
        raise Invalid({"id": ["This field is required."]}, {"id": "required"})
    if not isinstance(item["id"], str) or not is_uuid(item["id"]):
        raise Invalid({"id": ["Must be a valid UUID."]})
    return item["id"].lower()


async def _prepare(face: Face, call: Call, item: Row, prepare: Prepare) -> _Row:
    """The row without its transaction; each has its own call, since hooks keep what they prepare there."""
    own, named = replace(call, prepared={}), item.get("id")
    record_id = named if isinstance(named, str) else None
    try:
        with wire_names(face):
            return _Row(own, record_id, await prepare(own, item), None)
    except ROW_ERRORS as error:
        return _Row(own, record_id, None, error)


async def _store_all(face: Face, call: Call, rows: list[_Row], *, all_or_none: bool) -> list[Outcome]:
    if not all_or_none:
        return [await _store(face, row, partial(in_transaction, row.call)) for row in rows]

    async def store_together() -> list[Outcome]:
        # In the order of ids, so that two batches wait for each other and don't deadlock.
        ordered = sorted(enumerate(rows), key=lambda one: one[1].id or "")
        found = {number: await _store(face, row, partial(_share, call, row.call)) for number, row in ordered}
        failures = {number: one.error for number, one in sorted(found.items()) if one.error is not None}
        if failures:
            raise BatchFailed(failures)
        return [found[number] for number in range(len(rows))]

    return await in_transaction(call, store_together)


async def _share(call: Call, row_call: Call, work: Callable[[], Awaitable[Any]]) -> Any:
    """Run the work in the transaction of the batch."""
    row_call.tx = call.tx
    return await work()


async def _store(
    face: Face, row: _Row, run: Callable[[Callable[[], Awaitable[str]]], Awaitable[Any]]
) -> Outcome:
    if row.store is None:
        return Outcome(row.id, row.error)
    await asyncio.sleep(0)  # yield to other tasks
    try:
        with wire_names(face):
            return Outcome(await run(partial(row.store, row.call)))
    except ROW_ERRORS as error:
        return Outcome(row.id, error)
