"""Work items: where they begin, when they are done, who they belong to, and when they may go."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.work.work_items.tables import work_items
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<p onclick="x()">kept<script>alert(1)</script></p><a href="javascript:x()">link</a>'
CLEAN = "<p>kept</p><a>link</a>"


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("work-items", **({"name": unique("Item")} | body))


async def change(workshop: Workshop, item: Row, **body: Any) -> Row:
    answer = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), body)
    assert answer.status_code == 200, answer.json
    return answer.json


async def stored(workshop: Workshop, item: Row) -> Row:
    row = await workshop.site.db.find(work_items, id=item["id"])
    assert row is not None
    return row


def unknown(name: str, value: str) -> Row:
    return {name: [f'Invalid pk "{value}" - object does not exist.']}


async def test_a_new_item_begins_in_the_default_state(workshop: Workshop) -> None:
    for given in ({}, {"state": None}):
        item = await make(workshop, **given)
        assert item["state"] == await workshop.state_of("backlog")
        assert (item["priority"], item["completed_at"], item["archived_at"]) == ("none", None, None)
    answer = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"state": None})
    assert answer.json == {"state": ["This field may not be null."]}


async def test_a_new_item_is_completed_where_the_default_state_is(workshop: Workshop) -> None:
    named = {"name": unique("Done"), "identifier": unique("D")}
    project = (
        f"workspaces/acme/projects/{(await workshop.ana.post('workspaces/acme/projects', named)).json['id']}"
    )
    done = {"name": "Done at once", "color": "#1", "group": "completed", "default": True}
    state = (await workshop.ana.post(f"{project}/states", done)).json["id"]
    item = (await workshop.ana.post(f"{project}/work-items", {"name": "A"})).json
    assert (item["state"], item["completed_at"] is not None) == (state, True)


async def test_a_state_is_one_of_the_project(workshop: Workshop) -> None:
    listed = await workshop.ana.get(f"workspaces/acme/projects/{workshop.garage}/states")
    item = await make(workshop)
    for one in (listed.json["results"][0]["id"], new_id()):
        made = await workshop.ana.post(workshop.path("work-items"), {"name": "A", "state": one})
        moved = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"state": one})
        assert (
            (made.status_code, made.json) == (moved.status_code, moved.json) == (400, unknown("state", one))
        )


async def test_numbers_count_up_within_the_project_and_are_never_given_again(workshop: Workshop) -> None:
    first, second = await make(workshop), await make(workshop)
    await workshop.ana.delete(workshop.path(f"work-items/{second['id']}"))
    third = await make(workshop)
    elsewhere = await workshop.ana.post(
        f"workspaces/acme/projects/{workshop.garage}/work-items", {"name": "A"}
    )
    begin = first["sequence_id"]
    assert [one["sequence_id"] for one in (second, third)] == [begin + 1, begin + 2]
    assert elsewhere.json["sequence_id"] == 1


async def test_completed_at_is_set_on_the_way_in_kept_among_completed_states_and_cleared_on_the_way_out(
    workshop: Workshop,
) -> None:
    done, todo = await workshop.state_of("completed"), await workshop.state_of("unstarted")
    also = await workshop.make("states", name=unique("Shipped"), color="#0", group="completed")
    item = await make(workshop)
    workshop.clock.advance(minutes=1)
    completed = await change(workshop, item, state=done)
    assert completed["completed_at"] == (await stored(workshop, item))["updated_at"].isoformat().replace(
        "+00:00", "Z"
    )
    workshop.clock.advance(minutes=1)
    assert (await change(workshop, item, state=also["id"]))["completed_at"] == completed["completed_at"]
    assert (await change(workshop, item, name="Renamed"))["completed_at"] == completed["completed_at"]
    assert (await change(workshop, item, state=todo))["completed_at"] is None
    assert (await change(workshop, item, state=await workshop.state_of("cancelled")))["completed_at"] is None
    assert (await make(workshop, state=done))["completed_at"] is not None


async def test_last_activity_at_is_when_an_item_was_made_or_changed_last(workshop: Workshop) -> None:
    item, made_at = await make(workshop), workshop.clock.now()
    assert (await stored(workshop, item))["last_activity_at"] == made_at
    workshop.clock.advance(minutes=1)
    await change(workshop, item)
    assert (await stored(workshop, item))["last_activity_at"] == made_at
    await change(workshop, item, priority="high")
    assert (await stored(workshop, item))["last_activity_at"] == workshop.clock.now()
    workshop.clock.advance(minutes=1)
    await change(workshop, item, assignees=[workshop.cast.ben["id"]])
    assert (await stored(workshop, item))["last_activity_at"] == workshop.clock.now()


async def test_html_is_sanitised_when_an_item_is_made_and_when_it_is_changed(workshop: Workshop) -> None:
    made = await make(workshop, description_html=HOSTILE)
    changed = await change(workshop, await make(workshop), description_html=HOSTILE)
    for item in (made, changed, await stored(workshop, made), await stored(workshop, changed)):
        assert (item["description_html"], item["description_stripped"]) == (CLEAN, "kept link")


async def test_only_its_creator_and_admins_of_the_project_delete_an_item(workshop: Workshop) -> None:
    refusal = {"error": "Only admin or creator can delete the work item"}
    of_ana = workshop.path(f"work-items/{(await make(workshop))['id']}")
    answer = await workshop.ben.delete(of_ana)
    assert (answer.status_code, answer.json) == (403, refusal)
    assert (await workshop.gil.delete(of_ana)).status_code == 403
    assert (await workshop.ana.get(of_ana)).status_code == 200
    for deletes in (workshop.ben, workshop.ana):
        made = await workshop.ben.post(workshop.path("work-items"), {"name": unique("Item")})
        path = workshop.path(f"work-items/{made.json['id']}")
        assert (await deletes.delete(path)).status_code == 204
        assert (await workshop.ana.get(path)).status_code == 404


async def test_only_a_completed_or_cancelled_item_is_archived(workshop: Workshop) -> None:
    refusal = {"error": "Can only archive completed or cancelled state group work items"}
    for group in ("backlog", "unstarted", "started", "completed", "cancelled"):
        item = await make(workshop, state=await workshop.state_of(group))
        answer = await workshop.ana.post(workshop.path(f"work-items/{item['id']}/archive"))
        if group in ("completed", "cancelled"):
            assert answer.status_code == 204, group
        else:
            assert (answer.status_code, answer.json) == (400, refusal), group
        assert ((await stored(workshop, item))["archived_at"] is not None) == (answer.status_code == 204)


async def test_an_archived_item_keeps_its_external_id(workshop: Workshop) -> None:
    external = {"external_id": unique("42"), "external_source": "tracker"}
    item = await make(workshop, state=await workshop.state_of("completed"), **external)
    assert (await workshop.ana.post(workshop.path(f"work-items/{item['id']}/archive"))).status_code == 204
    again = await workshop.ana.post(workshop.path("work-items"), {"name": "Again", **external})
    assert (again.status_code, again.json["id"]) == (409, item["id"])
    assert (await workshop.ana.get(workshop.path("work-items"), **external)).status_code == 404
    archived = await workshop.ana.get(workshop.path("archived-work-items"), **external)
    assert archived.json["id"] == item["id"]


async def test_an_archived_item_stands_in_the_archive_and_is_not_changed(workshop: Workshop) -> None:
    item = await make(workshop, state=await workshop.state_of("completed"))
    path = workshop.path(f"work-items/{item['id']}")
    for _ in range(2):  # once more changes nothing
        assert (await workshop.ana.post(f"{path}/archive")).status_code == 204
    answer = await workshop.ana.patch(path, {"name": "x"})
    assert (answer.status_code, answer.json) == (400, {"error": "Archived work item cannot be updated"})
    for listed, place in (("work-items", False), ("archived-work-items", True)):
        found = (await workshop.ana.get(workshop.path(listed), per_page="1000")).json["results"]
        assert (item["id"] in [one["id"] for one in found]) == place, listed
    for _ in range(2):
        assert (await workshop.ana.delete(f"{path}/unarchive")).status_code == 204
    assert (await change(workshop, item, name="Renamed"))["archived_at"] is None
    names = [event["name"] for event in await workshop.events_of(item["id"])]
    assert names == ["workitem.created", "workitem.archived", "workitem.updated", "workitem.updated"]


async def test_a_draft_is_found_and_not_listed(workshop: Workshop) -> None:
    item = await make(workshop, is_draft=True)
    listed = (await workshop.ana.get(workshop.path("work-items"), per_page="1000")).json["results"]
    assert item["id"] not in [one["id"] for one in listed]
    assert (await workshop.ana.get(workshop.path(f"work-items/{item['id']}"))).json["is_draft"]


async def test_it_does_not_start_after_its_target_whichever_of_them_is_sent(workshop: Workshop) -> None:
    refusal = {"non_field_errors": ["Start date cannot exceed target date"]}
    both = {"start_date": "2026-02-02", "target_date": "2026-02-01"}
    answer = await workshop.ana.post(workshop.path("work-items"), {"name": "A"} | both)
    assert (answer.status_code, answer.json) == (400, refusal)
    item = await make(workshop, start_date="2026-02-02", target_date="2026-02-02")
    path = workshop.path(f"work-items/{item['id']}")
    for body in (both, {"start_date": "2026-02-03"}, {"target_date": "2026-02-01"}):
        answer = await workshop.ana.patch(path, body)
        assert (answer.status_code, answer.json) == (400, refusal), body
    assert (await change(workshop, item, start_date=None, target_date="2026-02-01"))["start_date"] is None


async def test_only_who_works_in_the_project_is_assigned(workshop: Workshop) -> None:
    cast, item = workshop.cast, await make(workshop)
    for user in (cast.gil["id"], cast.zoe["id"], new_id()):  # a guest, an outsider, nobody
        sent = [cast.ben["id"], user]
        refusal = {"assignees": {"1": [f'Invalid pk "{user}" - object does not exist.']}}
        made = await workshop.ana.post(workshop.path("work-items"), {"name": "A", "assignees": sent})
        changed = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"assignees": sent})
        assert (made.status_code, made.json) == (changed.status_code, changed.json) == (400, refusal)


async def test_assignees_and_labels_are_each_once_in_the_order_they_were_sent(workshop: Workshop) -> None:
    people = [workshop.cast.ben["id"], workshop.cast.ana["id"]]
    labels = [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(2)]
    for first, second in ((people, people[::-1]), (people[::-1], people)):
        item = await make(workshop, assignees=[*first, first[0]], labels=labels[::-1] * 2)
        assert (item["assignees"], item["labels"]) == (first, labels[::-1])
        changed = await change(workshop, item, assignees=[*second, second[1]], labels=labels * 2)
        assert (changed["assignees"], changed["labels"]) == (second, labels)
    emptied = await change(workshop, item, assignees=None, labels=[])
    assert (emptied["assignees"], emptied["labels"]) == ([], [])


async def test_a_new_item_stands_behind_the_last_of_its_state(workshop: Workshop) -> None:
    state = (await workshop.make("states", name=unique("State"), color="#0"))["id"]
    first, second = await make(workshop, state=state), await make(workshop, state=state)
    placed = await make(workshop, state=state, sort_order=5)
    orders = [one["sort_order"] for one in (first, second, placed)]
    assert orders == [65535.0, 75535.0, 5.0]
    assert (await change(workshop, second, sort_order=None))["sort_order"] == 75535.0
    assert (await change(workshop, second, sort_order=7))["sort_order"] == 7.0


async def test_types_and_estimates_are_not_there_yet_whatever_their_id(workshop: Workshop) -> None:
    item, one = await make(workshop), new_id()
    for sent, reported in (("type", "type_id"), ("type_id", "type_id"), ("estimate_point", "estimate_point")):
        made = await workshop.ana.post(workshop.path("work-items"), {"name": "A", sent: one})
        changed = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {sent: one})
        assert (
            (made.status_code, made.json)
            == (changed.status_code, changed.json)
            == (400, unknown(reported, one))
        )
        assert (await change(workshop, item, **{sent: None}))["type"] is None


async def test_a_parent_may_stand_in_another_project_that_the_caller_sees(workshop: Workshop) -> None:
    path = f"workspaces/acme/projects/{workshop.garage}/work-items"
    parent = (await workshop.ana.post(path, {"name": "A"})).json["id"]
    item = await make(workshop, parent=parent)
    assert item["parent"] == parent
    for one in (new_id(), workshop.engine):
        made = await workshop.ana.post(workshop.path("work-items"), {"name": "A", "parent": one})
        changed = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"parent": one})
        assert (
            (made.status_code, made.json)
            == (changed.status_code, changed.json)
            == (400, unknown("parent", one))
        )
    assert (await change(workshop, item, parent=None))["parent"] is None


async def test_guests_read_items_and_write_none(workshop: Workshop) -> None:
    path = workshop.path(f"work-items/{(await make(workshop))['id']}")
    assert (await workshop.gil.get(path)).status_code == 200
    for method, tail, body in (("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/archive", {})):
        assert (await workshop.gil.send(method, path + tail, body)).status_code == 403
    assert (await workshop.gil.post(workshop.path("work-items"), {"name": "x"})).status_code == 403
