"""The two renderings of one event, key by key."""

from typing import Any

import msgspec

from airside.db.base import new_id
from airside.events.envelope import MAX_BODY_BYTES, render_body, render_v1, render_v2

HOOK, ATTEMPT = new_id(), new_id()
ACTOR = {
    "id": new_id(), "first_name": "Ana", "last_name": "Owner", "email": "ana@acme.example",
    "avatar": "", "avatar_url": None, "display_name": "ana",
}  # fmt: skip


def event(name: str, **fields: Any) -> dict[str, Any]:
    row = {
        "workspace_id": new_id(), "id": new_id(), "name": name, "entity_id": new_id(), "actor_id": ACTOR["id"],
        "workspace_slug": "acme", "actor": ACTOR, "data": {"id": "1", "name": "x"}, "data_v2": {"id": "2"},
        "previous": {}, "changes": [],
    }  # fmt: skip
    return row | fields


def change(field: str, **identifiers: str) -> dict[str, Any]:
    both = {"old_identifier": None, "new_identifier": None} | identifiers
    return {"field": field, "old_value": "old", "new_value": "new", **both}


def test_v1_has_the_keys_in_the_order_of_the_wire() -> None:
    [body] = render_v1(event("workitem.created"), HOOK)
    assert list(body) == [
        "event", "action", "webhook_id", "workspace_id", "workspace_slug", "data", "activity",
    ]  # fmt: skip
    assert body["workspace_slug"] == "acme"
    assert list(body["activity"]) == [
        "field", "new_value", "old_value", "actor", "old_identifier", "new_identifier",
    ]  # fmt: skip
    assert (body["event"], body["action"]) == ("issue", "created")
    assert body["activity"] == {
        "field": None, "new_value": None, "old_value": None, "actor": ACTOR,
        "old_identifier": None, "new_identifier": None,
    }  # fmt: skip


def test_v1_sends_each_changed_field_of_an_update() -> None:
    first, second = render_v1(event("workitem.updated", changes=[change("name"), change("state")]), HOOK)
    assert first["activity"]["field"] == "name"
    assert second["activity"]["field"] == "state"
    assert first["data"] == second["data"] == {"id": "1", "name": "x"}


def test_v1_sends_an_update_without_known_fields_once() -> None:
    [body] = render_v1(event("workitem.archived"), HOOK)
    assert (body["action"], body["activity"]["field"]) == ("updated", None)


def test_v1_shows_who_was_assigned() -> None:
    bot = new_id()
    [body] = render_v1(event("workitem.updated", changes=[change("assignees", new_identifier=bot)]), HOOK)
    assert (body["activity"]["field"], body["activity"]["new_identifier"]) == ("assignees", bot)


def test_v1_sends_a_new_comment_once_with_its_text_as_the_change() -> None:
    [body] = render_v1(event("workitem.comment.created", changes=[change("description"), change("x")]), HOOK)
    assert (body["event"], body["activity"]["field"]) == ("issue_comment", "description")


def test_v1_of_a_deletion_has_the_id_only() -> None:
    row = event("project.deleted")
    [body] = render_v1(row, HOOK)
    assert body["data"] == {"id": row["entity_id"]}


def test_v1_of_an_event_nobody_did_still_has_seven_fields_of_an_actor() -> None:
    [body] = render_v1(event("app.suspended", actor=None, actor_id=None), HOOK)
    assert list(body["activity"]["actor"]) == list(ACTOR)


def test_v2_has_the_keys_of_the_wire() -> None:
    row = event("workitem.updated", previous={"name": "old"}, changes=[change("name"), change("state")])
    assert render_v2(row, HOOK, ATTEMPT) == {
        "version": "v2",
        "delivery_id": ATTEMPT,
        "event_id": row["id"],
        "entity_id": row["entity_id"],
        "entity_type": "issue",
        "event": "workitem.updated",
        "webhook_id": HOOK,
        "workspace_id": row["workspace_id"],
        "data": {"id": "2"},
        "previous_attributes": {"name": "old"},
    }


def test_v2_of_a_deletion_has_no_data_and_the_whole_record_as_it_was() -> None:
    body = render_v2(event("workitem.deleted", previous={"id": "2", "name": "x"}), HOOK, ATTEMPT)
    assert body["data"] == {}
    assert body["previous_attributes"] == {"id": "2", "name": "x"}


def test_a_body_stays_within_a_megabyte_by_having_ids_only() -> None:
    big = "x" * (MAX_BODY_BYTES + 1)
    row = event(
        "workitem.updated", data={"id": "1", "text": big}, data_v2={"text": big}, previous={"text": big},
        changes=[change("text") | {"new_value": big}],
    )  # fmt: skip
    for version in ("v1", "v2"):
        body = render_body(row, version=version, part=0, webhook_id=HOOK, delivery_id=ATTEMPT)
        assert len(body) < 2000
        assert msgspec.json.decode(body)["data"] == {"id": row["entity_id"]}


def test_a_body_is_measured_in_bytes_as_it_is_encoded() -> None:
    """Its characters are within the bound, its bytes aren't; nor is a change that the data doesn't show."""
    text = "é" * (MAX_BODY_BYTES // 2 + 1)
    row = event("workitem.updated", data={"text": text}, data_v2={"text": text}, changes=[change("text")])
    for version in ("v1", "v2"):
        body = render_body(row, version=version, part=0, webhook_id=HOOK, delivery_id=ATTEMPT)
        assert msgspec.json.decode(body)["data"] == {"id": row["entity_id"]}
    row = event("workitem.updated", changes=[change("text") | {"new_value": text}])
    body = msgspec.json.decode(render_body(row, version="v1", part=0, webhook_id=HOOK, delivery_id=ATTEMPT))
    assert (body["data"], body["activity"]["new_value"]) == ({"id": row["entity_id"]}, None)
