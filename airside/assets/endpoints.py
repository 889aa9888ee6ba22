"""The two endpoints of files outside /api/v1: form upload and download.

Neither takes credentials: an upload carries its signed policy, and pictures are public as in Plane.
"""

from collections.abc import AsyncIterator
from typing import Any

import falcon
from falcon.asgi import Request, Response

from airside.assets.pictures import HEAD_BYTES, detect_picture
from airside.assets.storage import drop_file, keep_file, read_file
from airside.assets.tables import assets
from airside.assets.tickets import check_ticket
from airside.assets.user_assets import STATIC_PATH, UPLOAD_PATH
from airside.db.base import Row
from airside.db.text_rules import is_id
from airside.errors import BadRequest, Forbidden, NotFound, Refused, TooLarge
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


def asset_routes(site: Site) -> list[tuple[str, Any]]:
    """Path → endpoint."""
    return [(UPLOAD_PATH, Upload(site)), (STATIC_PATH + "/{asset_id}", Picture(site))]


class Upload:
    """POST a form: the issued policy fields, then the part `file`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_post(self, req: Request, resp: Response) -> None:
        if not (req.content_type or "").startswith("multipart/form-data"):
            raise BadRequest("Expected a form with a part called file.")
        fields: dict[str, str] = {}
        try:
            async for part in await req.get_media():
                if part.name == "file":
                    await self._receive(fields, part.stream)
                    resp.status = 204
                    return
                if len(fields) == MAX_FIELDS:
                    raise BadRequest("Too many form fields.")
                fields[str(part.name)] = await _read_field(part.stream)
        except (falcon.MediaMalformedError, falcon.MediaNotFoundError) as error:
            raise BadRequest("Expected a form with a part called file.") from error
        raise BadRequest("The part called file is missing.")

    async def _receive(self, fields: dict[str, str], stream: Any) -> None:
        """Store the file that the policy fields allow. Raises Forbidden, Refused and TooLarge."""
        now = self._site.clock.now()
        asset_id = check_ticket(self._site, fields, now)
        incoming = Incoming(_check_open(await self._site.db.find(assets, id=asset_id)), stream)
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

    def __init__(self, asset: Row, stream: Any) -> None:
        self._asset = asset
        self._stream = stream
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
        chunk: bytes = await self._stream.read(limit)
        self.size += len(chunk)
        if self.size > self._asset["size"]:
            raise TooLarge
        return chunk


def _check_open(asset: Row | None) -> Row:
    if asset is None or asset["deleted_at"] or asset["confirmed_at"]:
        raise Forbidden("This upload is over.")
    return asset


async def _read_field(stream: Any) -> str:
    raw: bytes = await stream.read(MAX_FIELD_BYTES + 1)
    if len(raw) > MAX_FIELD_BYTES:
        raise BadRequest("A form field is too long.")
    return raw.decode("utf-8", "replace")


class Picture:
    """GET a confirmed file."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_get(self, req: Request, resp: Response, asset_id: str) -> None:
        asset = await self._site.db.find(assets, id=asset_id.lower()) if is_id(asset_id) else None
        if asset is None or asset["deleted_at"] or asset["confirmed_at"] is None:
            raise NotFound
        found = await read_file(self._site, asset["id"])
        if found is None:
            raise NotFound
        resp.set_headers(PICTURE_HEADERS)
        resp.content_type = asset["content_type"]
        resp.data = found
