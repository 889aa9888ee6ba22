"""The only writer of the outbox: a change and its event are stored in one transaction, or neither is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import new_id
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.events.catalog import get_kind
from airside.events.tables import entity_sequences, events
from airside.live.wakeups import Wakeups

FAN_OUT = "events.fan_out"  # the wake-up after the commit of an event


class Change(msgspec.Struct):
    """One changed field, sent as v1's `activity`; an update sends one payload for each field.

    Values are as the API shows them: ids for a state or a parent, the whole list for labels and assignees.
    Clients built on plane-adk depend on two of them:
    - an added assignee: field "assignees", `new_identifier` is the user's id. There is one Change for each person
      added; an endpoint receives the one about its own bot, if any, else the first;
    - a mention in a comment: field "description", `new_value` is the HTML, with the mentioned id in double quotes.
      The clients also look for it in a new comment, so creating a comment records one Change."""

    field: str
    old_value: Any
    new_value: Any
    old_identifier: str | None = None
    new_identifier: str | None = None


class NewEvent(msgspec.Struct, kw_only=True):
    """An event with everything that any endpoint will be sent, as it is now."""

    workspace_id: str
    name: str  # dotted, from events/catalog.py
    entity_id: str
    actor_id: str | None
    at: datetime
    data: dict[str, Any]  # the entity as API v1 shows it; {"id": …} once deleted
    data_v2: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    changes: list[Change] = []
    project_id: str | None = None
    is_private: bool = False  # about one person's private record: stored, and never sent
    is_imported: bool = False  # of a record that is brought over from elsewhere: stored, and never sent
    endpoint_id: str | None = None  # sent to this endpoint only, whatever it subscribes to
    installation_id: str | None = None  # sent to this installation only: its URL and its `airside listen`
    actor: dict[str, Any] | None = None  # id, first_name, last_name, email, avatar, avatar_url, display_name


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], list[Change]]:
    """The `previous` and the `changes` of an update, from the entity's representations before and after."""
    changes = [Change(name, before[name], new) for name, new in after.items() if before[name] != new]
    return {change.field: change.old_value for change in changes}, changes


async def record_event(tx: Transaction, wakeups: Wakeups, event: NewEvent) -> str:
    """Store the event in the change's transaction, to be fanned out after the commit; returns its id.

    Raises ValueError for a name that isn't in the catalogue."""
    get_kind(event.name)
    sequence = await tx.fetch_value(
        _NEXT_SEQUENCE, workspace_id=event.workspace_id, entity_id=event.entity_id
    )
    event_id = new_id()
    await tx.insert(
        events,
        {
            "workspace_id": event.workspace_id,
            "id": event_id,
            "project_id": event.project_id,
            "name": event.name,
            "entity_id": event.entity_id,
            "sequence": sequence,
            "actor_id": event.actor_id,
            "data": event.data,
            "data_v2": event.data_v2,
            "previous": event.previous,
            "changes": event.changes,
            "actor": event.actor,
            "is_private": event.is_private,
            "endpoint_id": event.endpoint_id,
            "installation_id": event.installation_id,
            "created_at": event.at,
            "fanned_out_at": event.at if event.is_imported else None,
        },
    )
    if not event.is_imported:
        tx.on_commit(lambda: _announce(wakeups, event))
    return event_id


def _announce(wakeups: Wakeups, event: NewEvent) -> None:
    """Wake the fan-out, and refresh the pages that show the entity."""
    wakeups.wake(FAN_OUT)
    for topic in topics_of(event):
        wakeups.announce(topic)


def topics_of(event: NewEvent) -> list[str]:
    """The topics of live pages: the workspace, a project, every work item that shows something of the entity."""
    topics = [f"workspace:{event.workspace_id}"]
    if event.project_id is not None:
        topics.append(f"project:{event.project_id}")
    return topics + [f"work_item:{one}" for one in _work_items_of(event)]


# By which an entity names its work items: that of a comment or of a place in a cycle, both of a relation, and the
# parent, whose page lists it.
_OWNING = ("issue_id", "work_item_id")
_NAMING = (*_OWNING, "related_issue_id", "parent_id")


def _work_items_of(event: NewEvent) -> list[str]:
    """A deleted entity has its work items in `previous`, and so has a sub-item that was moved."""
    of, _, noun = event.name.partition(".")
    if of != "workitem" and not noun.startswith("workitem."):
        return []
    named = [(name, shown.get(name)) for shown in (event.data_v2, event.previous) for name in _NAMING]
    found = dict.fromkeys(one for _, one in named if isinstance(one, str))
    is_record_of_it = any(one and name in _OWNING for name, one in named)
    return [*found] if is_record_of_it else [event.entity_id, *found]


def _next_sequence() -> Statement:
    # The upsert is the same SQL in both dialects, but Core has it only per dialect, so it is written as text.
    text = sa.text(
        "INSERT INTO entity_sequences (workspace_id, entity_id, last) VALUES (:workspace_id, :entity_id, 1) "
        "ON CONFLICT (workspace_id, entity_id) DO UPDATE SET last = entity_sequences.last + 1 RETURNING last"
    )
    columns = entity_sequences.c
    return Statement(
        text.bindparams(
            sa.bindparam("workspace_id", type_=columns.workspace_id.type),
            sa.bindparam("entity_id", type_=columns.entity_id.type),
        ).columns(columns.last)
    )


_NEXT_SEQUENCE = _next_sequence()
