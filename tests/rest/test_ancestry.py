"""Records below records of their own kind: none below itself at any depth, and none below what is gone."""

import asyncio
from typing import Any

import pytest

from airside.db.base import Row
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

CIRCLE = {"parent": ["It cannot be below itself."]}


async def chain(workshop: Workshop, length: int) -> list[Row]:
    """Work items, each below the one before."""
    made: list[Row] = []
    for _ in range(length):
        above = made[-1]["id"] if made else None
        made.append(await workshop.make("work-items", name=unique("Item"), parent=above))
    return made


async def put_below(workshop: Workshop, item: Row, parent: Row) -> Any:
    return await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"parent": parent["id"]})


async def test_nothing_stands_below_itself_at_any_depth(workshop: Workshop) -> None:
    top, middle, bottom = await chain(workshop, 3)
    for one in (top, middle, bottom):
        answer = await put_below(workshop, top, one)
        assert (answer.status_code, answer.json) == (400, CIRCLE)
    assert (await put_below(workshop, bottom, top)).status_code == 200  # beside its former parent
    assert (await put_below(workshop, middle, bottom)).status_code == 200


async def test_two_that_are_put_below_each_other_at_once_make_no_circle(workshop: Workshop) -> None:
    one, other = [(await chain(workshop, 1))[0] for _ in range(2)]
    answers = await asyncio.gather(put_below(workshop, one, other), put_below(workshop, other, one))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_a_change_of_something_else_may_send_the_parent_back(workshop: Workshop) -> None:
    top, below = await chain(workshop, 2)
    answer = await workshop.ana.patch(
        workshop.path(f"work-items/{below['id']}"), {"name": "Renamed", "parent": top["id"]}
    )
    assert (answer.status_code, answer.json["parent"]) == (200, top["id"])


async def test_children_of_a_deleted_record_lose_their_parent_with_an_event(workshop: Workshop) -> None:
    top, middle, bottom = await chain(workshop, 3)
    second = await workshop.make("work-items", name=unique("Item"), parent=top["id"])
    workshop.clock.advance(minutes=1)
    assert (await workshop.ana.delete(workshop.path(f"work-items/{top['id']}"))).status_code == 204
    for child in (middle, second):
        shown = (await workshop.ana.get(workshop.path(f"work-items/{child['id']}"))).json
        assert (shown["parent"], shown["updated_by"]) == (None, workshop.cast.ana["id"])
        event = (await workshop.events_of(child["id"]))[-1]
        [change] = event["changes"]
        recorded_change = (event["name"], change["field"], change["old_value"], change["new_value"])
        assert recorded_change == ("workitem.updated", "parent", top["id"], None)
    left = (await workshop.ana.get(workshop.path(f"work-items/{bottom['id']}"))).json
    assert left["parent"] == middle["id"]
    assert len(await workshop.events_of(bottom["id"])) == 1
