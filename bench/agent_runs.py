"""Many runs of agents at once, and how soon a page shows what an agent does: `python bench/agent_runs.py`.

Run it with the Python of .venv. 200 runs report 20 activities each, all at once, to one `airside serve`; meanwhile
a page follows one more run as a browser does: it hears that something changed, and fetches itself again.
"""

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import aiohttp

PASSWORD, ADMIN = "a long enough password", "ana@example.com"
EVERY_SECONDS = 0.5  # between two activities of the run that the page follows
AT_ONCE = 100  # connections


@dataclass
class Findings:
    """Seconds, and whatever wasn't as it should be."""

    posts: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    took: float = 0.0


class Airside:
    """A server of its own, with a workspace, an agent and work items."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.env = os.environ | {
            "AIRSIDE_DATA": str(folder),
            "AIRSIDE_API_RATE_LIMIT": "100000000/minute",
            "AIRSIDE_TOKEN_RATE_LIMIT": "100000000/minute",
            "AIRSIDE_AGENT_RUNS_PER_MINUTE": "1000000",
        }
        command = [sys.executable, "-m", "airside", "serve", "--port", str(port)]
        self.log = (folder / "serve.log").open("w")
        self.process = subprocess.Popen(command, env=self.env, stdout=self.log, stderr=self.log)

    def cli(self, *arguments: str, stdin: str = "") -> Any:
        command = [sys.executable, "-m", "airside", *arguments, "--json"]
        told = subprocess.run(command, env=self.env, input=stdin, capture_output=True, text=True, check=True)
        return json.loads(told.stdout)

    def set_up(self) -> tuple[dict[str, str], str]:
        """The app's credentials with its installation, and Ana's API key."""
        self.cli("migrate")
        self.cli("user", "create", ADMIN, "--name", "Ana Lind", "--password-stdin", stdin=PASSWORD)
        self.cli("workspace", "create", "acme", "--name", "Acme", "--owner", ADMIN)
        app = self.cli(
            *("app", "create", "--workspace", "acme", "--name", "Courier", "--mentionable"),
            *("--redirect-uri", "http://127.0.0.1:9/"),
        )
        installed = self.cli("app", "install", app["client_id"], "--workspace", "acme", "--as", ADMIN)
        return app | installed, self.cli("token", "create", "--user", ADMIN)["token"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


class Load:
    """The agent and a person, as clients."""

    def __init__(self, base: str, session: aiohttp.ClientSession, findings: Findings) -> None:
        self.base, self.session, self.findings = base, session, findings
        self.bot: dict[str, str] = {}
        self.ana: dict[str, str] = {}

    async def ask(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> Any:
        address = f"{self.base}/api/v1/workspaces/acme/{path}"
        async with self.session.request(method, address, headers=headers, **sent) as answer:
            if answer.status >= 300:
                self.findings.wrong.append(f"{answer.status} {path}: {(await answer.text())[:200]}")
                return {}
            return await answer.json()

    async def authorize(self, app: dict[str, str], key: str) -> None:
        form = {"grant_type": "client_credentials", "app_installation_id": app["app_installation_id"]}
        form |= {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        async with self.session.post(f"{self.base}/auth/o/token/", data=form) as answer:
            self.bot = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
        self.ana = {"X-API-Key": key}

    async def open_runs(self, runs: int) -> tuple[str, list[str]]:
        """The project's items, one of them watched alone, and a run on each in turn."""
        project = await self.ask("POST", "projects/", self.ana, json={"name": "Engine", "identifier": "ENG"})
        items = [
            (
                await self.ask(
                    "POST", f"projects/{project['id']}/work-items/", self.ana, json={"name": "Item"}
                )
            )["id"]
            for _ in range(21)
        ]
        bodies = [{"agent_slug": "courier", "issue": items[1 + number % 20]} for number in range(runs)]
        made = await asyncio.gather(*(self.ask("POST", "runs/", self.bot, json=body) for body in bodies))
        return items[0], [run["id"] for run in made if run]

    async def report(self, run_id: str, activities: int) -> None:
        """One run, from its first thought to its answer."""
        for number in range(activities):
            kind = "response" if number == activities - 1 else "thought"
            started = time.perf_counter()
            await self.say(run_id, kind, f"step {number}")
            self.findings.posts.append(time.perf_counter() - started)

    async def say(self, run_id: str, kind: str, body: str) -> None:
        sent = {"type": kind, "content": {"type": kind, "body": body}}
        await self.ask("POST", f"runs/{run_id}/activities/", self.bot, json=sent)

    async def check(self, run_id: str, activities: int) -> None:
        """Nothing is lost, and everything in its order."""
        listed = await self.ask("GET", f"runs/{run_id}/activities/?per_page=1000", self.bot)
        said = [one["content"]["body"] for one in listed.get("results", ())]
        if said != [f"step {number}" for number in range(activities)]:
            self.findings.wrong.append(f"run {run_id} tells {said}")
        run = await self.ask("GET", f"runs/{run_id}/", self.bot)
        if run.get("status") != "completed":
            self.findings.wrong.append(f"run {run_id} is {run.get('status')}")


