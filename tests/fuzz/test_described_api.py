"""Whatever the OpenAPI documents allow or forbid, no answer is a 5xx, and each is as the document describes it.

Schemathesis makes the cases: each bound and type of the description systematically, and others by chance. They
follow from a seed, which a failure names; FUZZ_SEED=7 makes other ones, and FUZZ_CASES=100000 more.
"""

# schemathesis' cases and operations are generic in what isn't said.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeArgument=false

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
import requests

from airside.api.served import APIS, Api
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from tests.contract.world import World, make_world
from tests.fuzz.operations import Operation, list_operations
from tests.fuzz.transport import session_of
from tests.support.databases import fresh_database

SEED = int(os.environ.get("FUZZ_SEED", "1"))
CASES = int(os.environ.get("FUZZ_CASES", "10400"))  # of all tests together
DRAWN = 6  # cases by chance of each operation
# The tables of the APIs, split so that the processes of the suite share them.
PARTS = [(api, part, parts) for api, parts in zip(APIS, (4, 1), strict=True) for part in range(parts)]
KINDS = ("sqlite", "postgres")


class Scene:
    """A database with a record of everything, and an event loop of its own, on which requests are answered."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.runner, self._stack = asyncio.Runner(), AsyncExitStack()
        self.world: World = self.runner.run(self._open(kind, folder))
        admin = self.world.admin
        self.session: requests.Session = session_of(
            admin.conductor.app,
            self.runner,
            admin._authorization or "",  # pyright: ignore[reportPrivateUsage]
        )

    async def _open(self, kind: str, folder: Path) -> World:
        db = await self._stack.enter_async_context(fresh_database(kind, folder))
        settings = Settings(  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
            data=folder, database_url=db.url, secret_key="0" * 64, api_rate_limit="1000000/minute"
        )
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())
        return await self._stack.enter_async_context(make_world(site))

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(request.param, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("api", "part", "parts"), PARTS, ids=[f"{api.wire.name}-{part}" for api, part, _ in PARTS]
)
def test_answers_are_as_described_and_none_is_a_server_error(
    scene: Scene, request: pytest.FixtureRequest, api: Api, part: int, parts: int
) -> None:
    random = Random(f"{SEED} {request.node.name}")
    every = list_operations(api, scene.world, scene.runner.run, scene.session, random)
    operations = list(every)[part::parts]
    send_cases(operations, CASES // (len(PARTS) * len(KINDS)))
    failed = {one.route.name: sorted(set(one.failures))[:3] for one in operations if one.failures}
    text = "\n".join(f"{name}: {words}" for name, found in failed.items() for words in found)
    assert not failed, f"FUZZ_SEED={SEED}: {len(failed)} operations answer wrongly\n{text}"
    sent = sum(one.statuses.total() for one in operations)
    assert sent >= CASES // (len(PARTS) * len(KINDS))
    reached = [one for one in operations if any(status < 400 for status in one.statuses)]
    assert len(reached) > len(operations) * 0.8, "most operations are never called with success"


def send_cases(operations: list[Operation], number: int) -> None:
    """About as many of each operation, more of those that have more where others have too few."""
    for one in operations:
        one.draw(DRAWN)
    left = number - sum(one.statuses.total() for one in operations)
    queues = sorted(((one, one.systematic()) for one in operations), key=lambda pair: len(pair[1]))
    for index, (one, cases) in enumerate(queues):
        share = max(0, -(-left // (len(queues) - index)))
        for case in cases[:share]:
            one.send(case)
        left -= min(share, len(cases))
