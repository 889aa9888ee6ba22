"""A process that is killed at any request of an install leaves nothing that isn't taken up or undone."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from airside.db.base import Row
from airside.gateway.leftovers import finish_accounts
from tests.gateway.installs.stage import Front
from tests.support.programs import ROOT

REQUESTS = 40  # more than an install has


@asynccontextmanager
async def dying_processes() -> AsyncGenerator[Process]:
    command = (sys.executable, "-m", "tests.gateway.installs.dying")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    yield process
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def die(process: Process, front: Front, app: Row, project_id: str, requests: int) -> bool:
    """Whether the install was killed; else it had fewer requests."""
    assert process.stdin is not None
    assert process.stdout is not None
    order = {
        "die_after": requests,
        "upstream": front.upstream.url,
        "database": front.site.db.url,
        "data": str(front.site.settings.data),
        "now": front.clock.now().isoformat(),
        "app": {name: app[name] for name in ("id", "name", "slug", "logo_url")},
        "workspace_id": front.workspace_id,
        "by_user_id": front.ana_id,
        "project_ids": [project_id],
        "cookies": front.ana.cookies,
    }
    process.stdin.write(json.dumps(order).encode() + b"\n")
    ended = int(await process.stdout.readline())
    assert ended in (0, -signal.SIGKILL)
    return ended != 0


def pass_time(front: Front, **delta: float) -> None:
    front.clock.advance(**delta)
    front.upstream.site.clock.set(front.clock.now())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
async def test_an_install_killed_at_any_request_is_taken_up_or_undone(front: Front) -> None:
    """By turns: by the next consent, and by the job."""
    requests = 0
    project_id = await front.make_project("Mobile")
    await front.install(await front.make_app("Triage"))
    async with dying_processes() as process:
        for requests in range(1, REQUESTS):
            app = await front.make_app(f"Number {requests}")
            was_killed = await die(process, front, app, project_id, requests)
            if requests % 2:
                await check_taken_up(front, app, project_id, f"number-{requests}")
            else:
                await check_undone(front, f"number-{requests}")
            if not was_killed:
                break
    assert 15 < requests < REQUESTS - 1
    pass_time(front, minutes=10)
    assert [key for key in front.keys_there(front.ana_id) if not is_expired(front, key)][1:] == []


async def check_taken_up(front: Front, app: Row, project_id: str, name: str) -> None:
    pass_time(front, seconds=100)
    await front.install(app, [project_id])
    (there,) = front.users_there(name)
    assert len(front.keys_there(there["id"])) == 1, name
    assert front.is_member_there(there["id"]), name
    assert front.projects_there(there["id"]) == {project_id}, name


async def check_undone(front: Front, name: str) -> None:
    pass_time(front, minutes=20)
    await finish_accounts(front.site)
    for there in front.users_there(name):
        assert front.keys_there(there["id"]) == [], name
        assert not front.is_member_there(there["id"]), name
    assert front.invitations_there() == [], name


@pytest.mark.timeout(600)
@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
async def test_the_gateways_own_account_is_taken_up_too(front: Front) -> None:
    """Killed in the first install of a workspace, again and again: one account more of its steps each time."""
    project_id = await front.make_project("Mobile")
    app = await front.make_app()
    async with dying_processes() as process:
        for requests in (4, 5, 7, 8, 11, 14, 16, 18, 20):
            await die(process, front, app, project_id, requests)
            pass_time(front, seconds=100)
    await front.install(app, [project_id])
    for name in ("airside", "courier"):
        (there,) = front.users_there(name)
        assert len(front.keys_there(there["id"])) == 1


def is_expired(front: Front, key: Row) -> bool:
    return key["expired_at"] is not None and key["expired_at"] <= front.clock.now()
