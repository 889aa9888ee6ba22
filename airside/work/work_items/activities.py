"""A work item's history: who changed which field, from which value to which.

Separate from the events, but written in the same transaction: events are purged after delivery, the history is
kept. Values are the names at the time of the change, so that a deleted state keeps its name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, Instant, Row, metadata, new_id, tenant_key
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.errors import NotFound
from airside.events.outbox import Change
from airside.identity.describe import find_users
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.record import Record
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.planning.estimate_tables import estimate_points, estimates
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import projects
from airside.work.types.tables import work_item_types
from airside.work.types.value_history import describe_values
from airside.work.work_items.tables import work_items
from airside.work.work_items.visible_items import below_work_item

activities = sa.Table(
    "work_item_activities",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("actor_id", Id),
    sa.Column("verb", sa.Text, nullable=False),  # created | updated | deleted
    sa.Column("field", sa.Text),
    sa.Column("old_value", sa.Text),
    sa.Column("new_value", sa.Text),
    sa.Column("old_identifier", Id),
    sa.Column("new_identifier", Id),
    sa.Column("comment", sa.Text, nullable=False),  # Plane's sentence for it
    sa.Column("position", sa.Integer, nullable=False),  # order within one change
    sa.Column("created_at", Instant, nullable=False),
)
sa.Index(
    "ix_work_item_activities_told",
    activities.c.workspace_id,
    activities.c.issue_id,
    activities.c.created_at,
    activities.c.position,
)

# Fields that follow from other changes, or repeat them.
_SILENT = frozenset({"description_binary", "sort_order", "type"})
_NAMES = {"description_html": "description", "type_id": "type"}  # in the history
# Plane's words where they aren't the field's name.
_SENTENCES = {
    "start_date": "updated the start date to ",
    "target_date": "updated the target date to",
    "parent": "updated the parent issue to",
}
_SINGULAR = {"assignees": "assignee", "labels": "label"}


class Happening(NamedTuple):
    """One entry of a work item's history."""

    verb: str
    field: str | None = None
    old_value: str | None = None
    new_value: str | None = None
    old_identifier: str | None = None
    new_identifier: str | None = None
    comment: str = ""


class WorkItemActivityOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    verb: str
    field: str | None
    old_value: str | None
    new_value: str | None
    comment: str
    attachments: list[str]
    old_identifier: str | None
    new_identifier: str | None
    epoch: int  # seconds
    project: Any
    workspace: Any
    issue: Any
    issue_comment: str | None
    actor: Any


class ActivityNotFound(NotFound):
    code = "activity_not_found"
    sentence = "Activity not found."


class Activities(Record):
    noun = "Work item activity"
    table = activities
    event = "workitem"
    missing = ActivityNotFound
    parents = (below_work_item(),)
    computed = {
        "updated_at": Computed(of=lambda row: row["created_at"]),
        "epoch": Computed(of=lambda row: int(row["created_at"].timestamp())),
        **constants(deleted_at=None, attachments=[], issue_comment=None),
    }


WORK_ITEM_ACTIVITIES = Activities()
WORK_ITEM_ACTIVITIES_V1 = Face(
    WORK_ITEM_ACTIVITIES,
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/activities",
    aliases=("projects/{project_id}/issues/{work_item_id}/activities",),
    key="work_item_activity_id",
    body=Body,
    shown=WorkItemActivityOut,
    scope="projects.work_items.activities",
    verbs=("list", "retrieve"),
    order_by=("created_at", "position"),
    expands={
        "actor": expand_user,
        "project": expand_project,
        "workspace": expand_workspace,
        "issue": expand_rows(work_items, "name", "sequence_id", "project_id", "priority", "state_id"),
    },
)


async def record_work_item_change(call: Call, action: str, row: Row, changes: Sequence[Change]) -> None:
    """Write the history of a change of the work item itself."""
    if action in ("created", "deleted"):
        field = "issue" if action == "deleted" else None
        entries = [Happening(action, field, comment=f"{action} the issue")]
    else:
        entries = await _record_changes(call, changes)
    await record_happenings(call, row["id"], row["project_id"], entries)


async def record_happenings(
    call: Call, work_item_id: str, project_id: str, entries: Sequence[Happening]
) -> None:
    """Store the entries in order, in the change's transaction."""
    place = {"issue_id": work_item_id, "project_id": project_id}
    rows = [_entry(call, place, position, one) for position, one in enumerate(entries)]
    await call.writer.insert_all(activities, rows)


async def record_for_all(call: Call, places: Sequence[Row], happening: Happening) -> None:
    """Store the same entry for several work items: each place has an `issue_id` and a `project_id`."""
    await call.writer.insert_all(activities, [_entry(call, place, 0, happening) for place in places])


def _entry(call: Call, place: Row, position: int, happening: Happening) -> Row:
    return {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "project_id": place["project_id"],
        "issue_id": place["issue_id"],
        "actor_id": call.caller.user_id,
        **happening._asdict(),
        "position": position,
        "created_at": call.now,
    }


