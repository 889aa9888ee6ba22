"""Storage of uploaded bytes: files below the data folder. Three functions, so that a bucket can replace them."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from airside.runtime.site import Site
from airside.system.private_files import as_private, make_folder


async def keep_file(site: Site, asset_id: str, chunks: AsyncIterator[bytes]) -> None:
    """Store the chunks as they arrive. Nothing is left behind when `chunks` raises."""
    path = _path(site, asset_id)
    make_folder(path.parent)
    partial = path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")
    try:
        with open(partial, "xb", opener=as_private) as file:  # noqa: ASYNC230 - opened here, written in a thread
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


async def read_file(site: Site, asset_id: str) -> bytes | None:
    """The whole file, since a picture is small; None when it is missing."""
    with contextlib.suppress(FileNotFoundError):
        return await asyncio.to_thread(_path(site, asset_id).read_bytes)
    return None


async def drop_file(site: Site, asset_id: str) -> None:
    """Delete the file, if it exists."""
    await asyncio.to_thread(_path(site, asset_id).unlink, missing_ok=True)


def _path(site: Site, asset_id: str) -> Path:
    return site.settings.data / "uploads" / asset_id
