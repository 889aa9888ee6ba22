"""Restoring: the whole file is checked first, then loaded, read back row by row, and kept at the very end."""

from itertools import zip_longest
from pathlib import Path

import msgspec

from airside.assets.local_storage import LocalStorage
from airside.assets.s3_storage import S3Storage
from airside.assets.stored import Storage
from airside.backup.contents import Contents, Keys, Part, Summary, check_contents
from airside.backup.create import SETTINGS_FILE
from airside.backup.errors import BackupRefused, DamagedFile, RestoredOtherwise, TargetNotEmpty
from airside.backup.files import put_file
from airside.backup.lines import KINDS, TableHead, is_same_row
from airside.backup.sealed_file import Header, SealedReader
from airside.backup.staging import (
    UPLOAD_FOLDER,
    begin_staging,
    drop_staging,
    end_staging,
    has_files,
    has_moved,
    mark_moving,
    move_staged,
    stage_keys,
)
from airside.backup.tables import Snapshot, Target, describe_full, open_target
from airside.db.migrate import newest_revision
from airside.moving.progress import Progress
from airside.settings import Settings
from airside.system.private_files import make_folder


class Restored(msgspec.Struct):
    """What came back, and from which revision it was migrated."""

    header: Header
    summary: Summary


def check_backup(path: Path, passphrase: str, progress: Progress) -> Restored:
    """Read the whole file and change nothing. Raises ForeignFile, DamagedFile and WrongPassphrase."""
    reader = SealedReader(path, passphrase)
    if reader.header.revision > newest_revision():
        raise BackupRefused(
            f"{path} was written by Airside {reader.header.airside} at revision {reader.header.revision};"
            f" this version knows {newest_revision()} and earlier ones."
        )
    progress.begin("checking the file")
    return Restored(reader.header, check_contents(reader))


async def restore_backup(
    settings: Settings, path: Path, passphrase: str, progress: Progress, *, replace: bool
) -> Restored:
    """Make the instance of these settings the one in the file; `replace`: although there is one.

    Until everything was verified nothing is changed, and then the database is replaced last and at once. Raises
    BackupRefused, StorageAway, and what the drivers raise."""
    checked = check_backup(path, passphrase, progress)
    reader = SealedReader(path, passphrase)
    data, replace = settings.data, replace or has_moved(settings.data)
    with_files = not checked.summary.files_left_out
    require_same_key(settings, Contents(reader).keys)
    if with_files and not replace and has_files(data):
        raise TargetNotEmpty(describe_full(str(data)))
    make_folder(data)
    async with open_target(settings.database, checked.header.revision, replace=replace) as target:
        try:
            staged = begin_staging(data)
            await _load(Contents(reader), target, settings, staged, progress)
            progress.begin("comparing rows")
            for part in Contents(reader).parts():
                if isinstance(part.head, TableHead):
                    await compare_rows(part, part.head, target, progress)
            await target.migrate()
            mark_moving(data)
            move_staged(data, with_files=with_files)
            await target.keep()
            end_staging(data)
        except BaseException:
            drop_staging(data)
            raise
    return checked


def require_same_key(settings: Settings, keys: Keys) -> None:
    """Raises BackupRefused when the environment's key couldn't unseal what the backup holds."""
    given = {settings.secret_key, *settings.previous_secret_keys}
    if settings.secret_key and not {keys.secret_key, *keys.previous_secret_keys} <= given:
        raise BackupRefused(
            "AIRSIDE_SECRET_KEY isn't the key of the backup. Unset it, so that the backup's key is used,"
            " or add that one to AIRSIDE_PREVIOUS_SECRET_KEYS."
        )


async def _load(
    contents: Contents, target: Target, settings: Settings, staged: Path, progress: Progress
) -> None:
    data = settings.data
    with_key = not settings.secret_key
    stage_keys(staged, contents.keys, with_key=with_key, with_settings=not (data / SETTINGS_FILE).exists())
    storage = _open_staged(settings, staged)
    progress.begin("restoring")
    for part in contents.parts():
        if isinstance(part.head, TableHead):
            _check_head(part.head)
            await target.load_rows(part.head, part.stream())
        else:
            await put_file(part.head, part.stream(), storage, staged)
            progress.advance(1)


def _open_staged(settings: Settings, staged: Path) -> Storage:
    """A bucket has no second place: its objects are written under their own names, which nothing else has."""
    if settings.storage_url:
        return S3Storage(settings.storage_url, settings.data)
    return LocalStorage(staged / UPLOAD_FOLDER)


def _check_head(head: TableHead) -> None:
    strange = {kind for _, kind in head.columns} - set(KINDS)
    if strange:
        raise DamagedFile(
            f"The table {head.name} has columns of unknown kinds: {', '.join(sorted(strange))}."
        )


async def compare_rows(part: Part, head: TableHead, target: Snapshot, progress: Progress) -> None:
    """Read the table back, and compare each row with the file's. Raises RestoredOtherwise."""
    kinds = [kind for _, kind in head.columns]
    expected = part.lines()

    async def receive(block: bytes) -> None:
        lines = block.split(b"\n")[:-1]
        for line, wanted in zip(lines, expected_lines(len(lines)), strict=True):
            if wanted is None or not is_same_row(line, wanted, kinds):
                raise _differs(head, line)
        progress.advance(len(lines))

    def expected_lines(number: int) -> list[bytes | None]:
        return [next(expected, None) for _ in range(number)]

    await target.copy_rows(head, receive)
    missing = next(expected, None)
    if missing is not None:
        raise _differs(head, missing)


def _differs(head: TableHead, line: bytes) -> RestoredOtherwise:
    names = [name for name, _ in head.columns]
    fields = dict(zip_longest(names, line.split(b"\t"), fillvalue=b""))
    key = ", ".join(f"{name}={bytes(fields[name]).decode(errors='replace')[:80]}" for name in head.key)
    return RestoredOtherwise(f"A row of the table {head.name} came back otherwise ({key}). Nothing was kept.")
