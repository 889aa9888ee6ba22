"""Milestones and their work items."""

from plane.models.milestones import CreateMilestone, UpdateMilestone

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

MILESTONES = records(
    "milestones",
    lambda _: CreateMilestone(
        title=unique("Beta"), target_date="2026-03-31", external_id=unique("b"), external_source="compose"
    ),
    lambda _: UpdateMilestone(title=unique("Final"), target_date="2026-06-30"),
    at=lambda place: (place.project_id,),
)


def list_held(place: Place, milestone_id: str) -> set[str]:
    listed = place.client.milestones.list_work_items(SLUG, place.project_id, milestone_id).results
    assert all(one.milestone == milestone_id for one in listed)
    return {one.issue for one in listed if one.issue}


@row("milestones.add_work_items")
@row("milestones.list_work_items")
@row("milestones.remove_work_items")
def hold_work_items(place: Place) -> None:
    milestone, _ = MILESTONES.create(place, (place.project_id,))
    one, other = place.item().id, place.item().id
    place.client.milestones.add_work_items(SLUG, place.project_id, milestone.id, [one, other])
    assert list_held(place, milestone.id) == {one, other}
    place.client.milestones.remove_work_items(SLUG, place.project_id, milestone.id, [one])
    assert list_held(place, milestone.id) == {other}
