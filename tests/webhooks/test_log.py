"""The delivery log, which also shows the events that weren't sent because the app's own bot caused them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from airside.db.base import Id, Instant, Row, first_id_at, new_id
from airside.db.statements import Statement
from airside.events.tables import events
from airside.runtime.site import Site
from airside.webhooks import log
from airside.webhooks.deliveries import LAST_ID, Search, list_deliveries
from airside.webhooks.endpoints import end_endpoint
from airside.webhooks.fanout import fan_out
from airside.webhooks.log import LEFT_OUT, MAX_SCANNED, read_log
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.tables import webhook_endpoints
from tests.support.clocks import FrozenClock
from tests.support.effort import effort, record_growth
from tests.webhooks.scenes import WORKSPACE, happen, listen

BOT = new_id()
URL = "http://127.0.0.1:1/"


async def endpoint_of(site: Site, **kw: Any) -> Row:
    endpoint_id = await listen(site, URL, **{"ignored_actor_id": BOT, "version": "v2", **kw})
    found = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint_id)
    assert found is not None
    return found


async def left_out(site: Site, endpoints: list[Row], **search: Any) -> list[str]:
    page = await read_log(site.db, endpoints, search=Search(**search))
    return [row["event_id"] for row in page.entries if row["state"] == LEFT_OUT]


async def fan_all_out(site: Site) -> None:
    while await fan_out(site, DatabaseQueue(site)):
        pass


async def test_mixed_entries_are_paged_through_in_order_and_each_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = await endpoint_of(site, event_names=["workitem.created", "state.created"])
    happened = []
    for number in range(40):
        actor = {"actor_id": BOT} if number % 3 else {}
        name = "label.created" if number % 5 == 0 else "workitem.created"
        happened.append((await happen(site, name, **actor), number))
        await fan_all_out(site)
    wanted = [event_id for event_id, number in happened if number % 5]
    everything = await read_log(site.db, [endpoint])
    assert [row["event_id"] for row in everything.entries] == wanted[::-1]
    assert everything.following is None
    states = {row["event_id"]: row["state"] for row in everything.entries}
    assert states == {
        event_id: LEFT_OUT if number % 3 else "pending" for event_id, number in happened if number % 5
    }
    monkeypatch.setattr(log, "MAX_SCANNED", 4)
    monkeypatch.setattr(log, "_max_scanned", sa.literal_column("4"))
    monkeypatch.setattr(log, "_BY_BOTS", {name: log._by_bots(name) for name in ("sqlite", "postgresql")})
    for limit in (1, 3, 7, 50):
        read, before = list[str](), None
        while True:
            page = await read_log(site.db, [endpoint], limit=limit, before=before)
            assert len(page.entries) <= limit
            read += [row["event_id"] for row in page.entries]
            before = page.following
            if before is None:
                break
        assert read == wanted[::-1], limit


async def test_only_what_the_endpoint_would_have_been_sent_is_shown(site: Site, clock: FrozenClock) -> None:
    project_id = new_id()
    before = await happen(site, "state.created", actor_id=BOT)
    clock.advance(seconds=1)
    endpoint = await endpoint_of(
        site,
        event_names=["state.created", "label.created", "workitem.created"],
        readable_scopes=["projects.states:read"],
        project_ids=[project_id],
    )
    own = await happen(site, "state.created", actor_id=BOT, project_id=project_id)
    for case in (
        {"name": "label.created", "project_id": project_id},  # it has no scope for it
        {"name": "state.deleted", "project_id": project_id},  # not subscribed to
        {"name": "state.created", "project_id": new_id()},  # a project without access
        {"name": "state.created", "is_private": True},
        {"name": "state.created", "installation_id": new_id()},
        {"name": "state.created", "endpoint_id": new_id()},
        {"name": "state.created", "workspace_id": new_id()},
        {"name": "state.created", "actor_id": new_id()},
    ):
        await happen(site, **{"actor_id": BOT, **case})
    assert await left_out(site, [endpoint]) == [own]
    assert before not in await left_out(site, [endpoint])
    listener = await endpoint_of(site, listener_id=new_id())
    both = await left_out(site, [listener, endpoint])
    assert len(both) == len(set(both)), "once, however many listen for the app"
    assert own in both
    workspaces_own = await endpoint_of(site, ignored_actor_id=None)
    assert await left_out(site, [workspaces_own]) == []


async def test_av1_a_bot_that_did_much_and_many_that_listen_stall_nobody(site: Site) -> None:
    """A thousand events and the maximum of listeners, none of which subscribes to them."""
    chosen = {"event_names": ["state.deleted"]}
    first = await endpoint_of(site, **chosen)
    endpoints = [first | {"id": new_id(), "listener_id": new_id()} for _ in range(50)]
    await happen(site, "state.created", actor_id=BOT)
    [event] = await site.db.find_all(events)
    done = [event] * MAX_SCANNED
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert await log._match(done, log._by_ignored_actor([first, *endpoints])) == []
    task.cancel()
    assert turns >= MAX_SCANNED / 50


async def test_what_was_sent_nevertheless_or_after_the_end_is_not_left_out(
    site: Site, clock: FrozenClock
) -> None:
    endpoint = await endpoint_of(site, ignored_actor_id=None)
    sent = await happen(site, "state.created", actor_id=BOT)
    await fan_all_out(site)
    changes = {"ignored_actor_id": BOT, "is_active": False, "disabled_reason": "gone"}
    async with site.db.transaction() as tx:
        await tx.update(webhook_endpoints, changes, workspace_id=WORKSPACE, id=endpoint["id"])
    own = await happen(site, "state.created", actor_id=BOT)
    clock.advance(seconds=1)
    async with site.db.transaction() as tx:
        await end_endpoint(tx, WORKSPACE, endpoint["id"], clock.now())
    await happen(site, "state.created", actor_id=BOT)
    ended = await site.db.find(webhook_endpoints, workspace_id=WORKSPACE, id=endpoint["id"])
    assert ended is not None
    assert await left_out(site, [ended]) == [own]
    assert [row["event_id"] for row in await list_deliveries(site.db, [ended])] == [sent]


async def test_what_was_left_out_is_searched_for_as_deliveries_are(site: Site, clock: FrozenClock) -> None:
    endpoint = await endpoint_of(site)
    state_id = new_id()
    first = await happen(site, "state.created", actor_id=BOT, entity_id=state_id)
    sent = await happen(site, "state.created")
    clock.advance(seconds=3600)
    second = await happen(site, "workitem.created", actor_id=BOT)
    await fan_all_out(site)
    hour_ago = clock.now() - timedelta(minutes=30)
    for search, found in (
        ({}, [second, first]),
        ({"status": LEFT_OUT}, [second, first]),
        ({"status": "pending"}, []),
        ({"event": "state.created"}, [first]),
        ({"names": ["workitem.created"]}, [second]),
        ({"since": hour_ago}, [second]),
        ({"mentioned": state_id}, [first]),
        ({"mentioned": second}, [second]),
        ({"mentioned": new_id()}, []),
    ):
        assert await left_out(site, [endpoint], **search) == found, search
    only = await read_log(site.db, [endpoint], search=Search(status=LEFT_OUT))
    assert sent not in [row["event_id"] for row in only.entries]


async def test_the_log_of_one_record_is_paged_through_to_its_beginning(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, record = await endpoint_of(site), new_id()
    happened = []
    for number in range(20):
        actor = {"actor_id": BOT} if number % 3 else {}
        happened.append(await happen(site, "state.updated", entity_id=record, **actor))
        await happen(site, "state.updated", actor_id=BOT)
        await fan_all_out(site)
    monkeypatch.setattr(log, "MAX_SCANNED", 4)
    monkeypatch.setattr(log, "_max_scanned", sa.literal_column("4"))
    monkeypatch.setattr(log, "_MENTIONED", log._mentioned())
    for limit in (1, 3, 7, 50):
        read, before = list[str](), None
        while True:
            search = Search(mentioned=record)
            page = await read_log(site.db, [endpoint], limit=limit, before=before, search=search)
            read += [row["event_id"] for row in page.entries]
            before = page.following
            if before is None:
                break
        assert read == happened[::-1], limit


async def test_looking_at_one_record_costs_the_same_however_much_happened_to_it(site: Site) -> None:
    record = new_id()
    await pile_up(site, BOT, 2 * MAX_SCANNED, 1, record)

    async def measure() -> list[int]:
        return [
            await effort(site.db, log._MENTIONED, place=WORKSPACE, before=before, mentioned=record)
            for before in (LAST_ID, "00000000-0000-7000-8000-000000000500")
        ]

    few = await measure()
    await pile_up(site, BOT, 20_000, 10_000, record)
    await pile_up(site, BOT, 20_000, 40_000)
    many = await measure()
    assert all(after <= 2 * before + 50 for before, after in zip(few, many, strict=True)), (few, many)


async def test_an_open_log_is_updated_with_skipped_deliveries(site: Site) -> None:
    endpoint, received = await endpoint_of(site), list[str]()
    site.wakeups.subscribe(received.append)
    await happen(site, "state.created", actor_id=BOT)
    await fan_all_out(site)
    assert f"deliveries:{endpoint['id']}" in received


def test_a_bound_by_time_is_below_every_id_made_later() -> None:
    before = new_id()
    now = datetime.now(UTC)
    assert first_id_at(now + timedelta(milliseconds=2)) > before
    assert first_id_at(now) <= new_id()


async def pile_up(site: Site, actor_id: str, count: int, start: int, record: str | None = None) -> None:
    """So many events of theirs, made by the database, each about a record of its own unless one is named."""
    numbers = {
        "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM numbers "
        "WHERE n < {end}) SELECT n, printf('00000000-0000-7000-8000-%012x', n) AS id FROM numbers",
        "postgresql": "SELECT n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id "
        "FROM generate_series({start}, {end}) AS numbers(n)",
    }[site.db.dialect.name].format(start=start, end=start + count - 1)
    made = sa.text(numbers).columns(sa.column("n", sa.Integer), sa.column("id", Id)).subquery("made")
    empty = sa.literal_column("'{}'")
    row: dict[str, Any] = {
        "workspace_id": sa.bindparam("in_workspace", type_=Id()),
        "id": made.c.id,
        "name": sa.literal_column("'state.created'"),
        "entity_id": made.c.id if record is None else sa.bindparam("record", type_=Id()),
        "sequence": sa.literal_column("1"),
        "actor_id": sa.bindparam("actor", type_=Id()),
        **dict.fromkeys(("data", "data_v2", "previous"), empty),
        "changes": sa.literal_column("'[]'"),
        "is_private": sa.false(),
        "created_at": sa.bindparam("now", type_=Instant()),
        "fanned_out_at": sa.bindparam("now", type_=Instant()),
    }
    insert = sa.insert(events).from_select(list(row), sa.select(*row.values()))
    async with site.db.transaction() as tx:
        params = {"in_workspace": WORKSPACE, "actor": actor_id} | ({"record": record} if record else {})
        await tx.execute(Statement(insert), now=site.clock.now(), **params)
    await record_growth(site.db, "events")


async def test_looking_costs_the_same_however_much_happened(site: Site) -> None:
    endpoint = await endpoint_of(site, event_names=["label.created"])
    here = [WORKSPACE]
    by_bots = log._BY_BOTS[site.db.dialect.name]

    async def measure() -> tuple[int, int]:
        newest = await effort(
            site.db, by_bots, workspace_ids=here, endpoint_ids=[endpoint["id"]], before=LAST_ID
        )
        about = {"place": WORKSPACE, "before": LAST_ID}
        none = await effort(site.db, log._MENTIONED, mentioned=new_id(), **about)
        return newest, none + await effort(site.db, log._PLACE, workspace_ids=here, mentioned=new_id())

    await pile_up(site, BOT, MAX_SCANNED, 1)
    few = await measure()
    await pile_up(site, BOT, 20_000, 10_000)
    await pile_up(site, new_id(), 20_000, 40_000)
    many = await measure()
    assert many[0] <= 2 * few[0] + 50, (
        "a few pages more where the index is deeper; all of them would be hundreds"
    )
    assert many[1] <= 2 * few[1] + 20
    page = await read_log(site.db, [endpoint])
    assert (page.entries, page.following is not None) == ([], True), "it goes on from where it was looked at"
