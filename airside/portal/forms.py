"""Reading a submitted form: urlencoded, or multipart when it has a file."""

import asyncio
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import falcon
from falcon.asgi import Request
from falcon.media.multipart import MultipartFormHandler

from airside.errors import BadRequest, TooLarge

FORM_LIMIT = 64 * 1024  # bytes of a form without files
WRITING_LIMIT = 2 * 1024 * 1024  # bytes of a form with a text that people write
UPLOAD_LIMIT = 2 * 1024 * 1024  # bytes of one with files
MAX_DRAINED = 16 * 1024 * 1024  # bytes of a refused body that are read, so that the response arrives
FIELD_LIMIT = 300  # fields; there are more than 80 scopes to tick

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class Unreadable(BadRequest):
    sentence = "The form that was sent can't be read."


@dataclass
class Form:
    """A submitted form: every value of each field in order, and the files that have content."""

    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def text(self, name: str) -> str:
        """The field's one value, empty when it is absent. Raises Unreadable when it was sent twice."""
        values = self.fields.get(name, [])
        if len(values) > 1:
            raise Unreadable(f"The form sent the field “{name}” more than once.")
        return values[0] if values else ""

    def texts(self, name: str) -> list[str]:
        return self.fields.get(name, [])

    def has(self, name: str) -> bool:
        """Whether a box with this name was ticked."""
        return name in self.fields


async def read_form(req: Request, upload_limit: int = UPLOAD_LIMIT, form_limit: int = FORM_LIMIT) -> Form:
    """The limits are bytes, of a form with files and of one without. Raises Unreadable and TooLarge."""
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    if media_type == URLENCODED:
        body = await _read_body(req, form_limit)
        if len(body) > FORM_LIMIT:
            return await asyncio.to_thread(_parse_urlencoded, body)
        return _parse_urlencoded(body)
    if media_type == MULTIPART:
        return _parse_multipart(await _read_body(req, upload_limit), req.content_type or "")
    raise Unreadable


async def _read_body(req: Request, limit: int) -> bytes:
    body = bytearray()
    while chunk := await req.stream.read(limit + 1 - len(body)):
        body += chunk
        if len(body) > limit:
            await drain(req)
            raise TooLarge(f"The form is larger than {limit // 1024:,} kB.")
    return bytes(body)


async def drain(req: Request) -> None:
    """Read what is left of a refused body, so that the response arrives."""
    left = MAX_DRAINED
    while left > 0 and (chunk := await req.stream.read(min(left, 64 * 1024))):
        left -= len(chunk)


def _parse_urlencoded(body: bytes) -> Form:
    form = Form()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELD_LIMIT)
    except ValueError:
        raise Unreadable from None
    for name, value in pairs:
        form.fields.setdefault(name, []).append(value)
    return form


def _parse_multipart(body: bytes, content_type: str) -> Form:
    form, handler = Form(), MultipartFormHandler()
    handler.parse_options.max_body_part_count = FIELD_LIMIT
    handler.parse_options.max_body_part_buffer_size = len(body)  # the body's size is bounded already
    try:
        parts: Any = handler.deserialize(BytesIO(body), content_type, len(body))
        for part in parts:
            _take_part(form, part)
    except (falcon.HTTPError, ValueError):
        raise Unreadable from None
    return form


def _take_part(form: Form, part: Any) -> None:
    name, data = part.name or "", part.get_data()
    if part.filename is None:
        form.fields.setdefault(name, []).append(data.decode())
    elif data:  # browsers send an empty file field too
        if name in form.files:
            raise ValueError(name)
        form.files[name] = data
