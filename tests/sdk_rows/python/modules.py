"""Modules, and the work items in them."""

from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.modules import CreateModule, UpdateModule

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row


def project(place: Place) -> tuple[str]:
    return (place.project_id,)


MODULES = records(
    "modules",
    lambda place: CreateModule(
        name=unique("Wheels"),
        description="What turns",
        start_date="2026-11-02",
        target_date="2026-12-24",
        status="in-progress",
        lead=place.me,
        members=[place.me],
        external_id=unique("m"),
        external_source="garage",
    ),
    lambda _: UpdateModule(name=unique("Doors"), status="paused", target_date="2026-12-31"),
    at=project,
)


def make(place: Place) -> Any:
    return MODULES.create(place, project(place))[0]


def make_archived(place: Place) -> Any:
    made = make(place)
    place.client.modules.update(SLUG, place.project_id, made.id, UpdateModule(status="completed"))
    place.client.modules.archive(SLUG, place.project_id, made.id)
    return made


def ids_in(place: Place, module: Any) -> list[str | None]:
    listed = place.client.modules.list_work_items(SLUG, place.project_id, module.id)
    return [one.id for one in listed.results]


@row("modules.list_lite")
def list_lite(place: Place) -> None:
    made, archived = make(place), make_archived(place)
    listed = {one.id: one for one in place.client.modules.list_lite(SLUG, place.project_id).results}
    assert archived.id not in listed
    assert (listed[made.id].name, listed[made.id].members) == (made.name, [place.me])


@row("modules.archive")
def archive(place: Place) -> None:
    made, archived = make(place), make_archived(place)
    assert MODULES.read(place, project(place), archived.id).archived_at
    with pytest.raises(HttpError) as refused:
        place.client.modules.archive(SLUG, place.project_id, made.id)
    assert refused.value.status_code == 400


@row("modules.list_archived")
def list_archived(place: Place) -> None:
    made, archived = make(place), make_archived(place)
    ids = [one.id for one in place.client.modules.list_archived(SLUG, place.project_id).results]
    assert archived.id in ids
    assert made.id not in ids


@row("modules.unarchive")
def unarchive(place: Place) -> None:
    archived = make_archived(place)
    place.client.modules.unarchive(SLUG, place.project_id, archived.id)
    assert MODULES.read(place, project(place), archived.id).archived_at is None


@row("modules.add_work_items")
def add_work_items(place: Place) -> None:
    first, second, item = make(place), make(place), place.item(state=place.state("completed"))
    for module in (first, second):
        place.client.modules.add_work_items(SLUG, place.project_id, module.id, [item.id])
    assert ids_in(place, first) == ids_in(place, second) == [item.id], "it may be in several"
    shown = MODULES.read(place, project(place), first.id)
    assert (shown.total_issues, shown.completed_issues, shown.started_issues) == (1, 1, 0)


@row("modules.list_work_items")
def list_work_items(place: Place) -> None:
    module, items = make(place), [place.item() for _ in range(2)]
    place.client.modules.add_work_items(SLUG, place.project_id, module.id, [one.id for one in items])
    assert set(ids_in(place, module)) == {one.id for one in items}


@row("modules.remove_work_item")
def remove_work_item(place: Place) -> None:
    module, kept, removed = make(place), place.item(), place.item()
    place.client.modules.add_work_items(SLUG, place.project_id, module.id, [kept.id, removed.id])
    place.client.modules.remove_work_item(SLUG, place.project_id, module.id, removed.id)
    assert ids_in(place, module) == [kept.id]
