"""The first start makes its workspace and admin once, whatever comes between."""

import asyncio
import re

import pytest

from airside.cli import first_start
from airside.cli.first_start import EMAIL, SLUG, make_sandbox
from airside.identity.passwords import is_password
from airside.identity.users import create_user, find_user_by_email
from airside.runtime.site import Site
from airside.workspaces.find import find_workspace, list_workspaces_of
from tests.support.clocks import FrozenClock


async def is_password_of_admin(site: Site, output: str) -> bool:
    admin = await find_user_by_email(site.db, EMAIL)
    shown = re.search(r"Password\s+(\S+)", output)
    assert admin is not None
    assert shown is not None
    return await is_password(shown[1], admin["password_hash"])


async def test_it_is_made_once(site: Site) -> None:
    output = await make_sandbox(site)
    assert output is not None
    assert await is_password_of_admin(site, output)
    assert await make_sandbox(site) is None
    workspace = await find_workspace(site.db, SLUG)
    assert workspace is not None


async def test_an_instance_with_people_is_left_alone(site: Site) -> None:
    await create_user(site, email="ana@example.com", password="a long password")
    assert await make_sandbox(site) is None
    assert await find_user_by_email(site.db, EMAIL) is None


async def test_a_first_start_that_stopped_half_way_is_finished_by_the_next(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop_there(*_: object, **__: object) -> None:
        raise RuntimeError("the power failed")

    with monkeypatch.context() as patch:
        patch.setattr(first_start, "create_workspace", stop_there)
        with pytest.raises(RuntimeError):
            await make_sandbox(site)
    clock.advance(minutes=1)
    output = await make_sandbox(site)
    assert output is not None
    assert await is_password_of_admin(site, output)
    admin = await find_user_by_email(site.db, EMAIL)
    assert admin is not None
    assert [workspace["slug"] for workspace in await list_workspaces_of(site.db, admin["id"])] == [SLUG]


async def test_of_servers_that_start_at_once_one_prints_a_password_that_works(site: Site) -> None:
    output = [one for one in await asyncio.gather(*(make_sandbox(site) for _ in range(4))) if one is not None]
    assert len(output) == 1
    assert await is_password_of_admin(site, output[0])