async def _record_changes(call: Call, changes: Sequence[Change]) -> list[Happening]:
    words = await _find_words(call, changes)
    entries: list[Happening] = []
    for change in changes:
        if change.field in _SINGULAR:
            entries += _record_linked(change, words)
        elif change.field == "estimate_point":
            entries.append(await _record_estimate(call, change))
        elif change.field == "custom_fields":
            values = await describe_values(call, change.old_value, change.new_value)
            entries += [
                Happening("updated", one.name, one.old, one.new, comment=f"updated the {one.name} to")
                for one in values
            ]
        elif change.field == "archived_at":
            entries.append(_record_archiving(change))
        elif change.field not in _SILENT:
            entries.append(_record_field(change, words))
    return entries


def _record_linked(change: Change, words: dict[str, str]) -> list[Happening]:
    """One entry for each added id, one for each removed."""
    one = _SINGULAR[change.field]
    entries: list[Happening] = []
    if gone := change.old_identifier:
        entries.append(
            Happening("updated", change.field, words.get(gone, ""), "", gone, None, f"removed {one} ")
        )
    if come := change.new_identifier:
        entries.append(
            Happening("updated", change.field, "", words.get(come, ""), None, come, f"added {one} ")
        )
    return entries


def _record_field(change: Change, words: dict[str, str]) -> Happening:
    old, new = change.old_value, change.new_value
    is_reference = change.field in _WORDS
    name = _NAMES.get(change.field, change.field)
    return Happening(
        "updated",
        name,
        words.get(old, "") if is_reference else _text(old),
        words.get(new, "") if is_reference else _text(new),
        old if is_reference else None,
        new if is_reference else None,
        _SENTENCES.get(name, f"updated the {name} to"),
    )


def _record_archiving(change: Change) -> Happening:
    """Plane has words in place of times."""
    if change.new_value is None:
        return Happening("updated", change.field, "archive", "restore", comment="has restored the issue")
    return Happening("updated", change.field, None, "manual_archive", comment="has archived the issue")


async def _record_estimate(call: Call, change: Change) -> Happening:
    """Plane calls the field by the estimate's type, and its removal by a verb of its own."""
    old, new = change.old_value, change.new_value
    rows = await call.reader.fetch_all(_POINTS, workspace_id=call.workspace_id, ids=_named(old, new))
    points = {row["id"]: row for row in rows}
    return Happening(
        "updated" if new else "removed",
        f"estimate_{points[new or old]['type']}",
        points[old]["value"] if old else None,
        points[new]["value"] if new else None,
        old,
        new,
        "updated the estimate point to ",
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


async def _find_words(call: Call, changes: Sequence[Change]) -> dict[str, str]:
    """Id → name of the records in the changes."""
    found: dict[str, str] = {}
    for change in changes:
        if change.field == "assignees":
            ids = _named(change.old_identifier, change.new_identifier)
            found |= {one: user["display_name"] for one, user in (await find_users(call, ids)).items()}
        elif change.field in _WORDS:
            ids = _named(change.old_value, change.new_value)
            found |= await _read_words(call, change.field, ids)
        elif change.field == "labels":
            ids = _named(change.old_identifier, change.new_identifier)
            found |= await _read_words(call, change.field, ids)
    return found


def _named(*ids: str | None) -> list[str]:
    return [one for one in ids if one]


async def _read_words(call: Call, field: str, ids: list[str]) -> dict[str, str]:
    statement = _LABELS if field == "labels" else _WORDS[field]
    rows = await call.reader.fetch_all(statement, workspace_id=call.workspace_id, ids=ids)
    return {row["id"]: row["word"] for row in rows}


def _words_of(table: sa.Table, word: Any, *joined: Any) -> Statement:
    clause = sa.select(table.c.id, word.label("word"))
    if joined:
        clause = clause.join_from(table, *joined)
    return Statement(clause.where(tenant(table), any_of(table.c.id, "ids")))


_POINTS = Statement(
    sa.select(estimate_points.c.id, estimate_points.c.value, estimates.c.type)
    .join(
        estimates,
        sa.and_(
            estimates.c.workspace_id == estimate_points.c.workspace_id,
            estimates.c.id == estimate_points.c.estimate_id,
        ),
    )
    .where(tenant(estimate_points), any_of(estimate_points.c.id, "ids"))
)
_LABELS = _words_of(labels, labels.c.name)
# Fields with an id → statement that finds the name.
_WORDS = {
    "state": _words_of(states, states.c.name),
    "type_id": _words_of(work_item_types, work_item_types.c.name),
    "parent": _words_of(
        work_items,
        projects.c.identifier + "-" + sa.cast(work_items.c.sequence_id, sa.Text),
        projects,
        sa.and_(
            projects.c.workspace_id == work_items.c.workspace_id, projects.c.id == work_items.c.project_id
        ),
    ),
}
