"""Each story is run on every implementation of the host."""

from collections.abc import AsyncIterator

import pytest

from airside.runtime.site import Site
from tests.host.stages import STAGES, Stage


@pytest.fixture(params=STAGES)
async def stage(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with STAGES[request.param](site) as opened:
        yield opened
