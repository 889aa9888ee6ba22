"""The printed grants let a role read what events are made of, and nothing else."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import re

import asyncpg
import pytest

from airside.gateway.grants import READABLE, render_grants
from tests.support.databases import fresh_postgres
from tests.support.upstream.server import open_upstream
from tests.support.upstream.tables import TABLES, column

SECRET = re.compile(r"password|token|secret|session|e-?mail|key")
ROLE = "airside_reader_of_a_test"


def test_no_credential_and_no_address_is_granted() -> None:
    assert [
        f"{table}.{name}" for table, columns in READABLE.items() for name in columns if SECRET.search(name)
    ] == []
    assert 23 <= len(READABLE) <= 26
    assert "display_name" in READABLE["users"]


def test_every_granted_column_is_one_of_the_tables_that_were_seen() -> None:
    known = {table: {column(table, name) for name in names.split()} for table, names in TABLES.items()}
    assert READABLE.keys() == known.keys()
    for table, columns in READABLE.items():
        assert set(columns) <= known[table]
        assert table == "users" or set(columns) == known[table]


async def test_the_role_reads_what_is_granted_and_nothing_of_people_s_credentials() -> None:
    async with fresh_postgres() as url, open_upstream(database_url=url):
        owner = await asyncpg.connect(url)
        try:
            await owner.execute(f"DROP ROLE IF EXISTS {ROLE}")
            await owner.execute(render_grants(ROLE))
            reader = await asyncpg.connect(url, user=ROLE)
            for table, columns in READABLE.items():
                names = ", ".join(f'"{name}"' for name in columns)
                await reader.fetch(f'SELECT {names} FROM "{table}"')
            for refused in ("SELECT * FROM users", "SELECT password FROM users", "SELECT token FROM users"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await reader.fetch(refused)
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
                await reader.execute("DELETE FROM issues")
            await reader.close()
        finally:
            await owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
            await owner.close()


@pytest.mark.parametrize("name", ["x; DROP TABLE users", "Reader", "", 'a"b', "a" * 64])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="role's name"):
        render_grants(name)
