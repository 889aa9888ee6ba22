"""The world that the contract suite looks at, once for each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from tests.contract.world import World, make_world
from tests.support.databases import fresh_database

pytest.register_assert_rewrite("tests.contract.event_data")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("contract")
    async with fresh_database(request.param, folder) as db:
        settings = Settings(
            data=folder, database_url=db.url, secret_key="0" * 64, api_rate_limit="100000/minute"
        )
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())
        async with make_world(site) as made:
            yield made
