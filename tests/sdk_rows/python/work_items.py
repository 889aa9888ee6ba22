"""Work items, and what is below one: comments, links, worklogs, activities."""

from typing import Any

from plane.models.query_params import WorkItemCountQueryParams, WorkItemQueryParams
from plane.models.work_items import (
    AdvancedSearchWorkItem,
    CreateWorkItem,
    CreateWorkItemComment,
    CreateWorkItemLink,
    UpdateWorkItem,
    UpdateWorkItemComment,
    UpdateWorkItemLink,
)

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row


def project(place: Place) -> tuple[str]:
    return (place.project_id,)


def item(place: Place) -> tuple[str, str]:
    return place.project_id, place.item().id


def new_item(place: Place) -> CreateWorkItem:
    return CreateWorkItem(
        name=unique("Wheel squeaks"),
        description_html="<p>Since Monday</p>",
        priority="high",
        state=place.state("started"),
        assignees=[place.me],
        start_date="2026-11-02",
        target_date="2026-11-30",
        external_id=unique("w"),
        external_source="garage",
    )


records(
    "work_items",
    new_item,
    lambda place: UpdateWorkItem(
        name=unique("Wheel turns"), priority="low", state=place.state("completed"), target_date="2026-12-24"
    ),
    at=project,
    unread=("assignees",),  # the SDK's WorkItem has none, but WorkItemDetail
)
records(
    "work_items.comments",
    lambda _: CreateWorkItemComment(comment_html=f"<p>{unique('Oil it')}</p>", access="INTERNAL"),
    lambda _: UpdateWorkItemComment(comment_html=f"<p>{unique('Oiled')}</p>"),
    at=item,
)
records(
    "work_items.links",
    lambda _: CreateWorkItemLink(url=f"https://oil.example/{unique('can')[4:]}", title="Oil"),
    lambda _: UpdateWorkItemLink(title="Better oil"),
    at=item,
)
records(
    "work_items.work_logs",
    lambda _: {"description": "Oiling", "duration": 25},
    lambda _: {"description": "Oiling twice", "duration": 50},
    verbs=("create", "list", "update", "delete"),
    at=item,
)


@row("work_items.retrieve_by_identifier")
def retrieve_by_identifier(place: Place) -> None:
    made = place.item()
    project = place.client.projects.retrieve(SLUG, place.project_id)
    found = place.client.work_items.retrieve_by_identifier(SLUG, project.identifier, made.sequence_id)
    assert (found.id, found.name) == (made.id, made.name)


@row("work_items.archive")
def archive(place: Place) -> None:
    made = archived(place)
    assert place.client.work_items.retrieve(SLUG, place.project_id, made.id).archived_at
    assert made.id not in ids_of(place.client.work_items.list(SLUG, place.project_id))


@row("work_items.unarchive")
def unarchive(place: Place) -> None:
    made = archived(place)
    place.client.work_items.unarchive(SLUG, place.project_id, made.id)
    assert place.client.work_items.retrieve(SLUG, place.project_id, made.id).archived_at is None
    assert made.id in ids_of(place.client.work_items.list(SLUG, place.project_id))


@row("work_items.list_archived")
def list_archived(place: Place) -> None:
    made, left = archived(place), place.item()
    listed = ids_of(place.client.work_items.list_archived(SLUG, place.project_id))
    assert made.id in listed
    assert left.id not in listed


def archived(place: Place) -> Any:
    made = place.item(state=place.state("completed"))
    place.client.work_items.archive(SLUG, place.project_id, made.id)
    return made


def ids_of(listed: Any) -> list[str]:
    return [one.id for one in listed.results]


@row("work_items.list_workspace")
def list_workspace(place: Place) -> None:
    urgent, low = place.item(priority="urgent"), place.item(priority="low")
    asked = WorkItemQueryParams(pql='priority = "urgent"', order_by="-created_at")
    listed = ids_of(place.client.work_items.list_workspace(SLUG, asked))
    assert urgent.id in listed
    assert low.id not in listed


@row("work_items.count_workspace")
def count_workspace(place: Place) -> None:
    asked = WorkItemCountQueryParams(group_by="priority")
    before = place.client.work_items.count_workspace(SLUG, asked)
    place.item(priority="urgent")
    after = place.client.work_items.count_workspace(SLUG, asked)
    assert after.total_count == before.total_count + 1
    urgent = [
        one.grouped_counts["urgent"].count if "urgent" in one.grouped_counts else 0 for one in (before, after)
    ]
    assert urgent[1] == urgent[0] + 1


@row("work_items.search")
def search(place: Place) -> None:
    made, other = place.item(), place.item()
    found = [one.id for one in place.client.work_items.search(SLUG, made.name).issues]
    assert made.id in found
    assert other.id not in found


@row("work_items.advanced_search")
def advanced_search(place: Place) -> None:
    made, other = place.item(priority="urgent"), place.item(priority="low")
    asked = AdvancedSearchWorkItem(query="Wheel", filters={"and": [{"priority": "urgent"}]}, limit=100)
    found = [one.id for one in place.client.work_items.advanced_search(SLUG, asked)]
    assert made.id in found
    assert other.id not in found


def changed(place: Place) -> tuple[str, Any]:
    """The id of a work item, and the activity of its priority's change."""
    made = place.item(priority="high")
    place.client.work_items.update(SLUG, place.project_id, made.id, UpdateWorkItem(priority="low"))
    recorded = place.client.work_items.activities.list(SLUG, place.project_id, made.id).results
    return made.id, next(one for one in recorded if one.field == "priority")


@row("work_items.activities.list")
def list_activities(place: Place) -> None:
    _, activity = changed(place)
    assert (activity.verb, activity.old_value, activity.new_value) == ("updated", "high", "low")
    assert activity.actor == place.me


@row("work_items.activities.retrieve")
def retrieve_activity(place: Place) -> None:
    item_id, activity = changed(place)
    read = place.client.work_items.activities.retrieve(SLUG, place.project_id, item_id, activity.id)
    assert (read.id, read.new_value, read.epoch) == (activity.id, "low", activity.epoch)
