"""Batches: each row with its event, alone or all or none."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.rest.wires.v2.wire import V2
from airside.work.projects.labels import labels
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def send(workshop: Workshop, verb: str, status: int = 200, **body: Any) -> Row:
    answer = await workshop.ana.on(V2).post(workshop.path(f"labels/bulk-{verb}"), body)
    assert answer.status_code == status, answer.text
    return answer.json


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("labels", **({"name": unique("Label")} | body))


async def name_of(workshop: Workshop, label_id: str) -> str:
    row = await workshop.site.db.find(labels, id=label_id)
    assert row is not None
    return row["name"]


async def test_each_row_has_its_event_as_webhooks_of_v1_show_it(workshop: Workshop) -> None:
    above = await make(workshop)
    rows = [{"name": unique("Row"), "parent_id": above["id"]}, {"name": unique("Row")}]
    made = await send(workshop, "create", items=rows)
    assert [row["result"] for row in made["results"]] == ["created", "created"]
    [event] = await workshop.events_of(made["results"][0]["id"])
    assert (event["name"], event["data"]["parent"]) == ("label.created", above["id"])
    shown = (await workshop.ana.get(workshop.path(f"labels/{event['entity_id']}"))).json
    assert event["data"].keys() == shown.keys()


async def test_a_row_fails_alone(workshop: Workshop) -> None:
    one, two = await make(workshop), await make(workshop)
    rows = [
        {"id": one["id"], "name": unique("changed")},
        {"id": two["id"], "name": ""},
        {"id": new_id(), "name": "x"},
        {"name": "x"},
        {"id": two["id"], "parent_id": new_id()},
        {"id": two["id"], "color": "#111111"},
    ]
    answer = await send(workshop, "update", items=rows)
    assert [row["result"] for row in answer["results"]] == ["updated", *["failed"] * 4, "updated"]
    assert [row.get("type") for row in answer["results"][1:5]] == [
        "invalid_request", "not_found", "invalid_request", "invalid_request",
    ]  # fmt: skip
    assert [row["errors"][0]["code"] for row in (answer["results"][3], answer["results"][4])] == [
        "required", "does_not_exist",
    ]  # fmt: skip
    assert (answer["succeeded"], answer["failed"]) == (2, 4)
    assert await name_of(workshop, one["id"]) == rows[0]["name"]


async def test_all_or_none_keeps_nothing_of_a_batch_that_failed(workshop: Workshop) -> None:
    one, two = await make(workshop), await make(workshop)
    rows = [{"id": one["id"], "name": unique("changed")}, {"id": two["id"], "name": one["name"]}]
    first, second = await workshop.events_of(one["id"]), await workshop.events_of(two["id"])
    refused = await send(
        workshop, "update", 409, items=[*rows, {"id": two["id"], "name": 5 * [1]}], all_or_none=True
    )
    assert [error["field"] for error in refused["errors"]] == ["items.2.name"]
    assert await name_of(workshop, one["id"]) == one["name"]
    assert (await workshop.events_of(one["id"]), await workshop.events_of(two["id"])) == (first, second)
    assert (await send(workshop, "update", items=rows, all_or_none=True))["succeeded"] == 2


async def test_two_rows_with_one_name_fail_the_batch_or_the_second(workshop: Workshop) -> None:
    name = unique("Twin")
    refused = await send(workshop, "create", 409, items=[{"name": name}, {"name": name}], all_or_none=True)
    assert [error["field"] for error in refused["errors"]] == ["items.1"]
    assert not await workshop.site.db.find_all(labels, name=name)
    answer = await send(workshop, "create", items=[{"name": name}, {"name": name}])
    assert [row["result"] for row in answer["results"]] == ["created", "failed"]


async def test_deleted_rows_are_gone_and_an_unknown_one_is_named(workshop: Workshop) -> None:
    one, unknown = await make(workshop), new_id()
    answer = await send(workshop, "delete", ids=[one["id"], unknown, "zz"])
    assert [(row["result"], row["id"]) for row in answer["results"]] == [
        ("deleted", one["id"]), ("failed", unknown), ("failed", "zz"),
    ]  # fmt: skip
    assert (await workshop.ana.get(workshop.path(f"labels/{one['id']}"))).status_code == 404


async def test_a_batch_needs_the_scope_and_the_role_of_a_single_write(workshop: Workshop) -> None:
    path, body = workshop.path("labels/bulk-create"), {"items": [{"name": unique("Row")}]}
    assert (await workshop.gil.on(V2).post(path, body)).status_code == 403
    bot, acme = workshop.cast.installation["bot_user_id"], workshop.cast.acme["id"]
    reads = frozenset({"projects.labels:read"})
    async with workshop.api.acting_as(bot, kind="bot", scopes=reads, workspace_id=acme) as reader:
        assert (await reader.on(V2).post(path, body)).status_code == 403


async def test_a_key_of_one_api_answers_no_request_to_the_other_and_no_batch(workshop: Workshop) -> None:
    path, v2 = workshop.path("labels"), workshop.ana.on(V2)
    key, body = unique("key"), {"name": unique("Once")}
    assert (await workshop.ana.send_once(key, "POST", path, body)).status_code == 201
    assert (await v2.send_once(key, "POST", path, body)).status_code == 422
    refused = await v2.send_once(unique("key"), "POST", f"{path}/bulk-create", {"items": [body]})
    assert refused.status_code == 400
