"""One server for all rows of a test process, on each kind of database."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.sdk_rows.place import Place, place_on


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgres"])
async def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    async with place_on(request.param, tmp_path_factory.mktemp("rows")) as made:
        yield made
