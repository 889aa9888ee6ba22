"""Reading a form with one large file: its fields, then the file, which is written to the disk as it arrives."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, NamedTuple

from falcon.asgi import Request

from airside.assets.stored import CHUNK_BYTES
from airside.errors import Invalid, TooLarge
from airside.http.multipart import FormReader, MalformedForm
from airside.identity.csrf import check_csrf_token
from airside.portal.forms import Form, Unreadable, drain
from airside.portal.sent_once import begin_answer
from airside.portal.visit import Visit

FIELDS, FIELD_BYTES = 10, 4096
MEGABYTE = 1024 * 1024


class SentFile(NamedTuple):
    """A file that a browser sent; `content` is on the disk and ends with the request."""

    name: str
    content_type: str
    size: int  # bytes
    content: IO[bytes]

    async def chunks(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self.content.seek, 0)
        while chunk := await asyncio.to_thread(self.content.read, CHUNK_BYTES):
            yield chunk


@asynccontextmanager
async def receive_file(visit: Visit, name: str, max_bytes: int) -> AsyncGenerator[SentFile]:
    """The form's file. Raises ForgedForm, Unreadable, SentBefore, and Invalid for one that is empty or too big."""
    if not (visit.req.content_type or "").startswith("multipart/"):
        await visit.read_form()  # says first whether it is forged or too large
        raise Unreadable
    with tempfile.TemporaryFile(dir=visit.site.settings.data) as spool:
        try:
            yield await _receive(visit, name, max_bytes, spool)
        except MalformedForm:
            raise Unreadable from None


async def _receive(visit: Visit, name: str, max_bytes: int, spool: IO[bytes]) -> SentFile:
    form, reader = Form(), FormReader(Body(visit.req))
    while (part := await reader.next_part()) != name:
        if part is None or len(form.fields) == FIELDS:
            raise Unreadable
        form.fields.setdefault(part, []).append(await _read_field(reader))
    check_csrf_token(visit.site, form.text("csrf_token"), visit.session.id_hash)
    try:
        size, digest = await _write(reader, max_bytes, spool)
    except TooLarge:
        await drain(visit.req)
        raise Invalid({name: [f"Choose a file of at most {max_bytes // MEGABYTE:,} MB."]}) from None
    if not size:
        raise Invalid({name: ["Choose a file that isn't empty."]})
    form.files[name] = digest
    await begin_answer(visit.site, visit.req, visit.session.id_hash, form)
    return SentFile(reader.part.file_name, reader.part.content_type, size, spool)


async def _read_field(reader: FormReader) -> str:
    raw = await reader.read(FIELD_BYTES + 1)
    if len(raw) > FIELD_BYTES:
        raise Unreadable
    return raw.decode("utf-8", "replace")


async def _write(reader: FormReader, max_bytes: int, spool: IO[bytes]) -> tuple[int, bytes]:
    """The size of the part and its hash. Raises TooLarge."""
    size, digest = 0, hashlib.sha256()
    while chunk := await reader.read(CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge
        digest.update(chunk)
        await asyncio.to_thread(spool.write, chunk)
    return size, digest.digest()


class Body:
    """A page's request as FormReader takes it."""

    def __init__(self, req: Request) -> None:
        self._req = req
        self.content_type: str | None = req.content_type

    async def chunks(self) -> AsyncIterator[bytes]:
        while chunk := await self._req.stream.read(CHUNK_BYTES):
            yield chunk
