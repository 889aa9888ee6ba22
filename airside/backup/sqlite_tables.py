"""SQLite's side of a backup: a read transaction is a snapshot, and a restore fills a file beside the real one."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

from airside.backup.errors import BackupRefused, TargetNotEmpty
from airside.backup.lines import TableHead, join_line, split_line
from airside.backup.sealed_file import sync_folder
from airside.backup.tables import STEP_BYTES, Sink, describe_full, quote, quote_all
from airside.db.migrate import migrate
from airside.db.sqlite_connections import connect, connect_reader
from airside.system.private_files import make_folder

BATCH = 200  # rows read at once
FILES = ("", "-wal", "-shm", "-journal")  # of one database
SUFFIX = ".restoring"


class SqliteSnapshot:
    """A `Snapshot`. While it is open, the WAL grows by what is written meanwhile, and nobody waits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.text_factory = bytes
        self.revision = _read_revision(connection)

    async def copy_rows(self, head: TableHead, sink: Sink) -> None:
        kinds, block = [kind for _, kind in head.columns], bytearray()
        order = ", ".join(f"{quote(name)} COLLATE BINARY" for name in head.key)
        columns = quote_all(name for name, _ in head.columns)
        text = f"SELECT {columns} FROM {quote(head.name)} ORDER BY {order}"  # noqa: S608 - quoted names
        with closing(self._connection.execute(text)) as cursor:
            while rows := cursor.fetchmany(BATCH):
                for row in rows:
                    block += join_line(row, kinds)
                if len(block) >= STEP_BYTES:
                    await sink(bytes(block))
                    block.clear()
        if block:
            await sink(bytes(block))


class SqliteTarget(SqliteSnapshot):
    """A `Target`."""

    def __init__(self, connection: sqlite3.Connection, staged: Path, path: Path) -> None:
        super().__init__(connection)
        self._staged, self._path = staged, path

    async def load_rows(self, head: TableHead, blocks: AsyncIterator[bytes]) -> None:
        kinds = [kind for _, kind in head.columns]
        values = ", ".join("?" * len(kinds))
        columns = quote_all(name for name, _ in head.columns)
        insert = f"INSERT INTO {quote(head.name)} ({columns}) VALUES ({values})"  # noqa: S608 - quoted names
        try:
            async for block in blocks:
                lines = block.split(b"\n")[:-1]
                self._connection.executemany(insert, [split_line(line, kinds) for line in lines])
        except (sqlite3.IntegrityError, sqlite3.OperationalError, OverflowError) as error:
            raise BackupRefused(f"The table {head.name} can't be restored: {error}") from error

    async def migrate(self) -> None:
        self._connection.execute("COMMIT")
        await migrate(f"sqlite:///{self._staged}")

    async def keep(self) -> None:
        """The rename is the moment at which the instance is the restored one."""
        self._connection.execute("PRAGMA journal_mode=DELETE")  # one file, with everything in it
        self._connection.close()
        await asyncio.to_thread(_replace, self._staged, self._path)


@asynccontextmanager
async def open_sqlite_snapshot(url: str) -> AsyncGenerator[SqliteSnapshot]:
    with closing(connect_reader(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute("BEGIN")
        yield SqliteSnapshot(connection)


@asynccontextmanager
async def open_sqlite_target(url: str, revision: str, *, replace: bool) -> AsyncGenerator[SqliteTarget]:
    path = Path(url.removeprefix("sqlite:///"))
    make_folder(path.parent)
    with _held(path) as old:
        if old is not None and not replace and _has_rows(old):
            raise TargetNotEmpty(describe_full(str(path)))
    staged = path.with_name(path.name + SUFFIX)
    _delete(staged)
    try:
        await migrate(f"sqlite:///{staged}", revision)
        with closing(connect(str(staged))) as connection:
            connection.execute("PRAGMA busy_timeout=5000")
            connection.execute("BEGIN")
            yield SqliteTarget(connection, staged, path)
    finally:
        _delete(staged)


@contextmanager
def _held(path: Path) -> Generator[sqlite3.Connection | None]:
    """The database that is there, which nobody else has open; None without one. Raises BackupRefused."""
    if not path.exists() or not path.stat().st_size:
        yield None
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            # Leaving the WAL mode needs every other process to have closed the file.
            [mode] = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.Error as error:
            mode = str(error)
        if mode != "delete":
            raise BackupRefused(
                f"{path} is in use or can't be used ({mode}). Stop `airside serve` and `airside worker` first."
            )
        yield connection


def _has_rows(connection: sqlite3.Connection) -> bool:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return any(
        connection.execute(f"SELECT 1 FROM {quote(name)} LIMIT 1").fetchone()  # noqa: S608 - a quoted name
        for (name,) in names
        if name != "alembic_version"
    )


def _read_revision(connection: sqlite3.Connection) -> str | None:
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # there are no tables
        return None
    return None if found is None else found[0].decode()


def _replace(staged: Path, path: Path) -> None:
    """The old database is in one file: `_held` has taken its WAL in."""
    with open(staged, "rb") as file:
        os.fsync(file.fileno())
    staged.replace(path)
    sync_folder(path.parent)


def _delete(path: Path) -> None:
    for suffix in FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
