"""Apps' logos: checked by their magic bytes, stored in the data folder under a name with their digest."""

import asyncio
import contextlib
import hashlib
import os
import re
from pathlib import Path

from airside.assets.pictures import detect_picture
from airside.errors import Invalid
from airside.runtime.site import Site
from airside.system.private_files import as_private, make_folder

SIZE_LIMIT = 512 * 1024  # bytes
PATH = "/uploads/logos/"
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{12}\.(png|jpg|webp)")

_ENDINGS = {content_type: ending for ending, content_type in TYPES.items()}
_SHOWN = re.compile(rf"{PATH}({NAME.pattern})$")


def check_logo(data: bytes) -> None:
    """Raises Invalid for `logo`."""
    if len(data) > SIZE_LIMIT:
        raise Invalid({"logo": [f"Use a picture of at most {SIZE_LIMIT // 1024} kB."]})
    if detect_picture(data[:12]) not in _ENDINGS:
        raise Invalid({"logo": ["Use a PNG, JPEG or WebP picture."]})


async def store_logo(site: Site, app_id: str, data: bytes) -> str:
    """Store a checked picture; returns its URL. The name has its digest, so that browsers can cache it forever."""
    ending = _ENDINGS[detect_picture(data[:12]) or ""]
    name = f"{app_id}-{hashlib.sha256(data).hexdigest()[:12]}.{ending}"
    await asyncio.to_thread(_write, _folder(site) / name, data)
    return site.settings.page_address(f"{PATH}{name}")


async def read_logo(site: Site, logo_url: str | None) -> bytes | None:
    """The picture at the URL; None when it isn't stored here."""
    name = stored_name(logo_url)
    with contextlib.suppress(FileNotFoundError):
        return await asyncio.to_thread((_folder(site) / name).read_bytes) if name else None
    return None


async def forget_logo(site: Site, logo_url: str | None) -> None:
    """Delete the picture at the URL, if it is stored here."""
    name = stored_name(logo_url)
    if name:
        await asyncio.to_thread((_folder(site) / name).unlink, missing_ok=True)


def stored_name(url: str | None) -> str:
    """The file's name; empty for a URL elsewhere."""
    found = _SHOWN.search(url or "")
    return found[1] if found else ""


def _folder(site: Site) -> Path:
    return site.settings.data / "logos"


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    draft = path.with_suffix(f".{os.urandom(6).hex()}.part")
    with open(draft, "xb", opener=as_private) as file:
        file.write(data)
    draft.replace(path)
