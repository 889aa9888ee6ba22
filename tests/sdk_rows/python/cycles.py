"""Cycles, and the work items in them."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.cycles import CreateCycle, TransferCycleWorkItemsRequest, UpdateCycle
from plane.models.query_params import CycleLiteListQueryParams

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

_years = count(1950)  # of cycles that are over


def project(place: Place) -> tuple[str]:
    return (place.project_id,)


def new_cycle(place: Place, **fields: Any) -> CreateCycle:
    return CreateCycle(
        name=unique("Sprint"),
        description="Oil the wheels",
        owned_by=place.me,
        project_id=place.project_id,
        external_id=unique("c"),
        external_source="garage",
        **fields,
    )


CYCLES = records(
    "cycles",
    new_cycle,
    lambda _: UpdateCycle(name=unique("Second sprint"), description="Oil them again"),
    at=project,
    unread=("project_id",),
)


def make(place: Place) -> Any:
    return CYCLES.create(place, project(place))[0]


def make_completed(place: Place) -> Any:
    year = next(_years)
    data = new_cycle(place, start_date=f"{year}-05-01", end_date=f"{year}-05-14")
    return place.client.cycles.create(SLUG, place.project_id, data)


def ids_in(place: Place, cycle: Any) -> list[str | None]:
    listed = place.client.cycles.list_work_items(SLUG, place.project_id, cycle.id)
    return [one.id for one in listed.results]


@row("cycles.list_lite")
def list_lite(place: Place) -> None:
    made, over = make(place), make_completed(place)
    asked = CycleLiteListQueryParams(status="completed", per_page=1000)
    listed = {one.id: one for one in place.client.cycles.list_lite(SLUG, place.project_id, asked).results}
    assert made.id not in listed
    assert (listed[over.id].name, listed[over.id].owned_by) == (over.name, place.me)


@row("cycles.archive")
def archive(place: Place) -> None:
    made, over = make(place), make_completed(place)
    place.client.cycles.archive(SLUG, place.project_id, over.id)
    archived_at = CYCLES.read(place, project(place), over.id).archived_at
    assert archived_at
    assert datetime.fromisoformat(archived_at) <= datetime.now(UTC)
    with pytest.raises(HttpError) as refused:
        place.client.cycles.archive(SLUG, place.project_id, made.id)
    assert refused.value.status_code == 400


@row("cycles.list_archived")
def list_archived(place: Place) -> None:
    over, left = make_completed(place), make_completed(place)
    place.client.cycles.archive(SLUG, place.project_id, over.id)
    ids = [one.id for one in place.client.cycles.list_archived(SLUG, place.project_id).results]
    assert over.id in ids
    assert left.id not in ids


@row("cycles.unarchive")
def unarchive(place: Place) -> None:
    over = make_completed(place)
    place.client.cycles.archive(SLUG, place.project_id, over.id)
    place.client.cycles.unarchive(SLUG, place.project_id, over.id)
    assert CYCLES.read(place, project(place), over.id).archived_at is None


@row("cycles.add_work_items")
def add_work_items(place: Place) -> None:
    first, second, item = make(place), make(place), place.item(state=place.state("started"))
    for cycle in (first, second):
        place.client.cycles.add_work_items(SLUG, place.project_id, cycle.id, [item.id])
        assert ids_in(place, cycle) == [item.id]
    assert ids_in(place, first) == [], "a work item is in one cycle"
    shown = CYCLES.read(place, project(place), second.id)
    assert (shown.total_issues, shown.started_issues, shown.completed_issues) == (1, 1, 0)


@row("cycles.list_work_items")
def list_work_items(place: Place) -> None:
    cycle, items = make(place), [place.item(priority=priority) for priority in ("high", "low")]
    place.client.cycles.add_work_items(SLUG, place.project_id, cycle.id, [one.id for one in items])
    assert set(ids_in(place, cycle)) == {one.id for one in items}
    urgent = place.client.cycles.list_work_items(
        SLUG, place.project_id, cycle.id, {"pql": 'priority = "high"'}
    )
    assert [one.name for one in urgent.results] == [items[0].name]


@row("cycles.remove_work_item")
def remove_work_item(place: Place) -> None:
    cycle, kept, removed = make(place), place.item(), place.item()
    place.client.cycles.add_work_items(SLUG, place.project_id, cycle.id, [kept.id, removed.id])
    place.client.cycles.remove_work_item(SLUG, place.project_id, cycle.id, removed.id)
    assert ids_in(place, cycle) == [kept.id]


@row("cycles.transfer_work_items")
def transfer_work_items(place: Place) -> None:
    old, new = make(place), make(place)
    done, undone = place.item(state=place.state("completed")), place.item(state=place.state("started"))
    place.client.cycles.add_work_items(SLUG, place.project_id, old.id, [done.id, undone.id])
    to_new = TransferCycleWorkItemsRequest(new_cycle_id=new.id)
    place.client.cycles.transfer_work_items(SLUG, place.project_id, old.id, to_new)
    assert (ids_in(place, old), ids_in(place, new)) == ([done.id], [undone.id])
