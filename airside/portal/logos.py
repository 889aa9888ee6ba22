"""Apps' pictures: uploaded, checked by what they begin with, kept in the data folder, served from this origin."""

import asyncio
import hashlib
import os
import re
from pathlib import Path

from falcon.asgi import Request, Response

from airside.errors import Invalid, PageNotFound
from airside.portal.static import FOREVER
from airside.site import Site

SIZE_LIMIT = 512 * 1024  # bytes
PATH = "/uploads/logos/"
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{12}\.(png|jpg|webp)")
_SHOWN = re.compile(rf"{PATH}({_NAME.pattern})$")


def check_logo(data: bytes) -> None:
    """Raises Invalid for `logo`."""
    if len(data) > SIZE_LIMIT:
        raise Invalid({"logo": [f"Use a picture of at most {SIZE_LIMIT // 1024} kB."]})
    if _kind_of(data) is None:
        raise Invalid({"logo": ["Use a PNG, JPEG or WebP picture."]})


async def store_logo(site: Site, app_id: str, data: bytes) -> str:
    """Keep a checked picture; its URL. The name has its digest, so that browsers may keep it for good."""
    name = f"{app_id}-{hashlib.sha256(data).hexdigest()[:12]}.{_kind_of(data)}"
    await asyncio.to_thread(_write, _folder(site) / name, data)
    return f"{site.settings.origin}{PATH}{name}"


async def forget_logo(site: Site, logo_url: str | None) -> None:
    """Remove the picture behind the URL, if it is one of ours."""
    name = _stored_name(logo_url)
    if name:
        await asyncio.to_thread((_folder(site) / name).unlink, missing_ok=True)


def shown_picture(url: str | None) -> str:
    """Where a page takes the picture from: only from this origin, so a URL elsewhere isn't shown."""
    name = _stored_name(url)
    return f"{PATH}{name}" if name else ""


class Logo:
    """GET /uploads/logos/<name>"""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def on_get(self, req: Request, resp: Response, name: str) -> None:
        found = _NAME.fullmatch(name)
        if found is None:
            raise PageNotFound
        try:
            resp.data = await asyncio.to_thread((_folder(self.site) / name).read_bytes)
        except FileNotFoundError:
            raise PageNotFound from None
        resp.content_type = TYPES[found[1]]
        resp.set_header("Cache-Control", FOREVER)


def _kind_of(data: bytes) -> str | None:
    """By what the format begins with, never by its name or the sender's word."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return None


def _stored_name(url: str | None) -> str:
    found = _SHOWN.search(url or "")
    return found[1] if found else ""


def _folder(site: Site) -> Path:
    return site.settings.data / "logos"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.urandom(6).hex()}.part")
    draft.write_bytes(data)
    draft.replace(path)
