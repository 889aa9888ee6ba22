"""HTTP conformance doesn't depend on the database: one engine is enough."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airside.db.database import Database
from tests.support.databases import fresh_database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with fresh_database("sqlite", tmp_path) as database:
        yield database
