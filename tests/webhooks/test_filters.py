"""A PQL filter on work items, evaluated on the data stored with the event."""

from datetime import date
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.errors import Invalid
from airside.runtime.site import Site
from airside.webhooks.filters import check_filter, is_filtered, passes_filter
from tests.support.receivers import Receiver
from tests.webhooks.scenes import happen, listen, work

ME, BUG, HERE, OTHER = (f"019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5{digit}" for digit in "abcd")
TODAY = date(2026, 1, 5)


def item(name: str = "workitem.updated", **fields: Any) -> Row:
    known = {
        "priority": "high", "project_id": HERE, "type_id": None, "assignee_ids": [ME], "label_ids": [BUG],
        "start_date": None, "target_date": "2026-01-07", "state_id": new_id(),
    }  # fmt: skip
    record = known | fields
    is_gone = name == "workitem.deleted"
    return {
        "id": new_id(),
        "name": name,
        "data": {"state": {"name": "Doing", "group": "started"}},
        "data_v2": {} if is_gone else record,
        "previous": record if is_gone else {},
    }


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("priority = high", True),
        ("priority IN [urgent, high]", True),
        ("priority != high", False),
        ("state_group = started", True),
        ("state_group in (completed, cancelled)", False),
        ("state_group IN openStates()", True),
        (f"assignee_id = {ME}", True),
        (f"assignee_id != {ME}", False),
        (f"label_id = {OTHER}", False),
        (f"label_id not in ({OTHER})", True),
        (f"project_id = {HERE} and priority = high", True),
        ("type_id is null", True),
        ("type_id is not null", False),
        (f"type_id != {OTHER}", True),
        ("start_date is empty", True),
        ("start_date < 2026-01-01", False),
        ("not start_date < 2026-01-01", True),
        ("target_date between 2026-01-01 and 2026-01-31", True),
        ("target_date > today()", True),
        ("target_date <= daysFromNow(1)", False),
        ("(priority = low or priority = high) and not state_group = backlog", True),
    ],
)
@pytest.mark.parametrize("name", ["workitem.updated", "workitem.deleted"])
def test_it_means_what_it_means_in_lists(text: str, passes: bool, name: str) -> None:
    assert passes_filter(check_filter(text), item(name), TODAY) is passes


@pytest.mark.parametrize(
    "text",
    [
        "name ~ wheel",
        "cycle = 1",
        "nonsense = 1",
        "isOverdue()",
        "assignee_id = currentUser()",
        "priority = huge",
        "priority =",
        "priority = high and created_at > today()",
        "not (title = x)",
    ],
)
def test_what_cannot_be_asked_of_an_event_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(Invalid):
        check_filter(text)


def test_only_work_items_themselves_are_filtered() -> None:
    assert is_filtered("workitem.archived")
    assert not is_filtered("workitem.comment.created")
    assert not is_filtered("state.updated")


async def test_only_what_passes_is_sent(site: Site, receiver: Receiver) -> None:
    await listen(site, f"{receiver.url}/urgent", installation_id=None, filter_pql="priority = urgent")
    await listen(site, f"{receiver.url}/all", installation_id=None)
    await listen(site, f"{receiver.url}/broken", installation_id=None, filter_pql="priority = (")
    for name in ("workitem.created", "workitem.updated", "workitem.comment.created"):
        for priority in ("urgent", "low"):
            event = item(name, priority=priority)
            await happen(site, name, data=event["data"], data_v2=event["data_v2"])
    await work(site)
    paths = [got.path for got in receiver.received]
    assert paths.count("/hook/all") == 6
    assert paths.count("/hook/urgent") == 2 + 2, "two work items, and comments, which have no priority"
    assert paths.count("/hook/broken") == 2, "comments only"
