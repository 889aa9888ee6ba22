"""The ids that records have in other systems, as importers set them: a pair of source and id names one record.

No unique index holds that, since a table may have had the same pair twice before; a lock on the pair does.
"""

from airside.db.base import Row
from airside.errors import Conflict
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.selection import find_external


async def check_external(face: Face, call: Call, sent: Row, row: Row | None) -> None:
    """Raises Conflict for a pair that another record has. `row` is the stored record, None for a new one."""
    external_id, source = sent.get("external_id"), sent.get("external_source")
    if row is not None:
        external_id, source = external_id or row.get("external_id"), source or row.get("external_source")
        if (external_id, source) == (row.get("external_id"), row.get("external_source")):
            return
    if not external_id or not source:
        return
    await lock_external(face, call, source, external_id)
    found = await find_external(face, call, source, external_id)
    if found is not None:
        sentence = f"{face.record.noun} with the same external id and external source already exists"
        raise Conflict(sentence, existing=found["id"])


async def lock_external(face: Face, call: Call, source: str, external_id: str) -> None:
    """Whoever else writes a record with this pair waits until the transaction ends."""
    await call.writer.lock_name(face.table.name, call.workspace_id, source, external_id)
