"""Webhooks while everything dies, against real processes: `python -m tests.faults.webhooks --kills 200`.

The claim: a write that was acknowledged is in the database, and every event in the database reaches every listener
that it concerns, or is dead-lettered there after its retries; whoever is killed with kill -9, and whenever. What
arrives twice bears the same id. On SQLite, on PostgreSQL, and on PostgreSQL with NATS JetStream.
"""

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from airside.db.base import Instant
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.open import open_database
from airside.db.statements import Statement
from airside.events.tables import events
from airside.identity.api_keys import create_api_key
from airside.runtime.site import open_site
from airside.settings import Settings
from airside.webhooks.queue.database import LEASE
from airside.webhooks.retry import SCHEDULE
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints
from airside.workspaces.webhooks import create_webhook
from tests.cast import make_cast
from tests.faults.fleet import Fleet, Program, Victim, victims_of
from tests.faults.ledger import (
    APP,
    COMMENT_MADE,
    DEAD,
    ITEM_CHANGED,
    ITEM_DELETED,
    ITEM_MADE,
    LISTENERS,
    Ears,
    Mark,
    Verdict,
    Writes,
    judge,
)
from tests.support.nats import NatsServer, running_nats
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.receivers import open_receiver
from tests.support.servers import Instance, free_port

KINDS = ("sqlite", "postgres", "jetstream")
NO_ANSWER = (aiohttp.ClientError, ConnectionError, TimeoutError)
PRIORITIES = ("urgent", "high", "low")
STUCK_SECONDS = 2 * LEASE.total_seconds()  # what a killed worker held is taken up when its lease has run out


@dataclass
class Findings:
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    unanswered: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return self.verdict.lost + self.verdict.wrong + self.wrong

    def __str__(self) -> str:
        found = self.verdict
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        return (
            f"kills {self.kills.total()} ({kills}); writes acknowledged {self.acknowledged},"
            f" unanswered {self.unanswered}, of those committed {found.committed_unanswered};"
            f" events {found.events}, to deliver {found.expected}, delivered {found.delivered},"
            f" dead-lettered {found.dead_lettered}, duplicates {found.duplicates},"
            f" lost {len(found.lost)}, wrong {len(found.wrong) + len(self.wrong)}"
        ) + "".join(f"\n  {one}" for one in self.faults[:20])


@dataclass
class Scene:
    """An instance with its listeners, its fleet, and a key to write with."""

    database: str
    fleet: Fleet
    ears: Ears
    url: str
    api_key: str
    random: random.Random
    writes: Writes = field(default_factory=Writes)
    findings: Findings = field(default_factory=Findings)


class Writer:
    """A client that writes all the time and never asks twice: without an answer it goes on to the next."""

    def __init__(self, scene: Scene, http: aiohttp.ClientSession, project_id: str, number: int) -> None:
        self._scene, self._http, self._number = scene, http, number
        self._counter = itertools.count()
        self._items: list[str] = []
        self._url = f"{scene.url}/api/v1/workspaces/acme/projects/{project_id}/work-items"

    async def run(self, stop: asyncio.Event, pause: float) -> None:
        while not stop.is_set():
            await self._write_something()
            await asyncio.sleep(pause * self._scene.random.random() * 2)

    async def _write_something(self) -> None:
        what = self._scene.random.random()
        if not self._items or what < 0.3:
            made = await self._write(ITEM_MADE, "POST", "/", name=(name := self._new("item")), mark=name)
            if made is not None:
                self._items.append(made["id"])
            return
        item = self._scene.random.choice(self._items)
        if what < 0.7:
            name = self._new("item")
            more = {"priority": self._scene.random.choice(PRIORITIES)} if what < 0.5 else {}
            await self._write(ITEM_CHANGED, "PATCH", f"/{item}/", mark=name, name=name, **more)
        elif what < 0.97:
            said = self._new("said")
            await self._write(
                COMMENT_MADE, "POST", f"/{item}/comments/", mark=said, comment_html=f"<p>{said}</p>"
            )
        else:
            self._items.remove(item)
            await self._write(ITEM_DELETED, "DELETE", f"/{item}/", mark=item)

    def _new(self, word: str) -> str:
        return f"{word}-{self._number}-{next(self._counter)}"

    async def _write(self, event: str, method: str, path: str, *, mark: str, **body: str) -> Any:
        """The answer; None when there was none, or one that says nothing about the write."""
        headers, written = {"X-API-Key": self._scene.api_key}, Mark(event, mark)
        try:
            async with self._http.request(method, self._url + path, json=body, headers=headers) as answer:
                body_text = await answer.text()
                if answer.status < 300:
                    self._scene.writes.acknowledged.add(written)
                    return await answer.json() if body_text else {}
                if answer.status < 500:
                    self._scene.findings.wrong.append(
                        f"refused: {method} {path} {answer.status} {body_text[:200]}"
                    )
        except aiohttp.ClientConnectorError:  # nobody listens, so nothing was asked …
            await asyncio.sleep(0.05)
            if method != "DELETE":  # … unless this was the client's own second try
                return None
        except NO_ANSWER:
            pass
        self._scene.writes.unanswered.add(written)
        return None


