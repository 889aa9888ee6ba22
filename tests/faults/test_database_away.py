"""What clients, people and load balancers are answered while the database is away, and after it."""

import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import asyncpg
import pytest
from falcon import testing

from airside.app import request_source
from airside.db import sqlite
from airside.db.away import DatabaseAway
from airside.db.base import new_id
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.open import open_database
from airside.http.dispatch import Dispatch
from airside.http.edge import Edge
from airside.http.endpoint import Methods
from airside.identity.api_keys import create_api_key
from airside.identity.tables import users
from airside.oauth import token
from airside.portal.application import create_pages
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from airside.work.projects.tables import projects
from tests.cast import Cast, make_cast
from tests.db.test_database import user_row
from tests.support.apps import SharedRouter, app_of
from tests.support.databases import fresh_database
from tests.support.postgres import PostgresServer, running_postgres

PROJECTS = "/api/v1/workspaces/acme/projects/"
ENDED_BY_COMMIT = """
    CREATE FUNCTION end_me() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER end_me AFTER INSERT ON projects DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION end_me();
"""


@dataclass
class Scene:
    """An instance, and who talks to it."""

    site: Site
    cast: Cast
    key: str
    http: Any

    async def list_projects(self) -> testing.Result:
        return await self.http.simulate_get(PROJECTS, headers={"X-API-Key": self.key})

    async def make_project(self, identifier: str) -> testing.Result:
        body = {"name": identifier, "identifier": identifier}
        return await self.http.simulate_post(PROJECTS, json=body, headers={"X-API-Key": self.key})

    async def ask_token(self) -> testing.Result:
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.cast.client_id,
            "client_secret": self.cast.client_secret,
            "app_installation_id": self.cast.installation["id"],
        }
        return await self.http.simulate_post(
            "/auth/o/token/", body=urlencode(fields), content_type="application/x-www-form-urlencoded"
        )

    async def get(self, path: str) -> testing.Result:
        return await self.http.simulate_get(path)


@asynccontextmanager
async def serving(db: Database, folder: Path) -> AsyncIterator[Scene]:
    settings = Settings(data=folder, database_url=db.url, secret_key="0" * 64)
    site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key))
    cast = await make_cast(site)
    key = await create_api_key(site, cast.ana["id"])
    async with testing.ASGIConductor(app_of(site)) as http:
        yield Scene(site, cast, key.token, http)


async def ask(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        yield running


@pytest.fixture
async def on_postgres(server: PostgresServer, tmp_path: Path) -> AsyncIterator[Scene]:
    name = f"airside_{uuid.uuid4().hex}"
    await ask(server.url, f"CREATE DATABASE {name}")
    url = server.url.rsplit("/", 1)[0] + f"/{name}"
    await migrate(url)
    db = await open_database(url)
    try:
        async with serving(db, tmp_path) as scene:
            yield scene
    finally:
        await db.close()


async def test_everybody_gets_retry_after_and_can_retry(on_postgres: Scene, server: PostgresServer) -> None:
    scene = on_postgres
    server.stop_at_once()
    for answer in (await scene.list_projects(), await scene.make_project("ENG")):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "database" in answer.json["error"]
    refused = await scene.ask_token()
    assert (refused.status_code, refused.json["error"]) == (503, "temporarily_unavailable")
    assert refused.json["error_description"]
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["cache-control"] == "no-store"
    own = await scene.http.simulate_get(
        "/auth/o/app-installation/", headers={"Authorization": "Bearer pln_bot_x"}
    )
    assert (own.status_code, "error_description" in own.json) == (503, False)
    page = await scene.get("/auth/o/authorize-app/?client_id=x&response_type=code")
    assert (page.status_code, page.headers["content-type"][:9]) == (503, "text/html")
    assert "Temporarily unavailable" in page.text
    assert int(page.headers["retry-after"]) > 0
    ready = await scene.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "the database can't be reached"})
    assert (await scene.get("/healthz")).status_code == 200

    server.start()
    assert (await scene.make_project("ENG")).status_code == 201
    assert [row["identifier"] for row in (await scene.list_projects()).json["results"]] == ["ENG"]
    assert (await scene.ask_token()).status_code == 200
    assert (await scene.get("/readyz")).status_code == 200


async def test_a_write_that_may_be_saved_is_not_said_to_have_failed(on_postgres: Scene) -> None:
    """503 with Retry-After would have clients send it again, and there would be two."""
    await on_postgres.list_projects()  # writes down that the key was used, once a minute
    await ask(on_postgres.site.db.url, ENDED_BY_COMMIT)
    answer = await on_postgres.make_project("ENG")
    assert answer.status_code == 500
    assert "retry-after" not in answer.headers
    assert "isn't certain" in answer.json["error"]


async def test_what_fails_after_its_commit_is_not_said_to_have_failed(site: Site) -> None:
    breaks, pages = Breaks(site), create_pages(site, SharedRouter())
    pages.add_route("/breaks", breaks)
    endpoint = Methods({"POST": breaks.save, "GET": breaks.save, "PUT": breaks.fail})
    app = Edge(Dispatch({"/api/v1/breaks": endpoint}), request_source(site), pages)
    async with testing.ASGIConductor(app) as http:
        answer = await http.simulate_post("/api/v1/breaks/")
        assert (answer.status_code, "isn't certain" in answer.json["error"]) == (500, True)
        page = await http.simulate_post("/breaks/")
        assert (page.status_code, "This may not be saved" in page.text) == (500, True)
        for method in ("PUT", "GET"):  # what has saved nothing, and what asks for nothing to be saved
            answer = await http.simulate_request(method, "/api/v1/breaks/")
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


class Breaks:
    """Its database goes away after something was saved; with PUT before that."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def save(self, request: object) -> NoReturn:
        async with self._site.db.transaction() as tx:
            await tx.insert(users, user_row(f"{new_id()}@example.com"))
        raise DatabaseAway("gone")

    async def fail(self, request: object) -> NoReturn:
        raise DatabaseAway("gone")

    async def on_post(self, req: object, resp: object) -> None:
        await self.save(req)


async def test_a_busy_file_refuses_writes_and_serves_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh_database("sqlite", tmp_path) as db, serving(db, tmp_path) as scene:
        assert (await scene.make_project("ENG")).status_code == 201
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
        answer = await scene.make_project("APO")
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
        assert (await scene.ask_token()).json["error"] == "temporarily_unavailable"
        assert (await scene.list_projects()).status_code == 200
        monkeypatch.undo()
        other.close()
        assert (await scene.make_project("APO")).status_code == 201
        assert len(await db.find_all(projects)) == 2


async def test_what_breaks_otherwise_is_the_servers_error_to_an_oauth_client_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token, "read_body", None)
    async with testing.ASGIConductor(app_of(site)) as http:
        answer = await http.simulate_post("/auth/o/token/")
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
