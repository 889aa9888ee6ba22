"""The stream that tells pages what has changed: who may listen, what they hear, and when it ends."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from airside.db.open import open_database
from airside.identity.sessions import end_session, start_session
from airside.oauth.token_revoker import register_token_revoker
from airside.portal.live import MAX_STREAMS_PER_PERSON
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from airside.workspaces.members import remove_member, set_member_role
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from airside.workspaces.webhooks import create_webhook, try_webhook
from tests.cast import Cast, make_cast
from tests.portal.visitor import signed_in, visiting
from tests.support.databases import sqlite_template
from tests.support.servers import Server, running_server

KEY = "0" * 64
SECONDS = 20.0  # far more than anything here takes
HOOK = {
    "title": "", "url": "http://127.0.0.1:9/hook", "version": "v2", "content_type": "application/json",
    "is_active": True, "event_names": ["project.created"], "filter_pql": "", "filter_json": None,
}  # fmt: skip


class EventStream:
    """A stream as a browser has it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""

    async def wait_for(self, start: str) -> str:
        """The rest of the next line that starts so."""
        async with asyncio.timeout(SECONDS):
            async for line in self._lines():
                if line.startswith(start):
                    return line.removeprefix(start)
        raise AssertionError(f"the stream ended before a line with {start!r}")

    async def wait_end(self) -> list[str]:
        """What else came before it ended."""
        async with asyncio.timeout(SECONDS):
            return [line async for line in self._lines()]

    async def _lines(self) -> AsyncIterator[str]:
        async for raw in self.answer.content:
            line = raw.decode().strip()
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            elif line:
                yield line


class Scene:
    """A server, and the test beside it as another process on its database."""

    def __init__(self, server: Server, site: Site, cast: Cast, webhook_id: str) -> None:
        self.server, self.site, self.cast = server, site, cast
        self.log = f"deliveries:{webhook_id}"
        self.webhook_id = webhook_id

    async def sign_in(self, name: str) -> str:
        return await start_session(self.site, getattr(self.cast, name)["id"])

    @asynccontextmanager
    async def listening(self, session: str, topics: str, **headers: str) -> AsyncIterator[EventStream]:
        url = f"{self.server.url}/acme/live/?{urlencode({'topics': topics})}"
        headers["Cookie"] = f"airside_session={session}"
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            assert answer.headers["Cache-Control"] == "no-store"
            received = EventStream(answer)
            await received.wait_for("event: open")
            yield received


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(sqlite_template(), data / "airside.db")
    settings = Settings(data=data, secret_key=KEY, webhook_allowed_hosts=["127.0.0.1"])
    site = Site(settings, await open_database(settings.database), Sealer(KEY))
    register_token_revoker(site)
    cast = await make_cast(site)
    made = await create_webhook(site, cast.acme["id"], cast.ana["id"], HOOK)
    with running_server(tmp_path, {"AIRSIDE_SECRET_KEY": KEY}) as server:
        yield Scene(server, site, cast, made.webhook["id"])
    await site.close()


async def test_a_delivery_updates_the_open_log(scene: Scene) -> None:
    session = await scene.sign_in("ana")
    async with scene.listening(session, scene.log) as received:
        assert await received.wait_for("data: ") == scene.log  # nobody knows what came before
        await try_webhook(
            scene.site, scene.cast.acme["id"], scene.webhook_id, scene.cast.ana["id"], "project.created"
        )
        assert await received.wait_for("data: ") == scene.log


async def test_a_returning_listener_receives_missed_events(scene: Scene) -> None:
    session, topic = await scene.sign_in("ben"), f"workspace:{scene.cast.acme['id']}"
    async with scene.listening(session, topic) as first:
        await first.wait_for("data: ")
    await set_member_role(
        scene.site, scene.cast.acme["id"], scene.cast.gil["id"], MEMBER, by_user_id=scene.cast.ana["id"]
    )
    async with scene.listening(session, topic, **{"Last-Event-ID": first.last_id}) as second:
        assert await second.wait_for("data: ") == topic


Ending = Callable[[Scene, str], Awaitable[object]]
ENDINGS: dict[str, Ending] = {
    "the session ends": lambda scene, session: end_session(scene.site, session),
    "the role is lost": lambda scene, _: set_member_role(
        scene.site, scene.cast.acme["id"], scene.cast.ben["id"], GUEST, by_user_id=scene.cast.ana["id"]
    ),
    "the membership ends": lambda scene, _: remove_member(
        scene.site, scene.cast.acme["id"], scene.cast.ben["id"], by_user_id=scene.cast.ana["id"]
    ),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
async def test_the_stream_ends_when(scene: Scene, ending: Ending) -> None:
    acme, ben = scene.cast.acme["id"], scene.cast.ben["id"]
    await set_member_role(scene.site, acme, ben, ADMIN, by_user_id=scene.cast.ana["id"])
    session = await scene.sign_in("ben")
    async with scene.listening(session, scene.log) as received:
        await ending(scene, session)
        assert "event: over" in await received.wait_end()


async def test_the_oldest_stream_of_a_person_makes_room_for_a_new_one(scene: Scene) -> None:
    session, topic = await scene.sign_in("ben"), f"workspace:{scene.cast.acme['id']}"
    async with AsyncExitStack() as stack:
        first, *others = [
            await stack.enter_async_context(scene.listening(session, topic))
            for _ in range(MAX_STREAMS_PER_PERSON + 1)
        ]
        assert "event: over" in await first.wait_end()
        for other in others:
            assert await other.wait_for("data: ") == topic


async def test_a_server_that_stops_ends_its_streams_by_itself(scene: Scene) -> None:
    session = await scene.sign_in("ana")
    async with scene.listening(session, scene.log), scene.listening(session, scene.log) as received:
        status, _ = await asyncio.to_thread(scene.server.stop)
        assert status == 0
        await received.wait_end()  # which raises where the server had to break it off


async def test_only_admins_follow_deliveries_and_only_of_what_is_theirs(site: Site) -> None:
    cast = await make_cast(site)
    endpoint = cast.installation["webhook_id"]
    denied = {
        "ben": [f"deliveries:{endpoint}"],
        "gil": [f"deliveries:{endpoint}"],
        "ana": [f"deliveries:{cast.acme['id']}", f"workspace:{cast.other['id']}"],
    }
    for name, topics in denied.items():
        async with signed_in(site, name) as person:
            for topic in topics:
                query = urlencode({"topics": f"workspace:{cast.acme['id']} {topic}"})
                assert (await person.get(f"/acme/live/?{query}")).status == 404, (name, topic)


async def test_topics_that_make_no_sense_are_refused(site: Site) -> None:
    cast = await make_cast(site)
    here = f"workspace:{cast.acme['id']}"
    async with signed_in(site, "ana") as ana:
        for topics in ("", "workspace", "workspace:", "workspace:nowhere", f"{here} nothing:1", f"x{here}",
                       " ".join([here] * 51), f"work_item:{cast.acme['id']}", f"project:{cast.acme['id']}",
                       "\x00", "workspace:\ud800".encode("utf-8", "replace").decode()):  # fmt: skip
            answer = await ana.get(f"/acme/live/?{urlencode({'topics': topics})}")
            assert answer.status == 404, topics
    async with signed_in(site, "zoe") as zoe:
        assert (await zoe.get(f"/acme/live/?{urlencode({'topics': here})}")).status == 404
    async with visiting(site) as stranger:
        assert (await stranger.get("/acme/live/", **{"HX-Request": "true"})).status == 401