class Page:
    """A work item's page that is open in a browser."""

    def __init__(self, base: str, item_id: str, findings: Findings) -> None:
        self._base, self._item_id, self._findings = base, item_id, findings
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self._sent: dict[str, float] = {}
        self.opened = asyncio.Event()

    async def sign_in(self) -> None:
        async with self._session.get(f"{self._base}/sign-in/") as page:
            token = re.search(r'name="csrf_token" value="([^"]+)"', await page.text())
        form = {"csrf_token": token[1] if token else "", "email": ADMIN, "password": PASSWORD}
        async with self._session.post(f"{self._base}/sign-in/", data=form):
            pass

    def expect(self, text: str) -> None:
        self._sent[text] = time.perf_counter()

    async def follow(self) -> None:
        """Until it is cancelled."""
        stream = f"{self._base}/acme/live/"
        asked = {"topics": f"work_item:{self._item_id}", "since": "2020-01-01T00:00:00Z"}
        async with self._session.get(stream, params=asked) as answer:
            async for line in answer.content:
                if line.startswith(b"event: open"):
                    self.opened.set()
                if line.startswith(b"data: work_item"):
                    await self._fetch()

    async def _fetch(self) -> None:
        async with self._session.get(f"{self._base}/acme/browse/ENG-1/") as answer:
            text = await answer.text()
        now = time.perf_counter()
        for said in [said for said in self._sent if f">{said}<" in text]:
            self._findings.shown.append(now - self._sent.pop(said))

    async def close(self) -> None:
        await self._session.close()
        if self._sent:
            self._findings.wrong.append(f"the page never showed {sorted(self._sent)}")


async def measure(airside: Airside, app: dict[str, str], key: str, runs: int, activities: int) -> Findings:
    findings = Findings()
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:
        load = Load(airside.url, session, findings)
        await load.authorize(app, key)
        watched, run_ids = await load.open_runs(runs)
        followed = (
            await load.ask("POST", "runs/", load.bot, json={"agent_slug": "courier", "issue": watched})
        )["id"]
        page = Page(airside.url, watched, findings)
        await page.sign_in()
        following = asyncio.create_task(page.follow())
        await asyncio.wait_for(page.opened.wait(), 20)
        started = time.perf_counter()
        talking = asyncio.create_task(talk(load, page, followed))
        await asyncio.gather(*(load.report(run_id, activities) for run_id in run_ids))
        findings.took = time.perf_counter() - started
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        await asyncio.sleep(2)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await page.close()
        for run_id in run_ids:
            await load.check(run_id, activities)
    return findings


async def talk(load: Load, page: Page, run_id: str) -> None:
    """The run that the page follows, on a connection of its own, as its agent's is."""
    async with aiohttp.ClientSession() as session:
        agent = Load(load.base, session, load.findings)
        agent.bot = load.bot
        for number in range(10_000):
            text = f"watched {number}"
            page.expect(text)
            await asyncio.shield(agent.say(run_id, "thought", text))
            await asyncio.sleep(EVERY_SECONDS)


def tell(name: str, seconds: list[float]) -> str:
    if len(seconds) < 2:
        return f"{name:<22} {len(seconds)} measured"
    cuts = quantiles(seconds, n=100, method="inclusive")
    return f"{name:<22} p50 {cuts[49] * 1000:6.0f} ms   p95 {cuts[94] * 1000:6.0f} ms   of {len(seconds)}"


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--activities", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        airside = Airside(Path(folder))
        try:
            app, key = airside.set_up()
            findings = asyncio.run(measure(airside, app, key, chosen.runs, chosen.activities))
        finally:
            airside.stop()
    count, took = chosen.runs * chosen.activities, findings.took
    print(f"{chosen.runs} runs of {chosen.activities} activities: {took:.1f} s, {count / took:.0f} a second")
    print(tell("activity stored", findings.posts))
    print(tell("activity to page", findings.shown))
    print("\n".join(findings.wrong[:20]) or "nothing lost, order kept")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
