"""OneTransaction: the transactions of one request, committed together or not at all."""

import pytest

from airside.db.base import new_id
from airside.db.database import Database, Transaction
from airside.db.one_transaction import OneTransaction
from airside.identity.tables import guesses
from airside.system.clock import SystemClock


def _row(guesser: str) -> dict[str, object]:
    return {"guesser": guesser, "tried": 1, "expires_at": SystemClock().now()}


async def _nothing(tx: Transaction) -> None:
    """Begins nothing."""


async def test_its_transactions_are_seen_by_its_own_reads_and_by_others_once_it_ends(db: Database) -> None:
    first, second = new_id(), new_id()
    async with OneTransaction(db, _nothing) as one:
        for guesser in (first, second):
            async with one.transaction() as tx:
                await tx.insert(guesses, _row(guesser))
            assert await one.find(guesses, guesser=guesser) is not None
            assert await db.find(guesses, guesser=guesser) is None
    assert await db.find(guesses, guesser=first) is not None
    assert await db.find(guesses, guesser=second) is not None


async def test_a_failure_rolls_all_of_them_back(db: Database) -> None:
    guesser = new_id()
    with pytest.raises(ZeroDivisionError):
        async with OneTransaction(db, _nothing) as one:
            async with one.transaction() as tx:
                await tx.insert(guesses, _row(guesser))
            raise ZeroDivisionError
    assert await db.find(guesses, guesser=guesser) is None


async def test_a_first_part_that_fails_and_is_caught_leaves_the_next_to_begin_again(db: Database) -> None:
    guesser, begun = new_id(), list[Transaction]()

    async def begin(tx: Transaction) -> None:
        begun.append(tx)

    async with OneTransaction(db, begin) as one:
        with pytest.raises(ZeroDivisionError):
            async with one.transaction():
                raise ZeroDivisionError
        async with one.transaction() as tx:
            await tx.insert(guesses, _row(guesser))
    assert await db.find(guesses, guesser=guesser) is not None
    assert len(begun) == 2


async def test_a_later_part_that_fails_and_is_caught_ends_in_its_error(db: Database) -> None:
    """What the earlier part wrote is gone, which the caller mustn't take for a success."""
    guesser = new_id()
    with pytest.raises(ZeroDivisionError):
        async with OneTransaction(db, _nothing) as one:
            async with one.transaction() as tx:
                await tx.insert(guesses, _row(guesser))
            with pytest.raises(ZeroDivisionError):
                async with one.transaction():
                    raise ZeroDivisionError
    assert await db.find(guesses, guesser=guesser) is None


async def test_what_is_read_inside_is_cached_for_nobody(db: Database) -> None:
    async with OneTransaction(db, _nothing) as one:
        assert one.commits == db.commits
        async with one.transaction():
            inside = one.commits
        assert len({inside, one.commits, db.commits}) == 3


async def test_whoever_keeps_it_writes_for_itself_afterwards(db: Database) -> None:
    guesser = new_id()
    async with OneTransaction(db, _nothing) as one:
        pass
    async with one.transaction() as tx:
        await tx.insert(guesses, _row(guesser))
    assert await db.find(guesses, guesser=guesser) is not None


async def test_callbacks_run_after_the_commit_of_all(db: Database) -> None:
    called: list[str] = []
    async with OneTransaction(db, _nothing) as one:
        async with one.transaction() as tx:
            tx.on_commit(lambda: called.append("committed"))
            await tx.insert(guesses, _row(new_id()))
        assert called == []
    assert called == ["committed"]
