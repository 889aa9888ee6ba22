"""The stand-in as a process of its own: killed and started again, and its files at an address of their own."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.support.upstream.people import People
from tests.support.upstream.process import upstream_process


async def test_it_has_everything_it_answered_after_a_kill(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        upstream = stack.enter_context(upstream_process(tmp_path))
        client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        people = People(client, upstream.url)
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
        ben = await people.join("ben@acme.test", ana, "acme")
        upstream.kill()
        with pytest.raises(aiohttp.ClientError):
            await ben.get("/api/users/me/")
        upstream.start()
        assert (await ben.get("/api/users/me/"))["email"] == "ben@acme.test"
        assert (await ben.get("/api/v1/users/me/"))["email"] == "ben@acme.test"
        assert len(await ana.get("/api/v1/workspaces/acme/members/")) >= 2
        assert upstream.stop() == 0
