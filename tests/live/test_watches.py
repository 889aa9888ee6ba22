"""Announced changes reach the watches of this process, and of others that share the database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from airside.db.open import open_database
from airside.events.outbox import NewEvent, topics_of
from airside.live.tables import live_topics
from airside.live.topics import WATCHED
from airside.runtime.site import Site
from airside.workspaces.members import add_member
from airside.workspaces.roles import GUEST
from tests.cast import make_cast
from tests.support.clocks import FrozenClock

SECONDS = 20.0  # far more than it takes, on a busy machine too
TOPIC, OTHER = "deliveries:one", "deliveries:two"


@pytest.fixture
async def elsewhere(site: Site) -> AsyncIterator[Site]:
    """Another process's site on the same database."""
    other = Site(site.settings, await open_database(site.db.url), site.sealer, site.clock)
    yield other
    await other.close()


@pytest.fixture(autouse=True)
async def ended(site: Site) -> AsyncIterator[None]:
    yield
    site.live.close()


async def test_an_announcement_reaches_those_who_watch_its_topic(site: Site) -> None:
    now = site.clock.now()
    async with site.live.watch([TOPIC], now) as watch, site.live.watch([OTHER], now) as other:
        await watch.wait(
            SECONDS
        )  # earlier changes aren't known, so the first watch of a topic reports it once
        await other.wait(SECONDS)
        site.wakeups.announce(TOPIC)
        site.wakeups.announce(TOPIC)
        assert await watch.wait(SECONDS) == [TOPIC]
        assert await watch.wait(0.01) == []
        assert await other.wait(0.01) == []


async def test_it_reaches_those_who_watch_in_another_process(site: Site, elsewhere: Site) -> None:
    async with elsewhere.live.watch([TOPIC, OTHER], None) as watch:
        assert await watch.wait(SECONDS) == [TOPIC, OTHER]
        site.wakeups.announce(TOPIC)
        assert await watch.wait(SECONDS) == [TOPIC]
        site.wakeups.announce(OTHER)
        assert await watch.wait(SECONDS) == [OTHER]


async def test_each_of_many_watches_is_notified_whichever_process_changes_it(
    site: Site, elsewhere: Site
) -> None:
    topics = [f"work_item:{number}" for number in range(200)]
    async with elsewhere.live.watch(topics, None) as watch:
        assert len(await watch.wait(SECONDS)) == len(topics)
        for number, topic in enumerate(topics):
            (site if number % 2 else elsewhere).wakeups.announce(topic)
            await asyncio.sleep(0)
        received: set[str] = set()
        async with asyncio.timeout(SECONDS):
            while len(received) < len(topics):
                received |= set(await watch.wait(SECONDS))


async def test_changes_between_the_page_and_its_stream_are_sent(
    site: Site, elsewhere: Site, clock: FrozenClock
) -> None:
    async with elsewhere.live.watch([TOPIC], None) as first:
        await first.wait(SECONDS)
        clock.advance(minutes=1)
        made = clock.now()
        async with site.live.watch([TOPIC], made) as watch:
            assert await watch.wait(0.01) == []  # it was watched, and nothing happened
        clock.advance(seconds=1)
        elsewhere.wakeups.announce(TOPIC)
        assert await first.wait(SECONDS) == [TOPIC]
        await elsewhere.live.flush()
        async with site.live.watch([TOPIC], made) as watch:
            assert await watch.wait(SECONDS) == [TOPIC]


async def test_what_was_watched_with_a_gap_counts_as_changed(site: Site, clock: FrozenClock) -> None:
    async with site.live.watch([TOPIC], None):
        pass
    clock.advance(seconds=WATCHED.total_seconds() * 2)
    async with site.live.watch([TOPIC], clock.now() - timedelta(seconds=1)) as watch:
        assert await watch.wait(SECONDS) == [TOPIC]


async def test_what_nobody_watches_is_not_written_down(site: Site, clock: FrozenClock) -> None:
    site.wakeups.announce(TOPIC)
    await site.live.flush()
    assert await site.db.find(live_topics, topic=TOPIC) is None
    async with site.live.watch([TOPIC], None):
        pass
    clock.advance(seconds=WATCHED.total_seconds() + 1)
    site.wakeups.announce(TOPIC)
    await site.live.flush()
    row = await site.db.find(live_topics, topic=TOPIC)
    assert row is not None
    assert row["version"] == 1


async def test_closing_ends_every_watch(site: Site) -> None:
    async with site.live.watch([TOPIC], None) as watch:
        await watch.wait(SECONDS)
        site.live.close()
        assert await watch.wait(SECONDS) == []
        assert watch.is_over
    async with site.live.watch([TOPIC], None) as late:
        assert late.is_over


async def test_a_commit_announces_what_its_event_is_about(site: Site) -> None:
    cast = await make_cast(site)
    async with site.live.watch([f"workspace:{cast.acme['id']}"], None) as watch:
        await watch.wait(SECONDS)
        await add_member(site, cast.acme["id"], cast.zoe["id"], GUEST, by_user_id=cast.ana["id"])
        assert await watch.wait(SECONDS) == [f"workspace:{cast.acme['id']}"]


@pytest.mark.parametrize(
    ("name", "fields", "changed"),
    [
        ("workitem.updated", {"data_v2": {"name": "Wing"}}, ["entity"]),
        (
            "workitem.updated",
            {"data_v2": {"parent_id": "new"}, "previous": {"parent_id": "old"}},
            ["entity", "new", "old"],
        ),
        ("workitem.comment.created", {"data_v2": {"issue_id": "wing"}}, ["wing"]),
        ("workitem.worklog.updated", {"data_v2": {"work_item_id": "wing"}}, ["wing"]),
        ("workitem.comment.deleted", {"previous": {"issue_id": "wing"}}, ["wing"]),
        (
            "workitem.relation.created",
            {"data_v2": {"issue_id": "wing", "related_issue_id": "tail"}},
            ["wing", "tail"],
        ),
        (
            "workitem.dependency.deleted",
            {"previous": {"issue_id": "wing", "related_issue_id": "tail"}},
            ["wing", "tail"],
        ),
        ("cycle.workitem.created", {"data_v2": {"issue_id": "wing"}}, ["wing"]),
        ("module.workitem.deleted", {"previous": {"issue_id": "wing"}}, ["wing"]),
        ("intake.workitem.updated", {"data_v2": {"issue_id": "wing"}}, ["wing"]),
        ("page.updated", {"data_v2": {"parent_id": "book"}}, []),
    ],
)
def test_whatever_hangs_on_a_work_item_changes_the_work_item(
    clock: FrozenClock, name: str, fields: dict[str, dict[str, str]], changed: list[str]
) -> None:
    event = NewEvent(
        workspace_id="acme", project_id="apollo", name=name, entity_id="entity", actor_id=None,
        at=clock.now(), data={"id": "entity"}, **fields,
    )  # fmt: skip
    topics = [f"work_item:{one}" for one in changed]
    assert topics_of(event) == ["workspace:acme", "project:apollo", *topics]
