"""The endpoints of files outside /api/v1: form upload, pictures, and downloads.

None takes credentials: an upload carries its signed policy, a download its signature, and pictures are public as in
Plane.
"""

from collections.abc import AsyncIterator

from airside.assets.disposition import download_headers
from airside.assets.pictures import HEAD_BYTES, detect_picture
from airside.assets.storage import drop_file, key_of, picture_key_of, read_file, storage_of
from airside.assets.stored import CHUNK_BYTES
from airside.assets.tables import assets, files
from airside.assets.tickets import DOWNLOAD_PATH, UPLOAD_PATH, Policy, check_link, check_ticket
from airside.assets.user_assets import STATIC_PATH
from airside.db.base import Row, new_id
from airside.db.text_rules import is_id
from airside.errors import BadRequest, Forbidden, NotFound, PageNotFound, Refused, TooLarge
from airside.http.answer import Answer
from airside.http.endpoint import Endpoint, Methods, ShowError
from airside.http.multipart import FormReader, MalformedForm
from airside.http.request import Request
from airside.runtime.site import Site

MAX_FIELDS = 20
MAX_FIELD_BYTES = 4096

PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # a new picture gets a new id
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
DOWNLOAD_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def asset_endpoints(site: Site, show_error: ShowError) -> dict[str, Endpoint]:
    """Path → endpoint."""
    return {
        UPLOAD_PATH: Methods({"POST": Upload(site).answer}, show_error),
        STATIC_PATH + "/{asset_id}": Methods({"GET": Picture(site).answer}, show_error),
        DOWNLOAD_PATH + "/{workspace_id}/{file_id}": Methods({"GET": Download(site).answer}, show_error),
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
        """Store the file that the policy fields allow. Raises Forbidden, Refused, TooLarge and StorageAway."""
        policy = check_ticket(self._site, fields, self._site.clock.now())
        if policy.workspace_id is None:
            await self._receive_picture(policy, form)
        else:
            await self._receive_file(policy, form)

    async def _receive_picture(self, policy: Policy, form: FormReader) -> None:
        """Under a key of its own, so that it replaces none that was confirmed in the meantime."""
        asset_id, stored_id = policy.asset_id, new_id()
        incoming = IncomingPicture(_check_open(await self._site.db.find(assets, id=asset_id)), form)
        await storage_of(self._site).put(stored_id, incoming.chunks())
        changes: Row = {"content_type": incoming.content_type, "size": incoming.size, "stored_id": stored_id}
        try:
            async with self._site.db.transaction() as tx:
                earlier = _check_open(await tx.lock(assets, id=asset_id))
                changes["received_at"] = self._site.clock.now()
                await tx.update(assets, changes, id=asset_id)
        except Forbidden:
            await drop_file(self._site, stored_id)
            raise
        await drop_file(self._site, picture_key_of(earlier))

    async def _receive_file(self, policy: Policy, form: FormReader) -> None:
        keys = {"workspace_id": policy.workspace_id, "id": policy.asset_id}
        incoming = Incoming(_check_open(await self._site.db.find(files, **keys)), form)
        await storage_of(self._site).put(policy.key, incoming.chunks())
        try:
            _check_open(await self._site.db.find(files, **keys))
        except Forbidden:
            await drop_file(self._site, policy.key)
            raise


class Incoming:
    """A file being received: checked against its declared size."""

    def __init__(self, declared: Row, form: FormReader) -> None:
        self._declared = declared
        self._form = form
        self.size = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises TooLarge, and Refused for an empty file."""
        chunk = await self._begin()
        while chunk:
            yield chunk
            chunk = await self._read(CHUNK_BYTES)

    async def _begin(self) -> bytes:
        chunk = await self._read(CHUNK_BYTES)
        if not chunk:
            raise Refused("The file is empty.")
        return chunk

    async def _read(self, limit: int) -> bytes:
        chunk = await self._form.read(limit)
        self.size += len(chunk)
        if self.size > self._declared["size"]:
            raise TooLarge
        return chunk


class IncomingPicture(Incoming):
    """Checked against its declared content type too, by its first bytes."""

    content_type: str | None = None

    async def _begin(self) -> bytes:
        head = await self._read(HEAD_BYTES)
        self.content_type = detect_picture(head)
        if self.content_type is None or self._declared["content_type"] not in (None, self.content_type):
            declared = self._declared["content_type"] or "a JPEG, PNG, WebP or GIF picture"
            raise Refused(f"The file is not {declared}.")
        return head


def _check_open(declared: Row | None) -> Row:
    """Raises Forbidden once the file was confirmed or deleted."""
    if (
        declared is None
        or declared["deleted_at"]
        or declared.get("confirmed_at")
        or declared.get("is_uploaded")
    ):
        raise Forbidden("This upload is over.")
    return declared


async def _read_field(form: FormReader) -> str:
    raw = await form.read(MAX_FIELD_BYTES + 1)
    if len(raw) > MAX_FIELD_BYTES:
        raise BadRequest("A form field is too long.")
    return raw.decode("utf-8", "replace")


class Picture:
    """GET a person's confirmed picture."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        asset_id = request.parameters["asset_id"]
        if not is_id(asset_id):
            raise PageNotFound
        asset = await self._site.db.find(assets, id=asset_id.lower())
        if asset is None or asset["deleted_at"] or asset["confirmed_at"] is None:
            raise NotFound
        found = await read_file(self._site, picture_key_of(asset))
        if found is None:
            raise NotFound
        return Answer(200, found, asset["content_type"], PICTURE_HEADERS)


class Download:
    """GET a workspace's confirmed file with a signed link, always to be saved: no browser shows it here."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def answer(self, request: Request) -> Answer:
        ids = {name: request.parameters[name] for name in ("workspace_id", "file_id")}
        if not all(is_id(one) for one in ids.values()):
            raise PageNotFound
        expires, signature = (request.query.get(name, [""])[-1] for name in ("expires", "signature"))
        check_link(self._site, **ids, expires=expires, signature=signature, now=self._site.clock.now())
        file = await self._site.db.find(files, workspace_id=ids["workspace_id"], id=ids["file_id"])
        if file is None or file["deleted_at"] or not file["is_uploaded"]:
            raise NotFound
        storage, key = storage_of(self._site), key_of(file)
        stored, chunks = await storage.measure(key), await storage.open(key)
        if stored is None or chunks is None:
            raise NotFound
        headers = {**DOWNLOAD_HEADERS, **download_headers(file), "Content-Length": str(stored.size)}
        return Answer(200, b"", file["content_type"], headers, chunks)
