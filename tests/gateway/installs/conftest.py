"""Airside in front of the stand-in, for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airside.db.database import Database
from tests.gateway.installs.stage import Front, front_of
from tests.support.clocks import FrozenClock
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings as SettingsThere


@pytest.fixture
async def acme_upstream() -> AsyncIterator[Upstream]:
    """Without limits, so that a test may install often."""
    settings = SettingsThere(anonymous_limit=None, api_key_limit=None, seeds_project=False)
    async with open_upstream(settings) as running:
        yield running


@pytest.fixture
async def front(
    acme_upstream: Upstream, db: Database, clock: FrozenClock, tmp_path: Path
) -> AsyncIterator[Front]:
    async with front_of(acme_upstream, db, clock, data=tmp_path) as opened:
        yield opened
