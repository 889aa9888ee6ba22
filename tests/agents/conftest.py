"""The scene that most stories of agents begin with."""

from collections.abc import AsyncIterator

import pytest

from airside.runtime.site import Site
from tests.agents.scene import Scene, set_scene


@pytest.fixture
async def scene(site: Site) -> AsyncIterator[Scene]:
    async with set_scene(site) as made:
        yield made
