"""A database for one request, all of whose transactions are one: what it writes is committed together, at its end.

Code that opens its own transactions needs no change for it. Separate from the engines, which it wraps.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from types import TracebackType
from typing import Any

from airside.db.base import R
from airside.db.database import Database, Reader, Transaction
from airside.db.statements import Statement

_unshared = count(
    -1, -1
)  # numbers of commits that no database has, so that nobody finds what is cached under them


class OneTransaction(Database):
    """`async with OneTransaction(db, begin) as one:`: commits when the block ends, rolls back if it raises.

    The first `transaction()` opens the transaction and calls `begin` in it; it and all later ones are parts of it.
    Reads are the database's until then, afterwards the transaction's. So what comes before the first write may take
    its time, as a lookup in the DNS does."""

    def __init__(self, db: Database, begin: Callable[[Transaction], Awaitable[None]]) -> None:
        super().__init__(db.url)
        self.dialect, self.reach, self.writing, self.commits = db.dialect, db.reach, db.writing, db.commits
        self.tx: Transaction | None = None
        self._db = db
        self._begin = begin
        self._held: AbstractAsyncContextManager[Transaction] | None = None
        self._parts = 0  # that have ended well
        self._lost: BaseException | None = None  # why parts that had ended well were rolled back
        self._is_over = False

    async def __aenter__(self) -> "OneTransaction":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        if error is not None:
            await self._roll_back(error)
        elif self._lost is not None:
            raise self._lost
        elif self._held is not None:
            held, self._held, self.tx = self._held, None, None
            await held.__aexit__(None, None, None)

    @property
    def _reader(self) -> Reader:
        return self.tx or self._db

    async def fetch_all(self, statement: Statement[R], /, **params: Any) -> list[R]:
        return await self._reader.fetch_all(statement, **params)

    async def fetch_one(self, statement: Statement[R], /, **params: Any) -> R | None:
        return await self._reader.fetch_one(statement, **params)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        if self._is_over:  # code that outlives the request writes in transactions of its own
            async with self._db.transaction() as tx:
                yield tx
            return
        tx = self.tx or await self._open()
        self.commits = next(_unshared)
        try:
            yield tx
        except BaseException as error:
            await self._roll_back(error)
            raise
        self._parts += 1
        self.commits = next(_unshared)

    async def _open(self) -> Transaction:
        held = self._db.transaction()
        tx = await held.__aenter__()
        self._held, self.tx = held, tx
        try:
            await self._begin(tx)
        except BaseException as error:
            await self._roll_back(error)
            raise
        return tx

    async def _roll_back(self, error: BaseException) -> None:
        """A caller that goes on after the failure of a part mustn't believe that the earlier ones were kept."""
        if self._held is None:
            return
        held, self._held, self.tx = self._held, None, None
        if self._parts:
            self._lost = error
        await held.__aexit__(type(error), error, error.__traceback__)

    async def close(self) -> None:
        """Nothing: the database stays open."""
