"""Races and crashes of refreshing, against real servers: `python -m tests.faults.refresh --races 10000`.

The claim: a client that keeps the last refresh token it received, and retries when it got no response, always
ends with a working pair. However many of its processes refresh at once, and whenever the server is killed.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from airside.db.open import open_database
from airside.oauth.tables import refresh_tokens, token_families
from airside.system.credentials import hash_credential
from tests.journeys.conftest import REDIRECT_URI, Stage, set_stage
from tests.support.databases import database_url
from tests.support.servers import CommandFailed, Server, running_server

MOST_RACERS = 50
USUAL_RACERS = 16
LOSES_ANSWER = 0.1  # of the racers
NO_ANSWER = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass
class Findings:
    races: int = 0
    requests: int = 0
    dropped: int = 0
    kills: int = 0
    cut: int = 0  # refreshes that were committed while their answer died with the server
    redemptions: int = 0
    lost: list[str] = field(default_factory=list)  # each one a client that had to ask its person again

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in vars(self).items() if name != "lost")
        return f"{counts}, lost {len(self.lost)}" + "".join(f"\n  {one}" for one in self.lost[:20])


@dataclass
class Grid:
    """Some servers on one database, an app, and how its own processes call the token endpoint."""

    stage: Stage
    servers: list[Server]
    database: str
    http: aiohttp.ClientSession
    random: random.Random
    running: ExitStack
    findings: Findings = field(default_factory=Findings)

    def kill(self) -> None:
        """kill -9 of the first server."""
        self.servers[0].process.kill()
        self.servers[0].process.wait()
        self.findings.kills += 1

    def start_again(self) -> None:
        """The first server once more, on the same data and at the same address."""
        dead = self.servers[0]
        port = int(dead.url.rsplit(":", 1)[1])
        self.servers[0] = self.running.enter_context(running_server(dead.folder, dead.env, port))
        self.stage.instance = self.servers[0]

    async def token(self, **fields: str) -> tuple[int, Any]:
        self.findings.requests += 1
        who = {"client_id": self.stage.client_id, "client_secret": self.stage.client_secret}
        url = f"{self.random.choice(self.servers).url}/auth/o/token/"
        async with self.http.post(url, data={**who, **fields}) as answer:
            return answer.status, await answer.json()

    async def refresh(self, token: str) -> tuple[int, Any]:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def keep_asking(self, token: str) -> tuple[int, Any]:
        """Refresh; again while nobody answers, as long as the servers live."""
        while True:
            try:
                return await self.refresh(token)
            except NO_ANSWER as error:
                for server in self.servers:
                    if server.process.poll() is not None:
                        raise CommandFailed(server.process.returncode, server.log[-4000:]) from error
                await asyncio.sleep(0.05)

    async def redeem(self, code: str) -> tuple[int, Any]:
        return await self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)

    async def works(self, access_token: str) -> bool:
        url = f"{self.random.choice(self.servers).url}/auth/o/app-installation/"
        async with self.http.get(url, headers={"Authorization": f"Bearer {access_token}"}) as answer:
            return answer.status == 200

    async def sign_ins(self, count: int) -> list[Any]:
        """So many token families, each of a consent of its own."""
        return [(await self.redeem(code))[1] for code in await self.codes(count)]

    async def codes(self, count: int) -> list[str]:
        return await asyncio.to_thread(self._codes, count)

    def _codes(self, count: int) -> list[str]:
        ana = self.stage.ana
        return [ana.consent(self.stage.authorize_url(), "acme")["code"] for _ in range(count)]


@asynccontextmanager
async def grid(kind: str, folder: Path, servers: int, seed: int = 0) -> AsyncIterator[Grid]:
    """`servers` processes on one fresh database of this kind."""
    async with database_url(kind, folder) as url:
        env = {"AIRSIDE_DATA": str(folder / "data"), "AIRSIDE_DATABASE_URL": url}
        with ExitStack() as running:
            started = [
                running.enter_context(running_server(made(folder / f"server{number}"), env))
                for number in range(servers)
            ]
            stage = await asyncio.to_thread(set_stage, started[0])
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as http:
                yield Grid(stage, started, url, http, random.Random(seed), running)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def run_races(grid: Grid, races: int, families: int) -> None:
    """Chains of races, several at once: what one race ends with is what the next is about."""
    pairs = await grid.sign_ins(families)
    shares = [races // families + (number < races % families) for number in range(families)]
    await asyncio.gather(*(run_chain(grid, pair, share) for pair, share in zip(pairs, shares, strict=True)))


async def run_chain(grid: Grid, pair: Any, races: int) -> None:
    for number in range(races):
        racers = MOST_RACERS if number % 50 == 0 else grid.random.randint(2, USUAL_RACERS)
        pair = await race(grid, pair, racers)
        if pair is None:
            return


async def race(grid: Grid, pair: Any, racers: int) -> Any:
    """All of them refresh the same token at once; the pair that they agree on, None when there is none."""
    grid.findings.races += 1
    answers_of_all = await asyncio.gather(
        *(run_racer(grid, pair["refresh_token"], first=not n) for n in range(racers))
    )
    answers = [answer for answer in answers_of_all if answer is not None]
    wrong = [f"{status} {body}" for status, body in answers if status != 200]
    successors = {(body["refresh_token"], body["access_token"]) for status, body in answers if status == 200}
    if wrong or len(successors) != 1:
        told_why = await explain(grid, pair["refresh_token"])
        grid.findings.lost.append(
            f"of {racers} racers {len(wrong)} were refused ({wrong[:1]}), {len(successors)} successors: {told_why}"
        )
        return None
    if not await grid.works(answers[0][1]["access_token"]):
        grid.findings.lost.append("the new access token doesn't work")
        return None
    return answers[0][1]


async def run_racer(grid: Grid, token: str, *, first: bool) -> tuple[int, Any] | None:
    """None: the answer got lost on its way. The first one's never does, so that every race has an outcome.

    A request that its sender gave up before the server took it is not among the faults: it may arrive when the
    others have refreshed twice, and a token that old ends the family on purpose (RFC 9700 §4.14.2)."""
    await asyncio.sleep(grid.random.random() * 0.005)
    answer = await grid.keep_asking(token)
    if first or grid.random.random() > LOSES_ANSWER:
        return answer
    grid.findings.dropped += 1
    return None


class CrashClient:
    """An app that refreshes without pause, until it gets no answer."""

    def __init__(self, grid: Grid, pair: Any) -> None:
        self._grid = grid
        self.pair = pair

    async def run(self) -> None:
        with suppress(*NO_ANSWER):
            while self.pair is not None:
                status, body = await self._grid.refresh(self.pair["refresh_token"])
                self.note(status, body)

    def note(self, status: int, body: Any) -> None:
        if status != 200:
            self._grid.findings.lost.append(f"refused: {status} {body}")
        self.pair = body if status == 200 else None

    async def go_on(self) -> None:
        """Three of its processes start from what it last knew, at once."""
        if self.pair is not None:
            self.pair = await race(self._grid, self.pair, 3)


async def run_crashes(grid: Grid, kills: int, clients: int) -> None:
    """kill -9 at a random moment under load, start again, and every client goes on."""
    working = [CrashClient(grid, pair) for pair in await grid.sign_ins(clients)]
    for _ in range(kills):
        running = [asyncio.create_task(client.run()) for client in working]
        await asyncio.sleep(0.05 + grid.random.random() * 0.3)
        grid.kill()
        await asyncio.gather(*running)
        grid.findings.cut += await count_cut(grid, working)
        await asyncio.to_thread(grid.start_again)
        await asyncio.gather(*(client.go_on() for client in working))


async def run_redemptions(grid: Grid, codes: int, racers: int = MOST_RACERS) -> None:
    """All of them redeem the same code at once: one gets a pair."""
    for code in await grid.codes(codes):
        answers_of_all = await asyncio.gather(*(grid.redeem(code) for _ in range(racers)))
        grid.findings.redemptions += 1
        refused = [body["error"] for status, body in answers_of_all if status != 200]
        if refused != ["invalid_grant"] * (racers - 1):
            grid.findings.lost.append(f"a code was redeemed {racers - len(refused)} times; {set(refused)}")


async def explain(grid: Grid, token: str) -> str:
    """What the database knows of a refresh token that was refused."""
    db = await open_database(grid.database)
    try:
        row = await db.find(refresh_tokens, token_hash=hash_credential(token))
        family = await db.find(token_families, id=row["family_id"]) if row else None
    finally:
        await db.close()
    if row is None or family is None:
        return "it isn't stored"
    return f"used {row['rotated_at']}, family ended {family['revoked_at']} ({family['revoked_reason']})"


async def count_cut(grid: Grid, clients: list[CrashClient]) -> int:
    """How many clients hold a refresh token whose use is in the database although they never saw the answer."""
    db = await open_database(grid.database)
    try:
        rows = [
            await db.find(refresh_tokens, token_hash=hash_credential(client.pair["refresh_token"]))
            for client in clients
        ]
    finally:
        await db.close()
    return sum(row is not None and row["rotated_at"] is not None for row in rows)


async def run_all(kind: str, folder: Path, races: int, kills: int, codes: int, seed: int) -> Findings:
    async with grid(kind, made(folder / "races"), servers=2, seed=seed) as raced:
        await run_races(raced, races, families=8)
        await run_redemptions(raced, codes)
    async with grid(kind, made(folder / "crashes"), servers=1, seed=seed) as crashed:
        crashed.findings = raced.findings
        await run_crashes(crashed, kills, clients=16)
    return raced.findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--codes", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    lost = 0
    for kind in options.database or ["sqlite", "postgres"]:
        with tempfile.TemporaryDirectory(prefix="airside-faults-") as name:
            how_many = (options.races, options.kills, options.codes)
            findings = asyncio.run(run_all(kind, Path(name), *how_many, options.seed))
        print(f"{kind}, seed {options.seed}: {findings}", flush=True)
        lost += len(findings.lost)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
