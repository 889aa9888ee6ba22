"""The webhook payloads of an event: v1 as in Plane's original webhooks, v2 as in its newer ones.

Both are rendered from the stored row of `events`, so a retry days later still sends the state at the change.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airside.db.base import Row
from airside.db.large_values import count_characters
from airside.events.catalog import DELETED, UPDATED, EventKind, get_kind

VERSIONS = ("v1", "v2")
MAX_BODY_BYTES = 1_000_000  # a larger payload is reduced to ids: the receiver fetches the entity itself

_encode = msgspec.json.Encoder().encode
_NO_CHANGE = {"field": None, "old_value": None, "new_value": None}
_NOBODY = dict.fromkeys(("first_name", "last_name", "email", "avatar", "avatar_url", "display_name"), "")


def list_parts(
    kind: EventKind, version: str, changes: Sequence[Mapping[str, Any]], bot_id: str | None = None
) -> list[int]:
    """Which of an event's payloads an endpoint receives. v1 sends one for each changed field of an update. A field
    with several changes, such as assignees, sends the one about the endpoint's own bot (plane-adk reads
    `new_identifier` to detect that it was assigned), else the first."""
    if version != "v1" or kind.v1_action != UPDATED or not changes:
        return [0]
    chosen: dict[str, int] = {}
    for number, change in enumerate(changes):
        is_own = bot_id is not None and bot_id in (change.get("new_identifier"), change.get("old_identifier"))
        if is_own or change["field"] not in chosen:
            chosen[change["field"]] = number
    return list(chosen.values())


def name_event(kind: EventKind, version: str) -> str:
    """The value of X-Plane-Event."""
    return kind.v1_event if version == "v1" else kind.name


def render_body(event: Row, *, version: str, part: int, webhook_id: str, delivery_id: str) -> bytes:
    """The bytes to sign and send. `delivery_id` is this attempt's; v2 has it in the body, too."""
    if get_kind(event["name"]).is_agents:
        return _encode(event["data"])
    if _may_fit(event, version):
        body = _encode_payload(event, version, part, webhook_id, delivery_id)
        if len(body) <= MAX_BODY_BYTES:
            return body
    return _encode_payload(_thinned(event), version, part, webhook_id, delivery_id)


def _encode_payload(event: Row, version: str, part: int, webhook_id: str, delivery_id: str) -> bytes:
    if version == "v2":
        return _encode(render_v2(event, webhook_id, delivery_id))
    payloads = render_v1(event, webhook_id)
    return _encode(payloads[min(part, len(payloads) - 1)])


def _may_fit(event: Row, version: str) -> bool:
    """False where the texts alone are too long, so that nothing of many megabytes is encoded in vain."""
    shown = [event["data"]] if version == "v1" else [event["data_v2"], event["previous"]]
    return get_kind(event["name"]).v1_action == DELETED or count_characters(shown) <= MAX_BODY_BYTES


def render_v1(event: Row, webhook_id: str) -> list[dict[str, Any]]:
    """One payload for each change of an update (`list_parts` selects among them), else one."""
    kind = get_kind(event["name"])
    changes = event["changes"] or [_NO_CHANGE]
    if kind.v1_action != UPDATED:
        changes = changes[:1]
    return [
        {
            "event": kind.v1_event,
            "action": kind.v1_action,
            "webhook_id": webhook_id,
            "workspace_id": event["workspace_id"],
            "workspace_slug": event["workspace_slug"],
            "data": {"id": event["entity_id"]} if kind.v1_action == DELETED else event["data"],
            "activity": _as_activity(change, event),
        }
        for change in changes
    ]


def _as_activity(change: Mapping[str, Any], event: Row) -> dict[str, Any]:
    return {
        "field": change["field"],
        "new_value": change["new_value"],
        "old_value": change["old_value"],
        "actor": event["actor"] or {"id": event["actor_id"], **_NOBODY},
        "old_identifier": change.get("old_identifier"),
        "new_identifier": change.get("new_identifier"),
    }


def render_v2(event: Row, webhook_id: str, delivery_id: str) -> dict[str, Any]:
    """The event's only payload, whatever the number of changed fields."""
    kind = get_kind(event["name"])
    return {
        "version": "v2",
        "delivery_id": delivery_id,
        "event_id": event["id"],
        "entity_id": event["entity_id"],
        "entity_type": kind.entity_type,
        "event": kind.name,
        "webhook_id": webhook_id,
        "workspace_id": event["workspace_id"],
        "data": {} if kind.v1_action == DELETED else event["data_v2"],
        "previous_attributes": event["previous"],
    }


def _thinned(event: Row) -> Row:
    """The event reduced to what a receiver needs to fetch the rest."""
    changes = [{**change, "old_value": None, "new_value": None} for change in event["changes"]]
    only_id = {"id": event["entity_id"]}
    return {**event, "data": only_id, "data_v2": only_id, "previous": {}, "changes": changes}
