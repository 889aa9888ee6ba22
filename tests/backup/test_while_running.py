"""A backup while clients write, and a restore that is killed: real processes, as an operator runs them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import asyncio
import itertools
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE, TimeoutExpired
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.migrate import is_current, migrate
from airside.db.statements import Statement
from airside.events.tables import events
from airside.identity.api_keys import create_api_key
from airside.identity.tables import users
from airside.runtime.site import open_site
from airside.settings import Settings
from airside.webhooks.tables import webhook_deliveries
from airside.work.work_items.tables import work_items
from airside.workspaces.webhooks import create_webhook
from tests.backup.rows import fill_tables
from tests.cast import make_cast
from tests.support.databases import database_url, opened
from tests.support.programs import start_airside
from tests.support.receivers import Receiver, open_receiver
from tests.support.servers import Instance, free_port, running_server

PASSPHRASE = "correct horse battery"
KEY = "k" * 64
WRITERS = 3
COMMAND_SECONDS = 300  # generous, for a busy machine
NOT_THERE = ("hasn't finished", "no Airside at", "no secret key", "is empty")  # what a command says then


@dataclass
class Scene:
    """An instance with a project, an API key, and a webhook whose receiver isn't there yet."""

    instance: Instance
    database: str
    api_key: str
    project: str
    hook_port: int
    acknowledged: set[str] = field(default_factory=set)

    def write(self, url: str, stop: threading.Event, names: Iterator[int], writer: int) -> None:
        session = requests.Session()
        session.headers["X-API-Key"] = self.api_key
        while not stop.is_set():
            name = f"item-{writer}-{next(names)}"
            answer = session.post(f"{url}{self.project}work-items/", json={"name": name}, timeout=30)
            assert answer.status_code == 201, answer.text
            self.acknowledged.add(name)

    @contextmanager
    def writing(self, url: str) -> Iterator[None]:
        stop, names = threading.Event(), itertools.count()
        threads = [
            threading.Thread(target=self.write, args=(url, stop, names, number)) for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def instance_at(folder: Path, url: str) -> Instance:
    folder.mkdir(exist_ok=True)
    return Instance(folder, {"AIRSIDE_DATABASE_URL": url, "AIRSIDE_BACKUP_PASSPHRASE": PASSPHRASE})


@asynccontextmanager
async def open_scene(kind: str, folder: Path) -> AsyncIterator[Scene]:
    folder.mkdir()
    async with database_url(kind, folder) as url:
        instance, hook_port = instance_at(folder, url), free_port()
        (folder / "data").mkdir(mode=0o700)
        (folder / "data" / "secret.key").write_text(KEY)
        await migrate(url)
        settings = Settings(
            data=folder / "data", database_url=url, secret_key=KEY, webhook_allowed_hosts=["127.0.0.1"]
        )
        site = await open_site(settings)
        cast = await make_cast(site)
        key = (await create_api_key(site, cast.ana["id"])).token
        await create_webhook(
            site,
            cast.acme["id"],
            cast.ana["id"],
            {"url": f"http://127.0.0.1:{hook_port}/", "version": "v2", "event_names": None},
        )
        await site.close()
        yield Scene(instance, url, key, "", hook_port)


async def run(instance: Instance, *words: str) -> Any:
    program = start_airside(*words, "--json", env=instance.environment, stdout=PIPE, stderr=PIPE)
    out, error_text = await asyncio.to_thread(program.communicate, timeout=COMMAND_SECONDS)
    assert program.wait() == 0, error_text
    return json.loads(out)


def make_project(scene: Scene, url: str) -> str:
    at = f"{url}/api/v1/workspaces/acme/projects/"
    sent = {"name": "Moon", "identifier": "MOON"}
    made = requests.post(at, json=sent, headers={"X-API-Key": scene.api_key}, timeout=30)
    assert made.status_code == 201, made.text
    return f"/api/v1/workspaces/acme/projects/{made.json()['id']}/"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_was_acknowledged_before_a_backup_is_in_it_with_its_events_and_is_delivered_afterwards(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.backup"
    async with open_scene(kind, tmp_path / "a") as scene:
        without_worker = {
            **scene.instance.env,
            "AIRSIDE_WORKER": "false",
        }  # so that everything is still to be sent
        with running_server(scene.instance.folder, without_worker) as server:
            scene.project = make_project(scene, server.url)
            with scene.writing(server.url):
                while len(scene.acknowledged) < 30:
                    await asyncio.sleep(0.05)
                before = set(scene.acknowledged)
                made = await run(scene.instance, "backup", str(path))
                at_end = len(scene.acknowledged)
                while len(scene.acknowledged) < at_end + 10:  # nobody had to wait for it
                    await asyncio.sleep(0.05)
        async with database_url(kind, tmp_path / "b") as url:
            target = instance_at(tmp_path / "b", url)
            assert (await run(target, "restore", str(path)))["rows"] == made["rows"]
            items = await check_agreement(url, before)
            async with open_receiver(port=scene.hook_port) as receiver:
                with running_server(target.folder, target.env) as server:
                    await check_tokens(scene, server.url, items)
                    async with asyncio.timeout(90):
                        while not before <= names_sent_to(receiver):
                            await asyncio.sleep(0.1)


def names_sent_to(receiver: Receiver) -> set[str]:
    bodies = [one.body for one in receiver.received]
    return {body["data"]["name"] for body in bodies if body["event"] == "workitem.created"}


async def check_agreement(url: str, before: set[str]) -> list[Row]:
    """The records, each with its one event and its delivery."""
    async with opened(url) as db:
        items = await db.fetch_all(Statement(sa.select(work_items.c.id, work_items.c.name)))
        made = await db.find_all(events, name="workitem.created")
        waiting = {row["event_id"] for row in await db.find_all(webhook_deliveries)}
    assert before <= {item["name"] for item in items}
    assert sorted(item["id"] for item in items) == sorted(event["entity_id"] for event in made)
    assert {event["id"] for event in made if event["fanned_out_at"]} <= waiting
    return items


async def check_tokens(scene: Scene, url: str, items: list[Row]) -> None:
    """The key from before works, and the ids are those from before."""
    for item in items[:3]:
        at = f"{url}{scene.project}work-items/{item['id']}/"
        found = await asyncio.to_thread(requests.get, at, headers={"X-API-Key": scene.api_key}, timeout=30)
        assert (found.status_code, found.json()["name"]) == (200, item["name"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_restore_that_is_killed_is_never_taken_for_a_good_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "one.backup"
    source = instance_at(tmp_path / "a", f"sqlite:///{tmp_path / 'a' / 'airside.db'}")
    await migrate(source.env["AIRSIDE_DATABASE_URL"])
    (source.folder / "data").mkdir(mode=0o700)
    (source.folder / "data" / "secret.key").write_text(KEY)
    async with opened(source.env["AIRSIDE_DATABASE_URL"]) as db:
        await fill_tables(db, 20)
    made = await run(source, "backup", str(path))
    async with database_url(kind, tmp_path) as url:
        target = instance_at(tmp_path / "b", url)
        scratch = instance_at(tmp_path / "c", f"sqlite:///{tmp_path / 'c' / 'airside.db'}")
        started = time.monotonic()
        await run(scratch, "restore", str(path))
        seconds, killed, has_ended = time.monotonic() - started, 0, False
        for part in (0.3, 0.6, 0.9):
            has_ended = await kill_after(target, path, seconds * part)
            if has_ended:
                break
            killed += 1
            listed = await asyncio.to_thread(target.run, "workspace", "list")
            has_ended = listed.returncode == 0  # killed after its last step
            if has_ended:
                break
            assert listed.returncode == 1, listed.stdout
            assert any(sentence in listed.stderr for sentence in NOT_THERE), listed.stderr
        assert killed >= 1
        if not has_ended:
            await run(target, "restore", str(path))
        async with opened(url) as db:
            assert await is_current(db)
            assert len(await db.find_all(users)) == made["tables"]["users"]
        assert [one.name for one in (target.folder / "data").iterdir() if "restoring" in one.name] == []


async def kill_after(target: Instance, path: Path, seconds: float) -> bool:
    """Whether it had finished before."""
    program = start_airside("restore", str(path), env=target.environment, stdout=DEVNULL, stderr=DEVNULL)
    try:
        assert await asyncio.to_thread(program.wait, seconds) == 0
    except TimeoutExpired:
        program.kill()
        program.wait()
        return False
    return True
