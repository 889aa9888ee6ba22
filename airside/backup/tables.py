"""Whole tables of either database as lines: the one protocol, and which implementation a URL needs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from airside.backup.lines import TableHead

Sink = Callable[[bytes], Awaitable[None]]  # receives whole lines, about STEP_BYTES of them
STEP_BYTES = 1024 * 1024


class Snapshot(Protocol):
    """The tables of one moment, however long reading them takes."""

    revision: str | None  # None: there are no tables

    async def copy_rows(self, head: TableHead, sink: Sink) -> None:
        """Send every row, in the order of the primary key, the same on both databases."""
        ...


class Target(Snapshot, Protocol):
    """An empty database that is being filled; what is in it is invisible to others until `keep`."""

    async def load_rows(self, head: TableHead, blocks: AsyncIterator[bytes]) -> None:
        """Insert the rows of these lines. Raises BackupRefused for one that this database can't hold."""
        ...

    async def migrate(self) -> None:
        """Migrate what was loaded to this version's revision."""
        ...

    async def keep(self) -> None:
        """Make it the instance's database, durably and at once."""
        ...


def open_snapshot(url: str) -> AbstractAsyncContextManager[Snapshot]:
    """Of the database of the URL."""
    if url.startswith("sqlite:///"):
        from airside.backup.sqlite_tables import open_sqlite_snapshot

        return open_sqlite_snapshot(url)
    from airside.backup.postgres_tables import open_postgres_snapshot

    return open_postgres_snapshot(url)


def open_target(url: str, revision: str, *, replace: bool) -> AbstractAsyncContextManager[Target]:
    """The database of the URL with the empty tables of a revision.

    Raises TargetNotEmpty unless `replace`, and BackupRefused while others use it."""
    if url.startswith("sqlite:///"):
        from airside.backup.sqlite_tables import open_sqlite_target

        return open_sqlite_target(url, revision, replace=replace)
    from airside.backup.postgres_tables import open_postgres_target

    return open_postgres_target(url, revision, replace=replace)


def quote(name: str) -> str:
    """An identifier, for both databases."""
    return '"' + name.replace('"', '""') + '"'


def quote_all(names: Iterable[str]) -> str:
    return ", ".join(map(quote, names))


REPLACE = "`--replace` replaces it."


def describe_full(where: str) -> str:
    return f"{where} holds an instance already. {REPLACE}"
