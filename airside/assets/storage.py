"""Which storage uploaded bytes are in: the data folder, or the bucket of AIRSIDE_STORAGE_URL."""

from collections.abc import AsyncIterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from airside.assets.local_storage import LocalStorage
from airside.assets.s3_storage import S3Storage
from airside.assets.stored import Storage, StorageAway
from airside.db.base import Row
from airside.runtime.site import Site
from airside.settings import Settings

FOLDER = "uploads"


def storage_of(site: Site) -> Storage:
    """The storage of the site's files."""
    return open_storage(site.settings)


def open_storage(settings: Settings) -> Storage:
    """The storage of an instance with these settings."""
    return _open_storage(settings.storage_url, settings.data)


def key_of(file: Row) -> str:
    """Of the bytes of a complete file, a row of `files`."""
    return f"{file['workspace_id']}/{file['stored_id'] or file['id']}"


def upload_key_of(file: Row) -> str:
    """Where the file is uploaded to, until it is complete."""
    return f"{file['workspace_id']}/{file['id']}"


def picture_key_of(asset: Row) -> str:
    """Of the bytes of a row of `assets`."""
    return asset["stored_id"] or asset["id"]


async def drop_file(site: Site, key: str) -> None:
    """Delete the bytes of a deleted record now; where that fails, the worker does it later."""
    with suppress(StorageAway):
        await storage_of(site).delete(key)


async def read_file(site: Site, key: str) -> bytes | None:
    """The whole file, such as a picture, which is small; None when it is missing."""
    chunks = await storage_of(site).open(key)
    return None if chunks is None else b"".join([chunk async for chunk in chunks])


async def keep_file(site: Site, key: str, chunks: AsyncIterator[bytes]) -> None:
    """Store the chunks as they arrive."""
    await storage_of(site).put(key, chunks)


@lru_cache(maxsize=16)
def _open_storage(url: str, data: Path) -> Storage:
    return S3Storage(url, data) if url else LocalStorage(data / FOLDER)
