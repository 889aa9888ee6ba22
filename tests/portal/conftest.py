"""The cast in their places."""

import pytest

from airside.runtime.site import Site
from tests.cast import Cast, make_cast


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)
