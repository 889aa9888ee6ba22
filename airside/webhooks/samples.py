"""Sample events of each kind, to test an endpoint with: signed and logged like any other."""

from datetime import datetime
from typing import Any

from airside.db.base import Row, TenantKey, new_id
from airside.db.database import Transaction
from airside.events.catalog import DELETED, PING, UPDATED, get_kind
from airside.events.outbox import Change, NewEvent, record_event
from airside.live.wakeups import Wakeups

_PERSON = ("id", "first_name", "last_name", "email", "avatar", "avatar_url", "display_name")


class SampledEndpoint(TenantKey):
    """What a sample reads of its endpoint."""

    url: str
    version: str


async def send_sample(
    tx: Transaction, wakeups: Wakeups, *, endpoint: SampledEndpoint, name: str, by: Row, now: datetime
) -> str:
    """Queue a sample event of this kind for the endpoint; returns its id. ValueError for an unknown kind.

    It is sent to a disabled endpoint, too, so that one can test it before enabling it."""
    return await record_event(tx, wakeups, make_sample(endpoint, name, by, now))


async def send_ping(
    tx: Transaction, wakeups: Wakeups, *, endpoint: SampledEndpoint, by: Row, now: datetime
) -> str:
    """Send `webhook.ping` to a webhook that was just saved."""
    return await send_sample(tx, wakeups, endpoint=endpoint, name=PING, by=by, now=now)


def make_sample(endpoint: SampledEndpoint, name: str, by: Row, now: datetime) -> NewEvent:
    kind = get_kind(name)
    entity_id, project_id = new_id(), new_id()
    old, new = _record_of(kind.entity_type, entity_id, project_id, endpoint, by, now)
    event = NewEvent(
        workspace_id=endpoint["workspace_id"],
        name=name,
        entity_id=entity_id,
        actor_id=by["id"],
        actor={field: by.get(field) or "" for field in _PERSON},
        at=now,
        data=new,
        data_v2=new,
        endpoint_id=endpoint["id"],
    )
    if kind.v1_action == DELETED:
        event.data, event.data_v2, event.previous = {"id": entity_id}, {}, old
    elif kind.v1_action == UPDATED:
        field = next(field for field in new if new[field] != old[field])
        event.previous = {field: old[field]}
        event.changes = [Change(field, old[field], new[field])]
    return event


def _record_of(
    entity: str, entity_id: str, project_id: str, endpoint: SampledEndpoint, by: Row, now: datetime
) -> tuple[Row, Row]:
    """The record before and after the change."""
    if entity == "webhook":
        record: dict[str, Any] = {
            "id": endpoint["id"],
            "url": endpoint["url"],
            "version": endpoint["version"],
        }
        return record, record
    shared: dict[str, Any] = {
        "id": entity_id,
        "created_at": now,
        "updated_at": now,
        "workspace_id": endpoint["workspace_id"],
        "project_id": project_id,
        "created_by_id": by["id"],
    }
    if entity == "issue":
        item: Row = {
            "type_id": None,
            "state_id": new_id(),
            "sequence_id": 1,
            "label_ids": [],
            "assignee_ids": [],
        }
        new = shared | item | {"name": "A sample work item", "priority": "high", "target_date": None}
        return new | {"priority": "none"}, new
    if entity == "issue_comment":
        new = shared | {"issue_id": new_id(), "comment_stripped": "A sample comment", "access": "INTERNAL"}
        return new | {"comment_stripped": "A sample"}, new
    if entity == "app_installation":
        new = shared | {"status": "installed", "scopes": ["projects:read"]}
        return new | {"scopes": []}, new
    new = shared | {"name": f"A sample {entity.replace('_', ' ')}"}
    return new | {"name": "Its name before"}, new
