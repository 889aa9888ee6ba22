"""What attachments and files of workspaces share: rows of `files`, their upload, completion and download."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple

import sqlalchemy as sa
from msgspec import Meta

from airside.assets.disposition import download_headers
from airside.assets.file_types import FileRefused, check_type
from airside.assets.quota import give_room, take_room
from airside.assets.storage import drop_file, key_of, storage_of, upload_key_of
from airside.assets.stored import StoredFile
from airside.assets.tables import file_endings, files
from airside.assets.tickets import LIFETIME, LINK_LIFETIME, UPLOAD_PATH, issue_link, issue_ticket
from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.rest.body import Body, Key, Name, Short
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.record import Record
from airside.runtime.site import Site

Size = Annotated[int, Meta(ge=1, le=2**53)]  # bytes; the setting's limit is checked later

_OF_ITEM = Statement(
    sa.select(files.c.id, files.c.size)
    .where(tenant(files), files.c.issue_id == sa.bindparam("issue_id", type_=Id()), live(files))
    .with_for_update(of=files)
)
_DELETE = Statement(
    sa.update(files)
    .where(tenant(files), any_of(files.c.id, "ids"))
    .values(deleted_at=sa.bindparam("now", type_=files.c.deleted_at.type))
)


class FileIn(Body):
    """`name` and `size` are required; that is checked later, for Plane's answer."""

    name: Name | None = None
    type: Short | None = None  # guessed from the name where it is absent
    size: Size | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class Files(Record):
    """A record kept in `files`."""

    table = files
    unlisted = ("removed_at", "storage_metadata", "stored_id")
    computed = {
        "attributes": Computed(
            of=lambda row: {"name": row["name"], "type": row["content_type"], "size": row["size"]}
        ),
        "asset": Computed(of=lambda row: asset_of(row)),
    }
    entity_type: str

    async def prepare(self, call: Call, sent: Row, /) -> None:
        """Raises FileRefused and Invalid. The id is chosen now: an upload that can't be signed leaves no row."""
        if sent.get("name") is None or sent.get("size") is None:
            raise FileRefused("Invalid request.")
        limit = call.site.settings.upload_max_bytes
        if sent["size"] > limit:
            raise Invalid({"size": [f"Ensure this value is less than or equal to {limit}."]})
        sent |= {"id": new_id(), "content_type": check_type(sent.get("content_type"), sent["name"])}
        call.prepared["upload_data"] = await sign_upload(call, sent)

    async def before_create(self, call: Call, row: Row, /) -> None:
        row |= {
            "entity_type": self.entity_type,
            "is_uploaded": False,
            "storage_metadata": {},
            "stored_id": None,
        }
        await take_room(call.writer, call.site.settings, call.workspace_id, row["size"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await give_room(call.writer, call.workspace_id, row["size"])


async def sign_upload(call: Call, file: Row) -> Row:
    """Where to post the new file, and with which form fields."""
    key, seconds = f"{call.workspace_id}/{file['id']}", int(LIFETIME.total_seconds())
    form = await storage_of(call.site).sign_upload(key, file["size"], file["content_type"], seconds)
    if form is not None:
        return {"url": form.url, "fields": dict(form.fields)}
    return {
        "url": f"{call.site.settings.origin}{UPLOAD_PATH}/",
        "fields": issue_ticket(call.site, file["id"], file["content_type"], call.now, call.workspace_id),
    }


class Settled(NamedTuple):
    """Uploaded bytes under a key of their own, which no upload writes."""

    id: str
    file: StoredFile


@asynccontextmanager
async def settle_upload(call: Call, row: Row) -> AsyncGenerator[Settled | None]:
    """What was uploaded so far: the upload's form can't change these bytes any more. Then bytes that no record
    has are dropped. Not inside a transaction: a bucket takes its time."""
    settled = None if row["is_uploaded"] else await _settle(call.site, row)
    try:
        yield settled
    finally:
        if settled is not None:
            await _drop_unused(call.site, row, settled)


async def _settle(site: Site, row: Row) -> Settled | None:
    kept = row | {"stored_id": new_id()}
    found = await storage_of(site).settle(upload_key_of(row), key_of(kept))
    return None if found is None else Settled(kept["stored_id"], found)


async def _drop_unused(site: Site, row: Row, settled: Settled) -> None:
    """The row says which: a commit may have happened although it seemed to fail."""
    found = await site.db.find(files, workspace_id=row["workspace_id"], id=row["id"])
    is_taken = found is not None and found["stored_id"] == settled.id
    await drop_file(site, upload_key_of(row) if is_taken else key_of(row | {"stored_id": settled.id}))


async def complete_upload(call: Call, row: Row, settled: Settled | None) -> Row:
    """The changes that make the file visible; its room is what it takes up. Raises FileRefused."""
    if settled is None or settled.file.size > row["size"]:
        raise FileRefused("The asset is not uploaded.")
    stored = settled.file
    await give_room(call.writer, call.workspace_id, row["size"] - stored.size)
    facts = {
        "ContentType": row["content_type"],
        "ContentLength": stored.size,
        "LastModified": stored.changed_at,
        **({"ETag": stored.etag} if stored.etag else {}),
    }
    return {"is_uploaded": True, "size": stored.size, "storage_metadata": facts, "stored_id": settled.id}


async def sign_download(call: Call, row: Row) -> str:
    """A short-lived URL that downloads the file without a credential. Raises FileRefused."""
    if not row["is_uploaded"]:
        raise FileRefused("The asset is not uploaded.")
    seconds = int(LINK_LIFETIME.total_seconds())
    url = await storage_of(call.site).sign_download(key_of(row), download_headers(row), seconds)
    return url or issue_link(call.site, row["workspace_id"], row["id"], call.now)


async def delete_files_of(call: Call, work_item_id: str) -> None:
    """Delete the attachments of a deleted work item."""
    found = await call.reader.fetch_all(_OF_ITEM, workspace_id=call.workspace_id, issue_id=work_item_id)
    if found:
        ids = [file["id"] for file in found]
        await call.writer.execute(_DELETE, workspace_id=call.workspace_id, ids=ids, now=call.now)
        await give_room(call.writer, call.workspace_id, sum(file["size"] for file in found))


async def delete_files_of_project(call: Call, project_id: str) -> None:
    """Let the worker delete the attachments of a deleted project, of which there may be many."""
    await call.writer.insert(file_endings, {"workspace_id": call.workspace_id, "project_id": project_id})


def asset_of(row: Row) -> str:
    """How Plane names a stored file: an opaque text that ends in the file's name."""
    return f"{row['workspace_id']}/{row['id'].replace('-', '')}-{row['name']}"


def name_of(asset: str) -> str:
    """The file's name in what `asset_of` returned."""
    return asset.partition("/")[2].partition("-")[2] or asset
