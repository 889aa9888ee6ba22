"""Creating or changing by external id: one record of a pair, whoever comes first."""

import asyncio
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.rest.wires.v2.wire import V2
from airside.work.projects.labels import labels
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


def pair() -> Row:
    return {"external_source": "github", "external_id": unique("id")}


async def send(workshop: Workshop, status: int = 200, **body: Any) -> Row:
    answer = await workshop.ana.on(V2).post(workshop.path("labels/upsert"), body)
    assert answer.status_code == status, answer.text
    return answer.json


async def test_it_creates_then_changes_what_is_sent_and_records_both(workshop: Workshop) -> None:
    given, name = pair(), unique("Label")
    made = await send(workshop, name=name, color="#1", description="Kept", **given)
    changed = await send(workshop, name=name, color="#2", **given)
    assert changed == made | {"color": "#2"}
    assert await send(workshop, name=name, **given) == changed
    events = await workshop.events_of(made["id"])
    assert [event["name"] for event in events] == ["label.created", "label.updated"]
    assert events[1]["previous"] == {"color": "#1"}


async def test_without_a_whole_pair_it_creates(workshop: Workshop) -> None:
    for half in ({}, {"external_source": "github"}, {"external_id": "7"}, {"external_id": None}):
        one, two = [await send(workshop, name=unique("Label"), **half) for _ in "ab"]
        assert one["id"] != two["id"]


async def test_two_at_once_make_one_record(workshop: Workshop) -> None:
    for _ in range(3):
        given = pair()
        made = await asyncio.gather(*(send(workshop, name=unique("Label"), **given) for _ in range(4)))
        assert len({row["id"] for row in made}) == 1
        [row] = await workshop.site.db.find_all(labels, external_id=given["external_id"])
        recorded = [event["name"] for event in await workshop.events_of(row["id"])]
        assert recorded == ["label.created", *["label.updated"] * 3]


async def test_of_two_creations_at_once_with_one_pair_the_second_is_a_conflict(workshop: Workshop) -> None:
    for _ in range(3):
        given = pair()
        bodies = [{"name": unique("Label"), **given} for _ in range(3)]
        answers = await asyncio.gather(*(workshop.ana.post(workshop.path("labels"), one) for one in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert len(await workshop.site.db.find_all(labels, external_id=given["external_id"])) == 1


async def test_a_pair_is_the_projects_own_and_free_after_a_deletion(workshop: Workshop) -> None:
    given = pair()
    made = await send(workshop, name=unique("Label"), **given)
    garage = f"workspaces/acme/projects/{workshop.garage}/labels/upsert"
    beside = await workshop.ana.on(V2).post(garage, {"name": unique("Label"), **given})
    assert beside.json["id"] != made["id"]
    await workshop.ana.delete(workshop.path(f"labels/{made['id']}"))
    again = await send(workshop, name=unique("Label"), **given)
    assert again["id"] not in (made["id"], beside.json["id"])


async def test_a_change_keeps_the_rules_of_one(workshop: Workshop) -> None:
    given, taken = pair(), unique("Taken")
    await workshop.make("labels", name=taken)
    made = await send(workshop, name=unique("Label"), **given)
    refused = await send(workshop, 409, name=taken, **given)
    assert refused["type"] == "conflict"
    for parent in (made["id"], new_id()):
        wrong = await send(workshop, 400, name=made["name"], parent_id=parent, **given)
        assert [error["field"] for error in wrong["errors"]] == ["parent_id"]
    missing = await send(workshop, 400, **given)
    assert missing["errors"][0] == {"field": "name", "code": "required", "message": "This field is required."}
    assert (await send(workshop, name=made["name"], description=None, **given))["description"] == ""


async def test_it_needs_the_scope_and_the_role_of_a_write(workshop: Workshop) -> None:
    path, body = workshop.path("labels/upsert"), {"name": unique("Label"), **pair()}
    assert (await workshop.gil.on(V2).post(path, body)).status_code == 403
    bot, acme = workshop.cast.installation["bot_user_id"], workshop.cast.acme["id"]
    reads = frozenset({"projects.labels:read"})
    async with workshop.api.acting_as(bot, kind="bot", scopes=reads, workspace_id=acme) as reader:
        assert (await reader.on(V2).post(path, body)).status_code == 403


async def test_a_repeat_with_its_key_changes_nothing(workshop: Workshop) -> None:
    path, key = workshop.path("labels/upsert"), unique("key")
    body = {"name": unique("Label"), **pair()}
    one = await workshop.ana.on(V2).send_once(key, "POST", path, body)
    await send(workshop, **body, color="#9")
    two = await workshop.ana.on(V2).send_once(key, "POST", path, body)
    assert (one.text, two.headers["idempotent-replayed"]) == (two.text, "true")