@asynccontextmanager
async def set_scene(kind: str, folder: Path, seed: int = 0) -> AsyncIterator[Scene]:
    """Acme, who listens, and processes on a fresh database of this kind; nothing runs yet."""
    chance = random.Random(seed)
    with ExitStack() as running:
        postgres = running.enter_context(running_postgres()) if kind != "sqlite" else None
        nats = running.enter_context(running_nats(folder)) if kind == "jetstream" else None
        database = postgres.url if postgres else f"sqlite:///{folder / 'airside.db'}"
        environment = {"AIRSIDE_DATABASE_URL": database, "AIRSIDE_SECRET_KEY": "0" * 64}
        if nats:
            environment |= {"AIRSIDE_QUEUE_URL": nats.url, "AIRSIDE_QUEUE_NAME": "acme"}
        await migrate(database)
        async with open_receiver(Ears(chance)) as ears:
            assert isinstance(ears, Ears)
            port = free_port()
            programs = programs_of(kind, Instance(folder, environment), port)
            fleet = Fleet(programs, [*victims_of(programs), *machines(postgres, nats, chance)])
            api_key = await furnish(database, ears.url)
            try:
                yield Scene(database, fleet, ears, f"http://127.0.0.1:{port}", api_key, chance)
            finally:
                fleet.kill()


def programs_of(kind: str, instance: Instance, port: int) -> list[Program]:
    """SQLite's one process does everything; elsewhere a server that delivers nothing, and two workers."""
    serve = ("serve", "--port", str(port))
    if kind == "sqlite":
        return [Program("server", instance, serve)]
    alone = Instance(instance.folder, {**instance.env, "AIRSIDE_WORKER": "false"})
    return [
        Program("server", alone, serve),
        Program("first worker", instance, ("worker",)),
        Program("second worker", instance, ("worker",)),
    ]


def machines(postgres: PostgresServer | None, nats: NatsServer | None, chance: random.Random) -> list[Victim]:
    found: list[Victim] = []
    if postgres:
        found += [
            Victim("postgres killed", postgres.kill, postgres.start, is_program=False),
            Victim("postgres stopped at once", postgres.stop_at_once, postgres.start, is_program=False),
            Victim(
                "postgres backend", lambda: postgres.kill_backend(chance), postgres.start, is_program=False
            ),
        ]
    if nats:
        found += [
            Victim("nats killed", nats.kill, nats.start, is_program=False),
            Victim("stream lost", nats.lose, nats.start, is_program=False),
        ]
    return found


async def furnish(database: str, ears_url: str) -> str:
    """Acme with all its listeners, before anything can die; an API key of Ana's."""
    settings = Settings(database_url=database, secret_key="0" * 64, webhook_allowed_hosts=["127.0.0.1"])
    site = await open_site(settings)
    try:
        cast = await make_cast(site, webhook_url=f"{ears_url}/{APP.name}", webhook_version=APP.version)
        for listener in LISTENERS:
            fields = {"url": f"{ears_url}/{listener.name}", "version": listener.version, **listener.fields}
            await create_webhook(site, cast.acme["id"], cast.ana["id"], fields)
        return (await create_api_key(site, cast.ana["id"])).token
    finally:
        await site.close()


async def run_kills(scene: Scene, rounds: int, *, writers: int = 6, pause: float = 0.05) -> None:
    """Everything that can be struck once in each round, in any order, while clients write."""
    stop = asyncio.Event()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        await asyncio.to_thread(scene.fleet.start)
        project_id = await make_project(scene, http)
        clients = [Writer(scene, http, project_id, number) for number in range(writers)]
        writing = [asyncio.create_task(client.run(stop, pause)) for client in clients]
        for victims in plan_strikes(scene, rounds):
            await asyncio.sleep(0.1 + scene.random.random() * 0.5)
            scene.findings.wrong += scene.fleet.list_ended()
            scene.findings.kills.update(victim.name for victim in victims)
            await asyncio.to_thread(scene.fleet.strike, victims)
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*writing)


def plan_strikes(scene: Scene, rounds: int) -> Iterator[list[Victim]]:
    """Mostly one at a time; now and then two at once."""
    for _ in range(rounds):
        order = scene.random.sample(scene.fleet.victims, len(scene.fleet.victims))
        while order:
            count = 2 if len(order) > 1 and scene.random.random() < 0.2 else 1
            yield [order.pop() for _ in range(count)]


