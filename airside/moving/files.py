"""Files of a source: stored as they arrive, before the transaction that makes their record."""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast
from uuid import UUID, uuid5

from airside.assets.file_types import check_type
from airside.assets.files import Files, Settled, complete_upload
from airside.assets.quota import take_room
from airside.assets.storage import keep_file, storage_of
from airside.db.base import Row
from airside.errors import Refused
from airside.moving.families import Family
from airside.rest.call import Call
from airside.rest.external_ids import check_external
from airside.rest.gate import record_created
from airside.rest.selection import check_parents
from airside.rest.verbs import in_transaction, insert_record, new_row
from airside.runtime.site import Site

Open = Callable[[str, int, str], AsyncIterator[bytes]]  # by id, size and checksum


async def put_file(site: Site, workspace_id: str, import_id: str, row: Row, open_file: Open) -> Row:
    """Store the bytes of a row's file; returns what its record says of them. A second run overwrites them.

    Raises Refused for one that is missing, changed, too large or of a type that isn't taken."""
    kept = _read_file(row.get("file"))
    if kept is None or not isinstance(row.get("name"), str):
        raise Refused("Its file didn't come.")
    size, sha256 = kept
    limit = site.settings.upload_max_bytes
    if size > limit:
        raise Refused(f"Its file has more than the {limit:,} bytes that AIRSIDE_UPLOAD_MAX_MB allows.")
    declared = row.get("content_type")
    content_type = check_type(declared if isinstance(declared, str) else None, row["name"])
    file_id = str(uuid5(UUID(import_id), row["id"]))
    await keep_file(site, f"{workspace_id}/{file_id}", open_file(row["id"], size, sha256))
    stored = await storage_of(site).measure(f"{workspace_id}/{file_id}")
    return {"id": file_id, "content_type": content_type, "size": size, "stored": stored}


def _read_file(value: Any) -> tuple[int, str] | None:
    """Its size and checksum."""
    if not isinstance(value, dict):
        return None
    found = cast(Row, value)
    size, sha256 = found.get("size"), found.get("sha256")
    return (size, sha256) if type(size) is int and isinstance(sha256, str) else None


async def create_file(family: Family, call: Call, row: Row) -> str:
    """The record of a file that was put. Raises Conflict, NotFound and WorkspaceFull."""
    face, put = family.face, dict(row["put"])
    record = cast(Files, face.record)
    stored = put.pop("stored")
    given = {name: row.get(name) for name in ("name", "external_source", "external_id")}

    async def work() -> None:
        await check_parents(face, call)
        await check_external(face, call, given, None)
        await take_room(call.writer, call.site.settings, call.workspace_id, put["size"])
        new = {**new_row(face, call, {**given, **put}), "entity_type": record.entity_type, "removed_at": None}
        new |= await complete_upload(call, new, Settled(put["id"], stored) if stored else None)
        new |= {"project_id": call.project.get("id"), **call.kept}
        await insert_record(face, call, new)
        await record_created(call, face, new)

    await in_transaction(call, work)
    return put["id"]
