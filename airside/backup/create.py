"""Writing a backup: one snapshot of every table, then the files that its rows name. Servers and workers go on."""

import hashlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

from airside.assets.storage import open_storage
from airside.assets.stored import Storage
from airside.backup.contents import Counted, Keys, Summary
from airside.backup.errors import BackupRefused
from airside.backup.files import (
    LOGO,
    UPLOAD,
    KeptFile,
    Needed,
    list_logos,
    read_logo,
    visit_needed,
)
from airside.backup.lines import TableHead, head_of
from airside.backup.sealed_file import (
    BYTES,
    END,
    FILE,
    KEYS,
    ROWS,
    TABLE,
    VERSION,
    Header,
    SealedWriter,
    new_salt,
)
from airside.backup.tables import Snapshot, open_snapshot
from airside.db.migrate import newest_revision
from airside.db.tables import load_tables
from airside.moving.progress import Progress
from airside.settings import Settings
from airside.system.clock import Clock

SETTINGS_FILE = "settings.env"  # of cli/kept_settings.py


async def create_backup(
    settings: Settings, clock: Clock, path: Path, passphrase: str, progress: Progress, *, with_files: bool
) -> tuple[Summary, int]:
    """Write the instance into a new file; returns what is in it, and its size in bytes.

    Raises BackupRefused, StorageAway, and what the drivers raise."""
    async with open_snapshot(settings.database) as snapshot:
        if snapshot.revision != newest_revision():
            raise BackupRefused(
                f"The database is at revision {snapshot.revision}, and this version of Airside at"
                f" {newest_revision()}."
            )
        writer = SealedWriter(path, _new_header(settings, clock), passphrase)
        try:
            writer.write_json(KEYS, _read_keys(settings))
            tables = await _write_tables(writer, snapshot, progress)
            summary = Summary(
                tables=tables, files=0, file_bytes=0, files_left_out=not with_files, files_missing=[]
            )
            if with_files:
                await _Files(writer, open_storage(settings), summary, progress).write(snapshot, settings.data)
            writer.write_json(END, summary)
            return summary, writer.finish()
        except BaseException:
            writer.discard()
            raise


def _new_header(settings: Settings, clock: Clock) -> Header:
    return Header(
        version=VERSION,
        created_at=clock.now().isoformat(),
        airside=version("airside"),
        revision=newest_revision(),
        database="postgresql" if settings.database_file is None else "sqlite",
        salt=new_salt(),
    )


def _read_keys(settings: Settings) -> Keys:
    kept = settings.data / SETTINGS_FILE
    text = kept.read_text() if kept.is_file() else ""
    return Keys(settings.secret_key, settings.previous_secret_keys, text)


async def _write_tables(writer: SealedWriter, snapshot: Snapshot, progress: Progress) -> dict[str, Counted]:
    counted: dict[str, Counted] = {}
    progress.begin("rows")
    for table in load_tables().sorted_tables:
        counted[table.name] = await _write_table(writer, snapshot, head_of(table), progress)
    return counted


async def _write_table(
    writer: SealedWriter, snapshot: Snapshot, head: TableHead, progress: Progress
) -> Counted:
    writer.write_json(TABLE, head)
    rows, digest = 0, hashlib.sha256()

    async def receive(block: bytes) -> None:
        nonlocal rows
        writer.write(ROWS, block)
        digest.update(block)
        found = block.count(b"\n")
        rows += found
        progress.advance(found)

    await snapshot.copy_rows(head, receive)
    return Counted(rows, digest.hexdigest())


class _Files:
    """Adds files to the backup and to its summary."""

    def __init__(self, writer: SealedWriter, storage: Storage, summary: Summary, progress: Progress) -> None:
        self._writer, self._storage, self._summary = writer, storage, summary
        self._progress = progress

    async def write(self, snapshot: Snapshot, data: Path) -> None:
        self._progress.begin("files")
        await visit_needed(snapshot, self._write_needed)
        for path in list_logos(data):
            await self._write_one(KeptFile(LOGO, path.name), read_logo(path))

    async def _write_needed(self, needed: Needed) -> None:
        for key in needed.keys:
            chunks = await self._storage.open(key)
            if chunks is not None:
                await self._write_one(KeptFile(UPLOAD, key), chunks)
            elif needed.is_whole and key == needed.keys[0]:
                self._summary.files_missing.append(key)

    async def _write_one(self, kept: KeptFile, chunks: AsyncIterator[bytes]) -> None:
        self._writer.write_json(FILE, kept)
        async for chunk in chunks:
            self._writer.write(BYTES, chunk)
            self._summary.file_bytes += len(chunk)
        self._summary.files += 1
        self._progress.advance(1)
