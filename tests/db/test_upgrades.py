"""What each migration makes of rows that were there before it, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from airside.db.base import new_id
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.statements import Statement
from tests.support.databases import fresh_postgres, opened

NOW = "2026-01-31 12:00:00+00:00"


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'before.db'}"
        return
    async with fresh_postgres() as found:
        yield found


async def insert(db: Database, table: str, **row: Any) -> None:
    """As a version of Airside did that knew other columns than today's."""
    columns = ", ".join(row)
    values = ", ".join("NULL" if value is None else repr(value) for value in row.values())
    async with db.transaction() as tx:
        await tx.execute(Statement(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})")))


async def add_person(db: Database, email: str, made_by: str) -> str:
    user_id = new_id()
    stamps = {"created_at": NOW, "updated_at": NOW}
    await insert(db, "users", id=user_id, email=email, display_name="x", **stamps)
    about = {"target_kind": "user", "target_id": user_id, "details": "{}"}
    act = {"action": "user.created", "actor_kind": made_by, "actor_name": "", "address": "", "user_agent": ""}
    await insert(db, "audit_log", id=new_id(), created_at=NOW, **act, **about)
    return user_id


async def test_accounts_made_by_an_invitation_before_are_unproven(url: str) -> None:
    await migrate(url, "0002")
    async with opened(url) as db:
        made = await add_person(db, "ana@example.com", "operator")
        invited = await add_person(db, "eve@example.com", "person")
    await migrate(url)
    async with opened(url) as db:
        rows = await db.fetch_all(
            Statement(
                sa.text("SELECT id, email_proven_at FROM users").columns(
                    sa.column("id"), sa.column("email_proven_at")
                )
            )
        )
        proven = {str(row["id"]): row["email_proven_at"] for row in rows}
    assert proven[made] is not None
    assert proven[invited] is None
