"""Files and folders that only the account running Airside can read, whatever its umask."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
OTHERS = 0o077  # the bits of the group and of everybody


def make_folder(path: Path) -> None:
    """Create the folder and its missing parents."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def make_file(path: str) -> None:
    """Create an empty file if there is none. Raises OSError.

    An existing file isn't even opened: closing it would drop every lock that SQLite has on it in this process, and
    the next process to close the database would delete the WAL under it (sqlite.org/howtocorrupt.html §2.2)."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def as_private(path: str, flags: int) -> int:
    """For `open(…, opener=as_private)`."""
    return os.open(path, flags, FILE_MODE)


def list_readable(paths: Iterable[Path]) -> list[Path]:
    """The existing paths that other accounts may read, write or search."""
    return [path for path in paths if path.exists() and path.stat().st_mode & OTHERS]
