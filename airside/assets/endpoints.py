"""The two endpoints of files outside /api/v1: form upload and download.

Neither takes credentials: an upload carries its signed policy, and pictures are public as in Plane.
"""

from collections.abc import AsyncIterator

from airside.assets.pictures import HEAD_BYTES, detect_picture
from airside.assets.storage import drop_file, keep_file, read_file
from airside.assets.tables import assets
from airside.assets.tickets import check_ticket
from airside.assets.user_assets import STATIC_PATH, UPLOAD_PATH
from airside.db.base import Row
from airside.db.text_rules import is_id
from airside.errors import BadRequest, Forbidden, NotFound, PageNotFound, Refused, TooLarge
from airside.http.answer import Answer
from airside.http.endpoint import Endpoint, Methods, ShowError
from airside.http.multipart import FormReader, MalformedForm
from airside.http.request import Request
from airside.runtime.site import Site

CHUNK_BYTES = 64 * 1024
MAX_FIELDS = 20
MAX_FIELD_BYTES = 4096

PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # a new picture gets a new id
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def asset_endpoints(site: Site, show_error: ShowError) -> dict[str, Endpoint]:
    """Path → endpoint."""
    return {
        UPLOAD_PATH: Methods({"POST": Upload(site).answer}, show_error),
        STATIC_PATH + "/{asset_id}": Methods({"GET": Picture(site).answer}, show_error),
    }


class Upload:
    """POST a form: the issued policy fields, then the part `file`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        fields: dict[str, str] = {}
        try:
            form = FormReader(request)
            while (name := await form.next_part()) != "file":
                if name is None:
                    raise BadRequest("The part called file is missing.")
                if len(fields) == MAX_FIELDS:
                    raise BadRequest("Too many form fields.")
                fields[name] = await _read_field(form)
            await self._receive(fields, form)
        except MalformedForm:
            raise BadRequest("Expected a form with a part called file.") from None
        return Answer(204)

    async def _receive(self, fields: dict[str, str], form: FormReader) -> None:
        """Store the file that the policy fields allow. Raises Forbidden, Refused and TooLarge."""
        now = self._site.clock.now()
        asset_id = check_ticket(self._site, fields, now)
        incoming = Incoming(_check_open(await self._site.db.find(assets, id=asset_id)), form)
        await keep_file(self._site, asset_id, incoming.chunks())
        changes = {"received_at": now, "content_type": incoming.content_type, "size": incoming.size}
        async with self._site.db.transaction() as tx:
            ended = (await tx.lock(assets, id=asset_id) or {}).get("deleted_at")
            if not ended:
                await tx.update(assets, changes, id=asset_id)
        if ended:
            await drop_file(self._site, asset_id)


class Incoming:
    """A file being received: checked against its declared size and content type."""

    def __init__(self, asset: Row, form: FormReader) -> None:
        self._asset = asset
        self._form = form
        self.size = 0
        self.content_type: str | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        head = await self._read(HEAD_BYTES)
        self.content_type = detect_picture(head)
        if self.content_type is None or self._asset["content_type"] not in (None, self.content_type):
            declared = self._asset["content_type"] or "a JPEG, PNG, WebP or GIF picture"
            raise Refused(f"The file is not {declared}.")
        chunk = head
        while chunk:
            yield chunk
            chunk = await self._read(CHUNK_BYTES)

    async def _read(self, limit: int) -> bytes:
        chunk = await self._form.read(limit)
        self.size += len(chunk)
        if self.size > self._asset["size"]:
            raise TooLarge
        return chunk


def _check_open(asset: Row | None) -> Row:
    if asset is None or asset["deleted_at"] or asset["confirmed_at"]:
        raise Forbidden("This upload is over.")
    return asset


async def _read_field(form: FormReader) -> str:
    raw = await form.read(MAX_FIELD_BYTES + 1)
    if len(raw) > MAX_FIELD_BYTES:
        raise BadRequest("A form field is too long.")
    return raw.decode("utf-8", "replace")


class Picture:
    """GET a confirmed file."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        asset_id = request.parameters["asset_id"]
        if not is_id(asset_id):
            raise PageNotFound
        asset = await self._site.db.find(assets, id=asset_id.lower())
        if asset is None or asset["deleted_at"] or asset["confirmed_at"] is None:
            raise NotFound
        found = await read_file(self._site, asset["id"])
        if found is None:
            raise NotFound
        return Answer(200, found, asset["content_type"], PICTURE_HEADERS)
