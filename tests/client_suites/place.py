"""A started Airside for one client: workspace Acme with Ana, Ben and Ana's API key, behind a recorder."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.journeys.conftest import Stage, set_stage
from tests.sdk_suites.classes import Exchange, Served
from tests.sdk_suites.recorder import Recording, recording
from tests.support.databases import database_url
from tests.support.servers import Server, free_port, running_server

KEPT = Path(__file__).parents[2] / ".sdk-suites"


@dataclass
class Place:
    """`url` is the recorder's, which is also what Airside takes itself to be at."""

    stage: Stage
    url: str
    folder: Path
    database: str
    kept: Recording
    served: Served
    api_key: str = ""
    ana_id: str = ""
    ben_id: str = ""

    @contextmanager
    def recorded(self, action: str) -> Iterator[list[Exchange]]:
        """The exchanges of an action, complete at its end."""
        before, exchanges = len(self.kept.exchanges), list[Exchange]()
        self.kept.owner = action
        yield exchanges
        exchanges += self.kept.exchanges[before:]

    def log(self, client: str) -> Path:
        return KEPT / f"{client}-{self.database}.log"

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """A request of Ana's below her workspace, past the recorder."""
        return requests.request(
            method,
            f"{self.stage.base_url}/api/v1/workspaces/acme/{path}",
            headers={"X-API-Key": self.api_key},
            json=body,
            timeout=20,
        )


@asynccontextmanager
async def started(database: str) -> AsyncIterator[Place]:
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="airside-client-suites-") as name:
        async with database_url(database, Path(name)) as url:
            port = free_port()
            env = {"AIRSIDE_DATABASE_URL": url, "AIRSIDE_BASE_URL": f"http://127.0.0.1:{port}"}
            with running_server(Path(name), env) as server, recording(port, server.url) as kept:
                yield make_place(server, Path(name), database, f"http://127.0.0.1:{port}", kept)


def make_place(server: Server, folder: Path, database: str, url: str, kept: Recording) -> Place:
    stage = set_stage(server)
    server.cli("user", "create", "ben@example.com", "--name", "Ben Ode")
    server.cli("workspace", "add", "acme", "ben@example.com", "--role", "member")
    served = Served((route["method"], route["path"]) for route in server.cli("routes")["routes"])
    place = Place(stage, url, folder, database, kept, served)
    place.api_key = server.cli("token", "create", "--user", "ana@example.com")["token"]
    ids = {one["email"]: one["id"] for one in place.call("GET", "members/").json()}
    place.ana_id, place.ben_id = ids["ana@example.com"], ids["ben@example.com"]
    return place
