"""Every change leaves through the gate, and records its event there, as both versions of webhooks tell it."""

import pytest

from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_record_s_event_has_all_fields(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    [event] = await workshop.events_of(label["id"])
    assert (event["name"], event["data"]) == ("label.created", label)
    assert (event["project_id"], event["workspace_id"]) == (workshop.engine, workshop.cast.acme["id"])
    assert (event["actor_id"], event["actor"]["email"]) == (workshop.cast.ana["id"], "ana@example.com")
    assert event["data_v2"]["project_id"] == workshop.engine
    assert (event["previous"], event["changes"], event["is_private"]) == ({}, [], False)


async def test_an_event_has_each_requested_field_that_changed(workshop: Workshop) -> None:
    label = await workshop.make("labels", name="Kept " + unique("Label"), color="#1")
    body = {"name": label["name"], "color": "#2", "description": "New"}
    shown = (await workshop.ana.patch(workshop.path(f"labels/{label['id']}"), body)).json
    [_, event] = await workshop.events_of(label["id"])
    assert (event["name"], event["data"]) == ("label.updated", shown)
    recorded = {one["field"]: (one["old_value"], one["new_value"]) for one in event["changes"]}
    assert recorded == {"color": ("#1", "#2"), "description": ("", "New")}
    assert event["previous"] == {"color": "#1", "description": ""}


async def test_what_follows_from_a_change_is_in_the_previous_values_only(workshop: Workshop) -> None:
    item, done = await workshop.make("work-items", name="A"), await workshop.state_of("completed")
    await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"state": done})
    [_, event] = await workshop.events_of(item["id"])
    assert [one["field"] for one in event["changes"]] == ["state"]
    assert event["previous"] == {"state_id": item["state"], "completed_at": None}
    assert event["data"]["state"]["id"] == done  # expanded, as v1's webhooks have it


async def test_a_change_of_no_requested_field_has_no_event(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A", priority="high")
    for body in ({}, {"priority": "high"}, {"assignees": []}):
        assert (await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), body)).status_code == 200
    assert [event["name"] for event in await workshop.events_of(item["id"])] == ["workitem.created"]


async def test_each_added_or_removed_id_of_a_list_is_a_change_of_the_event(workshop: Workshop) -> None:
    red, blue, green = [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(3)]
    item = await workshop.make("work-items", name="A", labels=[red])
    await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"labels": [blue, green]})
    [_, event] = await workshop.events_of(item["id"])
    recorded = [(one["old_identifier"], one["new_identifier"]) for one in event["changes"]]
    assert recorded == [(red, blue), (None, green)]
    assert {(tuple(one["old_value"]), tuple(one["new_value"])) for one in event["changes"]} == {
        ((red,), (blue, green))
    }
    assert event["previous"] == {"label_ids": [red]}


async def test_a_deletion_s_event_has_its_id_and_previous_values(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    await workshop.ana.delete(workshop.path(f"labels/{label['id']}"))
    [_, event] = await workshop.events_of(label["id"])
    assert (event["name"], event["data"], event["data_v2"]) == ("label.deleted", {"id": label["id"]}, {})
    assert (event["previous"]["name"], event["previous"]["deleted_at"]) == (label["name"], None)


async def test_what_is_one_persons_own_is_marked_in_every_event(workshop: Workshop) -> None:
    page = await workshop.make("pages", name="Diary", description_html="<p>x</p>", access=1)
    path = workshop.path(f"pages/{page['id']}")
    await workshop.ana.patch(path, {"name": "Secret diary"})
    await workshop.ana.post(f"{path}/archive")
    await workshop.ana.delete(path)
    recorded = await workshop.events_of(page["id"])
    assert [(one["name"], one["is_private"]) for one in recorded] == [
        ("page.created", True), ("page.updated", True), ("page.archived", True), ("page.deleted", True),
    ]  # fmt: skip


async def test_internal_columns_are_not_in_events(workshop: Workshop) -> None:
    made = await workshop.ana.post(
        "workspaces/acme/projects", {"name": unique("Project"), "identifier": unique("T")}
    )
    [event] = await workshop.events_of(made.json["id"])
    assert not {"last_sequence", "more_features"} & (event["data"].keys() | event["data_v2"].keys())


async def test_events_of_one_record_are_numbered_in_their_order(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    for color in ("#1", "#2"):
        await workshop.ana.patch(workshop.path(f"labels/{label['id']}"), {"color": color})
    recorded = await workshop.events_of(label["id"])
    assert [event["sequence"] for event in recorded] == [1, 2, 3]
