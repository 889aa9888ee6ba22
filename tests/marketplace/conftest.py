"""The cast in their places, and Olga, who runs the instance."""

import pytest

from airside.db.base import Row
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.marketplace.scenes import make_operator


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def olga(site: Site, cast: Cast) -> Row:
    return await make_operator(site, cast)
