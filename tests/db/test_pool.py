"""The connections to PostgreSQL: closing them leaves nothing behind."""

import asyncio
import gc
import warnings
from contextlib import suppress

import pytest
import sqlalchemy as sa

from airside.db.away import DatabaseAway
from airside.db.database import Database
from airside.db.open import open_database
from airside.db.statements import Statement
from tests.support.databases import fresh_postgres

_LONG = Statement(sa.text("SELECT pg_sleep(20)::text AS slept").columns(sa.column("slept")))
_SHORT = Statement(sa.text("SELECT 1 AS one").columns(sa.column("one")))


async def ask(db: Database, *, in_transaction: bool) -> None:
    if not in_transaction:
        await db.fetch_all(_LONG)
        return
    async with db.transaction() as tx:
        await tx.fetch_all(_LONG)


def list_cancellations() -> list[object]:
    """The driver's tasks that cancel statements on the server."""
    tasks = asyncio.all_tasks()
    return [task for task in tasks if getattr(task.get_coro(), "__qualname__", "") == "Connection._cancel"]


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_closing_waits_for_the_cancellations_of_statements_that_were_given_up(
    in_transaction: bool,
) -> None:
    """At every stage: a second cancellation ends the task's handling of the first."""
    async with fresh_postgres() as url:
        for turns in (0, 2, 5):
            db = await open_database(url)
            asking = asyncio.create_task(ask(db, in_transaction=in_transaction))
            await asyncio.sleep(0.05)
            asking.cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            await db.close()
            assert list_cancellations() == [], turns


async def test_closing_waits_for_the_cancellation_on_a_connection_that_is_still_held() -> None:
    async with fresh_postgres() as url:
        db = await open_database(url)
        asking = asyncio.create_task(ask(db, in_transaction=True))
        await asyncio.sleep(0.2)
        asking.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await db.close()
        assert list_cancellations() == []
        with suppress(asyncio.CancelledError):
            await asking
        assert not db._pool._idle, "what is given back to a closed pool ends"


async def test_a_statement_that_is_under_way_when_its_pool_closes_ends_and_is_never_cancelled_afterwards() -> (
    None
):
    async with fresh_postgres() as url:
        for in_transaction in (False, True):
            db = await open_database(url)
            asking = asyncio.create_task(ask(db, in_transaction=in_transaction))
            await asyncio.sleep(0.2)
            await db.close()
            asking.cancel()  # as closing an event loop does with running tasks
            with suppress(asyncio.CancelledError, DatabaseAway):
                await asking
            assert list_cancellations() == []


async def test_a_statement_that_nobody_cancels_fails_when_its_database_is_closed() -> None:
    async with fresh_postgres() as url:
        db = await open_database(url)
        asking = asyncio.create_task(ask(db, in_transaction=False))
        await asyncio.sleep(0.2)
        await db.close()
        with pytest.raises(DatabaseAway):
            await asking


async def test_a_caller_cancelled_during_connect_leaves_no_connection_behind() -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await cancel_while_connecting()
    assert not [one for one in caught if one.category is ResourceWarning], "each connection was ended"


async def cancel_while_connecting() -> None:
    """At each step of connecting."""
    async with fresh_postgres() as url:
        for milliseconds in range(1, 40, 2):
            db = await open_database(url)
            asking = asyncio.create_task(ask(db, in_transaction=True))
            await asyncio.sleep(0)  # it has the first
            second = asyncio.create_task(db.fetch_all(_SHORT))
            await asyncio.sleep(milliseconds / 2000)
            second.cancel()
            asking.cancel()
            await asyncio.gather(second, asking, return_exceptions=True)
            await db.close()
            assert list_cancellations() == [], milliseconds
        gc.collect()
