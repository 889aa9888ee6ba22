"""The workshop, for tests that may share a site; and the API of cars in it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.rest.cars import CAR_TABLE, with_own_tables
from tests.support.api import ServedApi, serve_api
from tests.support.workshop import Workshop, workshop

__all__ = ["car_api", "workshop"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def car_api(workshop: Workshop) -> AsyncIterator[ServedApi]:
    async with with_own_tables(workshop.site.db):
        yield serve_api(workshop.site, *CAR_TABLE)
