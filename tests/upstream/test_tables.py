"""The tables that a read-only role sees, and what a poll of them finds."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from airside.gateway.contract.exchanges import load_rows
from tests.support.databases import fresh_postgres
from tests.support.upstream.people import Person, people_of
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings
from tests.support.upstream.tables import READABLE_OF_USERS, TABLES, create_reader


@asynccontextmanager
async def with_tables(**settings: Any) -> AsyncIterator[tuple[Upstream, Person, asyncpg.Connection]]:
    chosen = Settings(api_key_limit=None, anonymous_limit=None, seeds_project=False, **settings)
    async with fresh_postgres() as url, open_upstream(chosen, database_url=url) as upstream:
        connection = await asyncpg.connect(url)
        try:
            async with people_of(upstream) as people:
                ana = await people.first_admin("ana@acme.test", "Ana")
                await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
                body = {"name": "Mobile", "identifier": "MOB"}
                ana.project = await ana.post("/api/workspaces/acme/projects/", body)
                yield upstream, ana, connection
        finally:
            await connection.close()


def test_every_table_that_a_change_was_seen_in_is_there_or_named_as_left_out() -> None:
    seen = {name for change in load_rows("changes") for name in change["tables_after"]}
    left_out = {"issue_description_versions", "issue_views", "notifications", "webhook_logs"}
    assert seen - TABLES.keys() == left_out


async def test_rows_are_there_when_the_answer_is() -> None:
    async with with_tables() as (_, ana, connection):
        items = f"/api/v1/workspaces/acme/projects/{ana.project['id']}/work-items/"
        item = await ana.post(items, {"name": "one"})
        await ana.patch(f"{items}{item['id']}/", {"name": "two", "start_date": "2030-01-01"})
        row = await connection.fetchrow("SELECT * FROM issues")
        assert (row["name"], str(row["start_date"]), str(row["project_id"])) == (
            "two",
            "2030-01-01",
            ana.project["id"],
        )
        await ana.send("DELETE", f"{items}{item['id']}/")
        assert await connection.fetchval("SELECT deleted_at FROM issues") is not None


async def test_a_cursor_on_created_at_misses_rows_that_the_greater_stamp_finds() -> None:
    async with with_tables() as (upstream, ana, connection):
        items = f"/api/v1/workspaces/acme/projects/{ana.project['id']}/work-items/"
        await upstream.site.worker.settle()
        await upstream.site.worker.stop()
        await ana.post(items, {"name": "late"})
        seen_until = upstream.site.clock.now()
        upstream.site.worker.start()
        await upstream.site.worker.settle()
        count = "SELECT count(*) FROM issue_activities WHERE {} > $1"
        assert await connection.fetchval(count.format("created_at"), seen_until) == 0
        assert await connection.fetchval(count.format("greatest(created_at, updated_at)"), seen_until) == 1


async def test_the_reader_sees_who_people_are_but_no_address_password_or_token() -> None:
    async with with_tables() as (_, _, connection):
        reader = f"upstream_reader_{os.getpid()}"  # roles belong to the whole server
        await create_reader(connection, reader, "reader")
        await connection.execute(f"SET ROLE {reader}")
        try:
            await connection.fetch(f"SELECT {', '.join(READABLE_OF_USERS.split())} FROM users")
            for name in ("email", "password", "token"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"SELECT {name} FROM users")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("DELETE FROM issues")
        finally:
            await connection.execute("RESET ROLE")
            await connection.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")
