"""Epics and the work items below them."""

from plane.models.epics import AddEpicWorkItems, CreateEpic, UpdateEpic

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

EPICS = records(
    "epics",
    lambda _: CreateEpic(
        name=unique("Launch"), priority="high", target_date="2026-03-31", external_id=unique("e"),
        external_source="compose",
    ),
    lambda _: UpdateEpic(name=unique("Landing"), priority="low"),
    at=lambda place: (place.project_id,),
)  # fmt: skip


@row("epics.add_issues")
@row("epics.list_issues")
def add_work_items(place: Place) -> None:
    epic, _ = EPICS.create(place, (place.project_id,))
    one, other = place.item().id, place.item().id
    data = AddEpicWorkItems(work_item_ids=[one, other])
    added = place.client.epics.add_issues(SLUG, place.project_id, epic.id, data)
    assert [(item.id, item.parent) for item in added] == [(one, epic.id), (other, epic.id)]
    listed = place.client.epics.list_issues(SLUG, place.project_id, epic.id).results
    assert {item.id for item in listed} == {one, other}
    assert place.client.work_items.retrieve(SLUG, place.project_id, one).parent == epic.id
