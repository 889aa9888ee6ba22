"""Warning at the start about an instance's files that other accounts on this machine can read."""

from collections.abc import Iterator
from pathlib import Path

import structlog

from airside.cli.kept_settings import FILE
from airside.settings import Settings
from airside.system.private_files import list_readable

_log = structlog.get_logger("airside")


def report_open_folders(settings: Settings) -> None:
    """Log one warning with their paths. Permissions stay: somebody may have opened them on purpose."""
    found = list_readable(_list_private(settings))
    if found:
        paths = [str(path) for path in found]
        advice = f"run: chmod go= {' '.join(paths)}"
        _log.warning("readable_by_others", paths=paths, advice=advice)


def _list_private(settings: Settings) -> Iterator[Path]:
    """The files that should be private; those in a folder that nobody else can enter are skipped."""
    yield settings.data
    if list_readable([settings.data]):
        for name in ("uploads", "logos", "secret.key", FILE):
            yield settings.data / name
    database = settings.database_file
    if database is not None and list_readable([database.parent]):
        for suffix in ("", "-wal", "-shm"):
            yield database.with_name(database.name + suffix)
