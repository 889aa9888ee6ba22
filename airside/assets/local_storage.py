"""Uploaded files below the data folder: written beside their place, synced to the disk, then renamed."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedWriter
from pathlib import Path

from airside.assets.stored import CHUNK_BYTES, StorageAway, StoredFile, UploadForm, check_key
from airside.system.private_files import as_private, make_folder

ABANDONED_SECONDS = 24 * 60 * 60  # a partial file that is older belongs to no upload any more


class LocalStorage:
    """A `Storage`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder / "partial"  # on the same file system, so that a rename is atomic

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        path, partial = self._path(key), self._partial / os.urandom(16).hex()
        try:
            file = await asyncio.to_thread(_create, partial)
            try:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_sync, file)
            finally:
                file.close()
            await asyncio.to_thread(_move, partial, path)
        except OSError as error:
            raise StorageAway from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    async def open(self, key: str) -> AsyncGenerator[bytes] | None:
        return None if await self.measure(key) is None else _read(self._path(key))

    async def settle(self, key: str, kept: str) -> StoredFile | None:
        """A second name of the file: an upload renames another file over the first, and never writes into one."""
        try:
            await asyncio.to_thread(_link, self._path(key), self._path(kept), self._partial)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageAway from error
        return await self.measure(kept)

    async def measure(self, key: str) -> StoredFile | None:
        try:
            found = await asyncio.to_thread(self._path(key).stat)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageAway from error
        return StoredFile(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        except OSError as error:
            raise StorageAway from error

    async def clean(self) -> None:
        await asyncio.to_thread(_delete_abandoned, self._partial)

    async def sign_upload(
        self, key: str, max_bytes: int, content_type: str, seconds: int
    ) -> UploadForm | None:
        return None

    async def sign_download(self, key: str, headers: Mapping[str, str], seconds: int) -> str | None:
        return None

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


def _create(path: Path) -> BufferedWriter:
    make_folder(path.parent)
    return open(path, "xb", opener=as_private)  # closed by the caller


def _sync(file: BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(partial: Path, path: Path) -> None:
    """The rename is durable once its folder is synced."""
    make_folder(path.parent)
    partial.replace(path)
    _sync_folder(path.parent)


def _link(path: Path, kept: Path, partials: Path) -> None:
    """Raises FileNotFoundError for a missing file."""
    make_folder(kept.parent)
    try:
        os.link(path, kept)
        _sync_folder(kept.parent)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        _copy(path, kept, partials / os.urandom(16).hex())


def _copy(path: Path, kept: Path, partial: Path) -> None:
    with open(path, "rb") as source, _create(partial) as file:
        shutil.copyfileobj(source, file, CHUNK_BYTES)
        _sync(file)
    _move(partial, kept)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def _read(path: Path) -> AsyncGenerator[bytes]:
    """Opened when the first chunk is asked for, so that nothing has to be closed before."""
    try:
        with await asyncio.to_thread(open, path, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise StorageAway from error


def _delete_abandoned(folder: Path) -> None:
    oldest = time.time() - ABANDONED_SECONDS  # the file system's own clock
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
