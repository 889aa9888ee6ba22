"""Uploaded files and apps' logos: read from their storage as the snapshot's rows name them, put into another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from airside.assets.stored import Storage
from airside.assets.tables import assets, files
from airside.backup.lines import BOOLEAN, ID, INSTANT, TableHead, split_line
from airside.backup.tables import Snapshot
from airside.system.private_files import as_private, make_folder

UPLOAD, LOGO = "upload", "logo"
LOGO_FOLDER = "logos"  # of the data folder
LOGO_BYTES = 64 * 1024

_FILES = TableHead(
    files.name,
    [
        ("workspace_id", ID),
        ("id", ID),
        ("stored_id", ID),
        ("deleted_at", INSTANT),
        ("removed_at", INSTANT),
        ("is_uploaded", BOOLEAN),
    ],
    ["workspace_id", "id"],
)
_ASSETS = TableHead(
    assets.name,
    [
        ("id", ID),
        ("stored_id", ID),
        ("deleted_at", INSTANT),
        ("removed_at", INSTANT),
        ("confirmed_at", INSTANT),
    ],
    ["id"],
)


class KeptFile(msgspec.Struct):
    """A file whose bytes follow. `kind`: UPLOAD, with a storage's key; LOGO, with a name in the data folder."""

    kind: str
    name: str


class Needed(msgspec.Struct):
    """The keys under which a record may have bytes; `is_whole`: without the first the record has lost its file."""

    keys: list[str]
    is_whole: bool


async def visit_needed(snapshot: Snapshot, visit: Callable[[Needed], Awaitable[None]]) -> None:
    """Every record of a file, one after another; the bytes of purged ones aren't looked for."""
    await _visit(snapshot, _FILES, _read_file, visit)
    await _visit(snapshot, _ASSETS, _read_asset, visit)


async def _visit(
    snapshot: Snapshot,
    head: TableHead,
    read: Callable[..., Needed | None],
    visit: Callable[[Needed], Awaitable[None]],
) -> None:
    kinds = [kind for _, kind in head.columns]

    async def receive(block: bytes) -> None:
        for line in block.split(b"\n")[:-1]:
            needed = read(*split_line(line, kinds))
            if needed is not None:
                await visit(needed)

    await snapshot.copy_rows(head, receive)


def _read_file(
    workspace_id: str, id: str, stored_id: str | None, deleted: str | None, removed: str | None, uploaded: int
) -> Needed | None:
    if removed:
        return None
    keys = [f"{workspace_id}/{one}" for one in dict.fromkeys((stored_id or id, id))]
    return Needed(keys, bool(uploaded) and not deleted)


def _read_asset(
    id: str, stored_id: str | None, deleted: str | None, removed: str | None, confirmed: str | None
) -> Needed | None:
    if removed:
        return None
    return Needed(list(dict.fromkeys((stored_id or id, id))), bool(confirmed) and not deleted)


def list_logos(data: Path) -> list[Path]:
    """Finished ones; a logo is written under another name first."""
    return sorted(path for path in (data / LOGO_FOLDER).glob("*") if path.suffix != ".part")


async def read_logo(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(LOGO_BYTES):
            yield chunk


async def put_file(kept: KeptFile, chunks: AsyncIterator[bytes], storage: Storage, data: Path) -> None:
    """Write it below the storage or the data folder. Raises StorageAway and ValueError for a strange name."""
    if kept.kind == UPLOAD:
        await storage.put(kept.name, chunks)
        return
    if Path(kept.name).name != kept.name:
        raise ValueError(f"not a logo's name: {kept.name[:100]!r}")
    logo = b"".join([chunk async for chunk in chunks])
    await asyncio.to_thread(_write_logo, data / LOGO_FOLDER / kept.name, logo)


def _write_logo(path: Path, logo: bytes) -> None:
    make_folder(path.parent)
    with open(path, "wb", opener=as_private) as file:
        file.write(logo)
