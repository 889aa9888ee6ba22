"""An upgrade under load: the version before serves while a later one migrates, and until it is replaced."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import asyncio
import itertools
import json
import shutil
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests

from airside.db.migrate import MIGRATIONS, current_revision, is_current, migrate, newest_revision
from airside.events.tables import events
from airside.work.work_items.tables import work_items
from tests.support.databases import database_url, opened
from tests.support.programs import start_airside
from tests.support.servers import ADMIN, Instance, running_server

LATER = "9999"
EXPAND = f'''"""What a later version adds: a table, and columns that the version before doesn't know."""

import sqlalchemy as sa
from alembic import op

revision = "{LATER}"
down_revision = "{newest_revision()}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("later_things", sa.Column("id", sa.Text, primary_key=True))
    op.add_column("work_items", sa.Column("later_text", sa.Text))
    op.add_column("work_items", sa.Column("later_flag", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("events", sa.Column("later_count", sa.Integer, nullable=False, server_default="0"))
'''


def later_migrations(folder: Path) -> str:
    """A program that migrates the database of its argument as a later version would."""
    copied = folder / "migrations"
    shutil.copytree(MIGRATIONS, copied)
    (copied / "versions" / f"{LATER}_expand.py").write_text(EXPAND)
    return (
        "import asyncio, pathlib, sys; import airside.db.migrate as later;"
        f" later.MIGRATIONS = pathlib.Path({str(copied)!r}); asyncio.run(later.migrate(sys.argv[1]))"
    )


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    async with database_url(request.param, tmp_path) as found:
        yield found


class Writers:
    """Clients that create work items; each notes what was acknowledged, and what wasn't."""

    def __init__(self, url: str, key: str) -> None:
        self.session = requests.Session()
        self.session.headers["X-API-Key"] = key
        at = f"{url}/api/v1/workspaces/sandbox/projects/"
        made = self.session.post(at, json={"name": "Moon", "identifier": "MOON"}, timeout=30)
        self.at = f"{at}{made.json()['id']}/work-items/"
        self.acknowledged: set[str] = set()
        self.refused: list[int] = []
        self.stop = threading.Event()

    def write(self, writer: int, numbers: Iterator[int]) -> None:
        while not self.stop.is_set():
            name = f"item-{writer}-{next(numbers)}"
            answer = requests.post(self.at, json={"name": name}, headers=self.session.headers, timeout=60)
            if answer.status_code == 201:
                self.acknowledged.add(name)
            else:
                self.refused.append(answer.status_code)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        numbers = itertools.count()
        threads = [threading.Thread(target=self.write, args=(number, numbers)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                await asyncio.to_thread(thread.join)

    async def wait_for(self, more: int) -> None:
        wanted = len(self.acknowledged) + more
        async with asyncio.timeout(60):
            while len(self.acknowledged) < wanted:
                await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_the_version_before_loses_nothing_while_a_later_one_migrates_and_stays_ready(
    url: str, tmp_path: Path
) -> None:
    code = later_migrations(tmp_path)
    env = {"AIRSIDE_DATABASE_URL": url}
    with running_server(tmp_path, env) as server:
        key = server.cli("token", "create", "--user", ADMIN)["token"]
        writers = Writers(server.url, key)
        async with writers.writing():
            await writers.wait_for(10)
            programs = [
                await asyncio.create_subprocess_exec(sys.executable, "-c", code, url) for _ in range(2)
            ]
            assert [await program.wait() for program in programs] == [0, 0]
            await writers.wait_for(10)
        assert set(writers.refused) <= {503}  # with Retry-After; a table may be locked for a moment
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok"}
        async with opened(url) as db:
            assert await current_revision(db) == LATER
            items = {row["name"]: row["id"] for row in await db.find_all(work_items)}
            made = {row["entity_id"] for row in await db.find_all(events, name="workitem.created")}
    assert writers.acknowledged <= items.keys()
    assert set(items.values()) == made


@pytest.mark.timeout(600)
async def test_servers_and_migrations_that_start_at_once_all_run_on_the_newest_tables(
    url: str, tmp_path: Path
) -> None:
    await migrate(url, "0030")
    env = {"AIRSIDE_DATABASE_URL": url}
    instance = Instance(tmp_path, env)
    programs = [start_airside("migrate", "--json", env=instance.environment, stdout=-1) for _ in range(2)]
    with running_server(tmp_path, env) as server:
        said = [json.loads((await asyncio.to_thread(one.communicate))[0]) for one in programs]
        assert {one["revision"] for one in said} == {newest_revision()}
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=30) as answer:
            assert answer.status == 200
    async with opened(url) as db:
        assert await is_current(db)
