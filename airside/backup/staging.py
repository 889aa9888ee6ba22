"""A restore in progress: the folder `restoring` in the data folder, with what will be moved into its place.

While it exists, no other command opens the instance, so that a restore that was broken off isn't taken for a good
one. Running the restore again starts over.
"""

import os
import shutil
from pathlib import Path

from airside.backup.contents import Keys
from airside.backup.create import SETTINGS_FILE
from airside.backup.files import LOGO_FOLDER
from airside.backup.restoring import FOLDER
from airside.backup.sealed_file import sync_folder
from airside.system.private_files import as_private, make_folder

MOVING = "moving"  # the file that says that everything was verified, and that moving has begun
KEY_FILE = "secret.key"
UPLOAD_FOLDER = "uploads"
PREVIOUS = "AIRSIDE_PREVIOUS_SECRET_KEYS"


def has_moved(data: Path) -> bool:
    """Whether an earlier restore was broken off after it had begun to replace what was here."""
    return (data / FOLDER / MOVING).exists()


def has_files(data: Path) -> bool:
    """Whether there are uploads or logos of an instance."""
    folders = [data / UPLOAD_FOLDER, data / LOGO_FOLDER]
    return any(path.is_file() for folder in folders for path in folder.rglob("*"))


def begin_staging(data: Path) -> Path:
    """The empty folder, which is kept with its mark if moving had begun."""
    folder = data / FOLDER
    make_folder(folder)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != MOVING:
            path.unlink()
    sync_folder(data)
    return folder


def stage_keys(folder: Path, keys: Keys, *, with_key: bool, with_settings: bool) -> None:
    """`with_key`: the secret key belongs into the data folder, since the environment has none."""
    text = keys.settings if with_settings else ""
    if with_key:
        _write(folder / KEY_FILE, keys.secret_key)
        if keys.previous_secret_keys and PREVIOUS not in text:
            text = f"{text.rstrip()}\n{PREVIOUS}={','.join(keys.previous_secret_keys)}\n".lstrip()
    if text:
        _write(folder / SETTINGS_FILE, text)


def mark_moving(data: Path) -> None:
    _write(data / FOLDER / MOVING, "")
    sync_folder(data / FOLDER)


def move_staged(data: Path, *, with_files: bool) -> None:
    """Put everything staged into its place. A file replaces its predecessor at once, a folder after it is gone."""
    folder = data / FOLDER
    for name in (UPLOAD_FOLDER, LOGO_FOLDER) if with_files else ():
        if (data / name).exists():
            shutil.rmtree(data / name)
        if (folder / name).exists():
            (folder / name).rename(data / name)
    for name in (KEY_FILE, SETTINGS_FILE):
        if (folder / name).exists():
            (folder / name).replace(data / name)
    sync_folder(data)


def end_staging(data: Path) -> None:
    """Other commands may open the instance from now on."""
    gone = data / f"{FOLDER}.{os.urandom(4).hex()}.done"
    (data / FOLDER).rename(gone)
    sync_folder(data)
    shutil.rmtree(gone, ignore_errors=True)


def drop_staging(data: Path) -> None:
    """After a failure that changed nothing."""
    if not has_moved(data):
        shutil.rmtree(data / FOLDER, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    with open(path, "w", opener=as_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
