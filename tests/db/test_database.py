"""One suite for both database engines."""

import asyncio
from datetime import UTC, datetime

import pytest

from airside.db.base import new_id
from airside.db.database import Database, UniqueViolation
from airside.identity.tables import users
from airside.workspaces.tables import workspaces

NOW = datetime(2026, 1, 5, 12, 0, 0, 654321, tzinfo=UTC)


def user_row(email: str) -> dict[str, object]:
    return {"id": new_id(), "email": email, "display_name": email, "created_at": NOW, "updated_at": NOW}


async def test_a_committed_row_reads_back_with_the_types_it_went_in_with(db: Database) -> None:
    row = {
        "id": new_id(), "name": "Acmé ✈", "slug": "acme", "owner_id": new_id(),
        "features": {"wiki": True, "n": [1, None]}, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    async with db.transaction() as tx:
        await tx.insert(workspaces, row)
    found = await db.find(workspaces, slug="acme")
    assert found is not None
    assert {name: found[name] for name in row} == row
    assert found["deleted_at"] is None


async def test_a_raised_error_rolls_the_whole_transaction_back(db: Database) -> None:
    with pytest.raises(RuntimeError):
        async with db.transaction() as tx:
            await tx.insert(users, user_row("a@example.com"))
            raise RuntimeError
    assert await db.find(users, email="a@example.com") is None


async def test_concurrent_transactions_are_all_kept_and_fail_alone(db: Database) -> None:
    async def add(number: int) -> None:
        async with db.transaction() as tx:
            await tx.insert(users, user_row(f"{number}@example.com"))
            if number % 3 == 0:
                raise RuntimeError

    results = await asyncio.gather(*(add(number) for number in range(60)), return_exceptions=True)
    assert sum(isinstance(result, RuntimeError) for result in results) == 20
    assert len(await db.find_all(users)) == 40


async def test_a_taken_unique_value_has_its_own_error(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.insert(users, user_row("a@example.com"))
    with pytest.raises(UniqueViolation, match="email"):
        async with db.transaction() as tx:
            await tx.insert(users, user_row("a@example.com"))


async def test_a_lock_of_a_name_is_held_until_the_transaction_ends(db: Database) -> None:
    order: list[str] = []

    async def hold(who: str, *name: str) -> None:
        async with db.transaction() as tx:
            await tx.lock_name(*name)
            order.append(f"{who} in")
            await asyncio.sleep(0.05)
            order.append(f"{who} out")

    await asyncio.gather(hold("one", "cars", "a"), hold("two", "cars", "a"))
    assert order in (["one in", "one out", "two in", "two out"], ["two in", "two out", "one in", "one out"])
    order.clear()
    async with db.transaction() as tx:
        for name in ("a", "b", "é"):
            await tx.lock_name("cars", name)
        await tx.lock_name("cars", "a")  # its own


async def test_callbacks_run_after_a_commit_and_never_after_a_rollback(db: Database) -> None:
    called: list[str] = []
    async with db.transaction() as tx:
        tx.on_commit(lambda: called.append("kept"))
        assert called == []
    with pytest.raises(RuntimeError):
        async with db.transaction() as tx:
            tx.on_commit(lambda: called.append("lost"))
            raise RuntimeError
    assert called == ["kept"]


async def test_a_cancelled_waiter_leaves_the_others_unharmed(db: Database) -> None:
    async def add(number: int) -> None:
        async with db.transaction() as tx:
            await tx.insert(users, user_row(f"{number}@example.com"))
            await asyncio.sleep(0.002)

    tasks = [asyncio.create_task(add(number)) for number in range(30)]
    await asyncio.sleep(0.005)
    for task in tasks[10:]:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    async with asyncio.timeout(5), db.transaction() as tx:
        await tx.insert(users, user_row("last@example.com"))
    assert await db.find(users, email="last@example.com")


async def test_update_and_delete_say_how_many_rows_they_touched(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.insert(users, user_row("a@example.com"))
        assert await tx.update(users, {"display_name": "Ana"}, email="a@example.com") == 1
        assert await tx.update(users, {"display_name": "Ana"}, email="b@example.com") == 0
        assert await tx.delete(users, email="a@example.com") == 1
