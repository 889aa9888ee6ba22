"""The catalogue has every event that Plane documents, and the outbox accepts only the catalogue's events."""

import re
from typing import Any

import pytest

from airside.db.base import new_id
from airside.db.database import Database
from airside.events.catalog import get_kind, list_kinds
from airside.events.outbox import FAN_OUT, NewEvent, record_event
from airside.events.tables import events
from airside.runtime.site import Site

PLANES = {
    "project": "created updated archived deleted",
    "cycle": "created updated archived deleted",
    "module": "created updated archived deleted",
    "milestone": "created updated deleted",
    "page": "created updated archived deleted",
    "page.comment": "created updated deleted",
    "workitem": "created updated archived deleted",
    "workitem.comment": "created updated deleted",
    "workitem.link": "created updated deleted",
    "workitem.vote": "created deleted",
    "workitem.attachment": "created updated deleted",
    "workitem.relation": "created deleted",
    "workitem.dependency": "created deleted",
    "workitem.page_link": "created deleted",
}


def test_the_43_events_of_plane_are_marked_as_its_own() -> None:
    documented = {f"{entity}.{action}" for entity, actions in PLANES.items() for action in actions.split()}
    assert len(documented) == 43
    assert {kind.name for kind in list_kinds().values() if kind.defined_by_plane} == documented


def test_v1_says_them_in_its_own_words() -> None:
    assert get_kind("workitem.comment.updated")[1:3] == ("issue_comment", "updated")
    assert get_kind("project.deleted")[1:3] == ("project", "deleted")
    assert get_kind("workitem.archived")[1:3] == ("issue", "updated"), "v1 has no word for archiving"


def test_v1_knows_three_actions_and_snake_words_only() -> None:
    for kind in list_kinds().values():
        assert kind.v1_action in ("created", "updated", "deleted")
        assert re.fullmatch("[a-z_]+", kind.v1_event)


@pytest.mark.parametrize(
    "name",
    [
        "state.created",
        "label.deleted",
        "project.member.created",
        "workspace.member.updated",
        "workspace.updated",
    ],
)
def test_events_that_plane_does_not_have_are_sent_as_well(name: str) -> None:
    assert not get_kind(name).defined_by_plane


async def test_an_unknown_event_is_refused_at_once_and_rolls_its_change_back(
    site: Site, db: Database
) -> None:
    event = new_event(new_id(), site, name="workitem.exploded")
    with pytest.raises(ValueError, match=r"workitem\.exploded"):
        async with db.transaction() as tx:
            await record_event(tx, site.wakeups, event)
    assert await db.find_all(events) == []


async def test_listeners_are_woken_after_the_commit_and_never_for_what_was_taken_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(site.wakeups, "wake", woken.append)
    async with site.db.transaction() as tx:
        await record_event(tx, site.wakeups, new_event(new_id(), site))
        assert woken == []
    assert woken == [FAN_OUT]
    with pytest.raises(ZeroDivisionError):
        async with site.db.transaction() as tx:
            await record_event(tx, site.wakeups, new_event(new_id(), site))
            raise ZeroDivisionError
    assert (woken, len(await site.db.find_all(events))) == ([FAN_OUT], 1)


async def test_events_of_one_entity_are_numbered_and_keep_the_order_of_their_keys(
    site: Site, db: Database
) -> None:
    here, data = new_id(), {"zebra": 1, "id": "x", "apple": {"b": 65535.0, "a": None}}
    three = [new_event(here, site, entity_id=ENTITY, data=data) for _ in range(3)]
    for event in [*three, new_event(here, site), new_event(new_id(), site, entity_id=ENTITY)]:
        async with db.transaction() as tx:
            await record_event(tx, site.wakeups, event)
    rows = await db.find_all(events, workspace_id=here, entity_id=ENTITY)
    assert sorted(row["sequence"] for row in rows) == [1, 2, 3]
    assert repr(rows[0]["data"]) == repr(data)


def new_event(workspace_id: str, site: Site, **fields: Any) -> NewEvent:
    fields = {"name": "state.updated", "entity_id": new_id(), "data": {}} | fields
    return NewEvent(workspace_id=workspace_id, actor_id=None, at=site.clock.now(), **fields)


ENTITY = new_id()
