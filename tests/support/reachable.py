"""An instance whose operator lets webhooks reach 127.0.0.1, and a receiver there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airside.db.database import Database
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver, open_receiver


@pytest.fixture
def site(db: Database, clock: FrozenClock, tmp_path: Path) -> Site:
    settings = Settings(
        data=tmp_path, database_url=db.url, secret_key="0" * 64, webhook_allowed_hosts=["127.0.0.1"]
    )
    return Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=clock)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened
