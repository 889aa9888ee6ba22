"""Runs the tests of Plane's official SDKs, unmodified, against a server of their own, and says why they fail.

    python -m tests.sdk_suites --python ../plane-python-sdk --node ../plane-node-sdk

Each path is a checkout of the SDK; see docs/how-to/try-the-sdks-own-tests.md. Status 1: Airside answered something
wrong."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sdk_suites.classes import Court, Kind, Served, Verdict, count_families
from tests.sdk_suites.recorder import MARK, Recording, recording
from tests.sdk_suites.workplace import Workplace, make_workplace
from tests.support.databases import database_url
from tests.support.servers import free_port, running_server

ROOT = Path(__file__).parents[2]
HOOKS = Path(__file__).parent / "hooks"
KEPT = ROOT / ".sdk-suites"
LOOK_AT = (Kind.WRONG, Kind.UNASKED, Kind.OWN_FAULT, Kind.SKIPPED)  # listed one by one
RAN = (0, 1)  # exit codes of pytest and Jest: all passed, some failed


@dataclass
class Suite:
    """A checkout, where its runner writes to, and what is recorded of it."""

    checkout: Path
    log: Path
    env: dict[str, str]
    kept: Recording

    def run(self, command: list[str], **env: str) -> None:
        """One run of the suite's own runner. SystemExit when it couldn't run the tests."""
        with self.log.open("a") as log:
            done = subprocess.run(
                command, cwd=self.checkout, env=self.env | env, stdout=log, stderr=log, check=False
            )
        if done.returncode not in RAN:
            sys.exit(f"The tests of {self.checkout} could not be run; see {self.log}")


def run_python(suite: Suite, workplace: Workplace) -> None:
    agents = "tests/unit/test_agent_runs.py"
    env = {**workplace.for_python, "PYTHONPATH": str(HOOKS), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "sdk_marks", "-p", "no:cacheprovider"]
    suite.run([*command, "tests/unit", "--ignore", agents], **env, PLANE_API_KEY=workplace.api_key)
    # An agent reports on its runs with its bot's token.
    suite.run([*command, agents], **env, PLANE_ACCESS_TOKEN=workplace.bot_token)
    if not Path(suite.kept.package).is_relative_to(suite.checkout):
        sys.exit(f"The tests tried {suite.kept.package or 'nothing'} instead of the checkout.")


def run_node(suite: Suite, workplace: Workplace) -> None:
    agents = "tests/unit/agent-runs"
    jest = suite.checkout / "node_modules" / "jest" / "bin" / "jest.js"
    if not jest.exists():
        sys.exit(f"Install what its tests need first: pnpm install --frozen-lockfile in {suite.checkout}")
    with tempfile.TemporaryDirectory() as folder:
        ended = Path(folder) / "ended.json"
        command = [
            "node",
            str(jest),
            "--ci",
            "--cacheDirectory",
            folder,
            "--json",
            "--outputFile",
            str(ended),
        ]
        command += ["--testEnvironment", str(HOOKS / "marking_environment.cjs")]
        others = ["--testPathIgnorePatterns", agents]
        for only, key in ((others, workplace.api_key), ([agents], workplace.bot_token)):
            suite.run([*command, *only], **workplace.for_node, PLANE_API_KEY=key)
            files = json.loads(ended.read_text())["testResults"]
            if not all(file["assertionResults"] for file in files):
                sys.exit(f"Some files of tests could not be run; see {suite.log}")


RUNNERS: dict[str, Callable[[Suite, Workplace], None]] = {"python": run_python, "node": run_node}


@contextmanager
def recorded(checkout: Path, log: Path, url: str, port: int) -> Iterator[Suite]:
    with recording(port, url) as kept:
        through = f"http://127.0.0.1:{port}"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PLANE_", "TEST_"))
        }
        yield Suite(
            checkout, log, {**inherited, "PLANE_BASE_URL": through, "SDK_MARKS_URL": through + MARK}, kept
        )


async def try_sdk(sdk: str, checkout: Path, kind: str) -> list[Verdict]:
    """What became of each test of the SDK's suite, with a server and a database of its own."""
    log = KEPT / f"{sdk}-{kind}.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="airside-sdk-suites-") as name:
        async with database_url(kind, Path(name)) as database:
            port = free_port()
            env = {"AIRSIDE_DATABASE_URL": database, "AIRSIDE_BASE_URL": f"http://127.0.0.1:{port}"}
            with (
                running_server(Path(name), env) as server,
                recorded(checkout, log, server.url, port) as suite,
            ):
                RUNNERS[sdk](suite, make_workplace(server))
                routes = server.cli("routes")["routes"]
    served = Served((route["method"], route["path"]) for route in routes)
    return Court(suite.kept.exchanges, served).judge(suite.kept.results)


def report(sdk: str, kind: str, verdicts: list[Verdict]) -> None:
    tests = [one for one in verdicts if not one.result.of_cleanup]
    counts = Counter(one.kind for one in tests)
    print(f"\n{sdk} on {kind}: {len(tests)} tests")
    for one in Kind:
        print(f"  {counts[one]:4} {one}")
    for one in verdicts:
        if one.kind in LOOK_AT:
            print("\n" + describe(one))
    full = KEPT / f"{sdk}-{kind}.txt"
    full.write_text("\n".join(map(describe, verdicts)))
    print(f"\n  each test: {full}\n  its runner's words: {full.with_suffix('.log')}", flush=True)


def describe(verdict: Verdict) -> str:
    said = f"  {verdict.kind.name} {verdict.result.test}{' (cleanup)' * verdict.result.of_cleanup}"
    if verdict.cause:
        said += f"\n      {verdict.cause.operation} -> {verdict.cause.status} {verdict.cause.answer[:200]}"
    return said + "".join(f"\n      {line}" for line in verdict.result.error.splitlines()[:6])


def report_families(sdk: str, verdicts: list[Verdict]) -> None:
    print(f"\nNot served, by how many tests of {sdk} it holds up:")
    for family, count, asked in count_families(verdicts):
        print(f"  {count:4} {family}")
        for operation, times in sorted(asked.items()):
            print(f"         {times:4} {operation}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sdk_suites",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for sdk in RUNNERS:
        parser.add_argument(f"--{sdk}", type=Path, metavar="CHECKOUT")
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    options = parser.parse_args()
    checkouts = {sdk: getattr(options, sdk).resolve() for sdk in RUNNERS if getattr(options, sdk)}
    if not checkouts:
        parser.error("name a checkout")
    KEPT.mkdir(exist_ok=True)
    wrong = 0
    for sdk, checkout in checkouts.items():
        for kind in options.database or ["sqlite", "postgres"]:
            verdicts = asyncio.run(try_sdk(sdk, checkout, kind))
            report(sdk, kind, verdicts)
            wrong += sum(one.kind is Kind.WRONG for one in verdicts)
        report_families(sdk, verdicts)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
