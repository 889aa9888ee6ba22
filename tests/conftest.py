"""Fixtures that every test may ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airside.credentials import Sealer
from airside.db.database import Database
from airside.settings import Settings
from airside.site import Site
from tests.support.clocks import FrozenClock
from tests.support.databases import fresh_database


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of each kind."""
    async with fresh_database(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def site(db: Database, clock: FrozenClock, tmp_path: Path) -> Site:
    """An instance on a fresh database, with a clock that stands still until it is moved."""
    settings = Settings(data=tmp_path, database_url=db.url, secret_key="0" * 64)
    return Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=clock)
