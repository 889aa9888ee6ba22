"""The interface that both database engines implement.

A `Reader` reads; a `Transaction` reads and writes, and is committed or rolled back as a whole. Rows are dicts. A
`UniqueViolation` ends its transaction, so it is caught outside the `async with`. Everything here raises
DatabaseAway while the database can't be reached; the commit of a transaction can also raise OutcomeUnknown.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, overload

from sqlalchemy import Dialect, Table

from airside.db.away import DatabaseAway, DatabaseBusy, Reach, Unwritable, log_cancelled_statement
from airside.db.base import R, Row, TableOf
from airside.db.statements import Statement, delete_where, insert_into, select_where, update_where


class UniqueViolation(Exception):
    """The value exists already in a unique key; `about` is the database's message, which names the key."""

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self.about = about


class Reader(ABC):
    """Reading, the same inside and outside a transaction."""

    @abstractmethod
    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]: ...

    @abstractmethod
    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        """The first row, or None."""

    async def fetch_value(self, statement: Statement[Any], /, **params: Any) -> Any:
        """The first column of the first row, or None."""
        row: Row | None = await self.fetch_one(statement, **params)
        return None if row is None else next(iter(row.values()))

    @overload
    async def find(self, table: TableOf[R], **keys: Any) -> R | None: ...
    @overload
    async def find(self, table: Table, **keys: Any) -> Row | None: ...
    async def find(self, table: Table, **keys: Any) -> Any:
        """The row whose columns equal `keys`, or None."""
        return await self.fetch_one(select_where(table, tuple(keys)), **_as_keys(keys))

    @overload
    async def find_all(self, table: TableOf[R], **keys: Any) -> list[R]: ...
    @overload
    async def find_all(self, table: Table, **keys: Any) -> list[Row]: ...
    async def find_all(self, table: Table, **keys: Any) -> Any:
        """Every row whose columns equal `keys`, in no order."""
        return await self.fetch_all(select_where(table, tuple(keys)), **_as_keys(keys))


class Transaction(Reader):
    """One all-or-nothing change."""

    @abstractmethod
    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """Run a statement that returns no rows; returns the number of affected rows.

        Raises UniqueViolation."""

    @abstractmethod
    async def execute_all(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Run a statement that returns no rows once for each of these parameters. Raises UniqueViolation."""

    @abstractmethod
    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call the callback after a durable commit, never after a rollback."""

    @abstractmethod
    async def lock_name(self, *parts: str) -> None:
        """Hold the lock of this name until this transaction ends; others that ask for it wait."""

    @overload
    async def lock(self, table: TableOf[R], **keys: Any) -> R | None: ...
    @overload
    async def lock(self, table: Table, **keys: Any) -> Row | None: ...
    async def lock(self, table: Table, **keys: Any) -> Any:
        """The row whose columns equal `keys`, locked until this transaction ends."""
        return await self.fetch_one(select_where(table, tuple(keys), for_update=True), **_as_keys(keys))

    async def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert one row. Raises UniqueViolation."""
        await self.execute(insert_into(table, tuple(row)), **row)

    async def insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that all have the same columns. Raises UniqueViolation."""
        if rows:
            await self.execute_all(insert_into(table, tuple(rows[0])), rows)

    async def update(self, table: Table, changes: Mapping[str, Any], **keys: Any) -> int:
        """Set `changes` on the rows whose columns equal `keys`; returns their number. Raises UniqueViolation."""
        return await self.execute(
            update_where(table, tuple(changes), tuple(keys)), **changes, **_as_keys(keys)
        )

    async def delete(self, table: Table, **keys: Any) -> int:
        """Delete the rows whose columns equal `keys`; returns their number."""
        return await self.execute(delete_where(table, tuple(keys)), **_as_keys(keys))


class Database(Reader):
    """An open database of either kind."""

    dialect: Dialect

    def __init__(self, url: str) -> None:
        self.url = url
        self.reach = Reach()
        self.writing = Reach(lost="database_unwritable", back="database_writable")
        self.commits: int = 0  # of this process; what was read before a commit may be stale after it

    def report_outage(self, error: DatabaseAway, statement: str = "") -> DatabaseAway:
        """Log the outage once; returns the error, for raising."""
        match error:
            case Unwritable():
                return self.writing.report_outage(error)
            case DatabaseBusy():
                return log_cancelled_statement(error, statement)
            case _:
                return self.reach.report_outage(error)

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """`async with db.transaction() as tx:`: committed durably when the block ends, rolled back if it raises.

        Never await anything slow inside (no outbound HTTP): on SQLite other writers wait for it."""

    @abstractmethod
    async def close(self) -> None: ...


def _as_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {f"where_{name}": value for name, value in keys.items()}
