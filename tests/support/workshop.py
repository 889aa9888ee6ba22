"""One site shared by all tests of a file that don't disturb each other: Acme's project Engine, and API clients of
its people. `unique` makes names unique.

The fixture `workshop` is created once per file and database; a folder's conftest.py imports it, and its tests say
pytestmark = pytest.mark.asyncio(loop_scope="module")
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.assets.endpoints import asset_endpoints
from airside.db.base import Row
from airside.events.tables import events
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from tests.cast import Cast, make_cast
from tests.support.api import Client, ServedApi, serve_api, show_v1
from tests.support.clocks import FrozenClock
from tests.support.databases import fresh_database
from tests.work.scene import join_project, make_project

_numbers = count(1)


@dataclass
class Workshop:
    site: Site
    clock: FrozenClock
    cast: Cast
    api: ServedApi
    engine: str  # Acme's project: Ana's, Ben is a member, Gil a guest
    garage: str  # another one of Acme
    elsewhere: str  # one of the workspace Other, Zoe's
    ana: Client
    ben: Client
    gil: Client
    zoe: Client

    def path(self, path: str) -> str:
        """Below the project Engine."""
        return f"workspaces/acme/projects/{self.engine}/{path}"

    async def make(self, path: str, **body: Any) -> Row:
        """Create a record below Engine as Ana; fails the test on an error."""
        made = await self.ana.post(self.path(path), body)
        assert made.status_code in (200, 201), made.json
        return made.json

    async def state_of(self, group: str) -> str:
        """One of Engine's default states."""
        listed = await self.ana.get(self.path("states"), order_by="created_at")
        return next(state["id"] for state in listed.json["results"] if state["group"] == group)

    async def events_of(self, entity_id: str) -> list[Row]:
        rows = await self.site.db.find_all(events, entity_id=entity_id)
        return sorted(rows, key=lambda row: row["sequence"])


def unique(word: str) -> str:
    return f"{word} {next(_numbers)}"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def workshop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workshop]:
    folder: Path = tmp_path_factory.mktemp("workshop")
    async with fresh_database(request.param, folder) as db, AsyncExitStack() as stack:
        settings = Settings(
            data=folder, database_url=db.url, secret_key="0" * 64, api_rate_limit="100000/minute"
        )
        clock = FrozenClock()
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=clock)
        cast = await make_cast(site)
        engine, garage = await make_project(site, cast), await make_project(site, cast, "Garage")
        await join_project(site, cast, engine, cast.gil["id"], 5)
        api = serve_api(site, *TABLE, *TABLE_V2, others=asset_endpoints(site, show_v1))
        people = [
            await stack.enter_async_context(api.acting_as(person["id"]))
            for person in (cast.ana, cast.ben, cast.gil, cast.zoe)
        ]
        made = await people[3].post("workspaces/other/projects", {"name": "Elsewhere", "identifier": "ELSE"})
        yield Workshop(site, clock, cast, api, engine, garage, made.json["id"], *people)