async def make_project(scene: Scene, http: aiohttp.ClientSession) -> str:
    url, body = f"{scene.url}/api/v1/workspaces/acme/projects/", {"name": "Engine", "identifier": "ENG"}
    async with http.post(url, json=body, headers={"X-API-Key": scene.api_key}) as answer:
        return (await answer.json())["id"]


async def settle_down(scene: Scene, *, hurry: bool = False) -> None:
    """All die once more and start again; then wait until nothing waits any more, the leases of the killed included.
    With `hurry` nobody dies, and a lease ends after a second, which may cost a duplicate."""
    scene.ears.is_stumbling = False
    db = await open_database(scene.database)
    try:
        if not hurry:
            await asyncio.to_thread(scene.fleet.kill)
            scene.findings.kills["all at the end"] += 1
            await asyncio.to_thread(scene.fleet.start)
        await drain(db, hurry=hurry)
    finally:
        await db.close()


async def drain(db: Database, *, hurry: bool) -> None:
    """Until nothing waits, or nothing has moved for long: then what waits is lost."""
    least, moved_at = sys.maxsize, time.monotonic()
    while waiting := await db.fetch_value(_UNFANNED) + await db.fetch_value(_PENDING):
        if waiting < least:
            least, moved_at = waiting, time.monotonic()
        if time.monotonic() - moved_at > STUCK_SECONDS:
            return
        await hasten(db, end_leases=hurry)
        await asyncio.sleep(0.2)


async def hasten(db: Database, *, end_leases: bool) -> None:
    """What would be retried in minutes or days is due now; for the dead one's it is the last attempt."""
    now = datetime.now(UTC)
    dead = [row["id"] for row in await db.find_all(webhook_endpoints) if row["url"].endswith(DEAD)]
    async with db.transaction() as tx:
        if end_leases:
            await tx.execute(_END_LEASES, until=now + LEASE - timedelta(seconds=1))
        await tx.execute(_LAST_ATTEMPT, endpoint=dead[0], now=now)
        await tx.execute(_DUE_NOW, now=now)


async def conclude(scene: Scene) -> Findings:
    """Compare what was written with what was received."""
    findings, db = scene.findings, await open_database(scene.database)
    try:
        urls = {row["id"]: row["url"] for row in await db.find_all(webhook_endpoints)}
        deliveries = [
            {**row, "listener": urls[row["endpoint_id"]].rsplit("/", 1)[-1]}
            for row in await db.find_all(webhook_deliveries)
        ]
        findings.verdict = judge(scene.writes, scene.ears.posts, await db.find_all(events), deliveries)
    finally:
        await db.close()
    findings.acknowledged = len(scene.writes.acknowledged)
    findings.unanswered = len(scene.writes.unanswered)
    findings.wrong += scene.fleet.list_ended()
    return findings


async def run_all(kind: str, folder: Path, kills: int, seed: int, *, hurry: bool = False) -> Findings:
    async with set_scene(kind, folder, seed) as scene:
        rounds = max(1, -(-kills // len(scene.fleet.victims)))
        await run_kills(scene, rounds, writers=3 if hurry else 6)
        await settle_down(scene, hurry=hurry)
        return await conclude(scene)


_d = webhook_deliveries.c
_now = sa.bindparam("now", type_=Instant())
_is_free = sa.or_(_d.leased_until.is_(None), _d.leased_until <= _now)
_waits = (_d.next_attempt_at > _now, _is_free)
_LAST_ATTEMPT = Statement(
    sa.update(webhook_deliveries)
    .where(_is_free, _d.attempts < len(SCHEDULE), _d.next_attempt_at.is_not(None))
    .where(_d.endpoint_id == sa.bindparam("endpoint", type_=_d.endpoint_id.type))
    .values(attempts=len(SCHEDULE), next_attempt_at=_now)
)
_DUE_NOW = Statement(sa.update(webhook_deliveries).where(*_waits).values(next_attempt_at=_now))
_END_LEASES = Statement(
    sa.update(webhook_deliveries)
    .where(_d.next_attempt_at.is_not(None), _d.leased_until < sa.bindparam("until", type_=Instant()))
    .values(leased_until=None)
)
_UNFANNED = Statement(sa.select(sa.func.count()).where(events.c.fanned_out_at.is_(None)))
_PENDING = Statement(sa.select(sa.func.count()).where(_d.next_attempt_at.is_not(None)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="at least so many on each")
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--hurry", action="store_true", help="don't wait for the leases of the killed")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    faults = 0
    for kind in options.on or KINDS:
        with tempfile.TemporaryDirectory(prefix="airside-faults-") as name:
            findings = asyncio.run(
                run_all(kind, Path(name), options.kills, options.seed, hurry=options.hurry)
            )
        print(f"{kind}, seed {options.seed}: {findings}", flush=True)
        faults += len(findings.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
