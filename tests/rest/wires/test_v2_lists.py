"""Lists of v2 as a client reads them: positions, fields, filters, errors."""

import json
from typing import Any

import pytest

from airside.rest.wires.v2.wire import V2
from tests.rest.conftest import workshop
from tests.support.workshop import Workshop, unique

__all__ = ["workshop"]
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def get(workshop: Workshop, path: str = "labels", **query: str) -> Any:
    answer = await workshop.ana.on(V2).get(workshop.path(path), **query)
    assert answer.status_code == 200, answer.text
    return answer.json


async def refusal(workshop: Workshop, **query: str) -> Any:
    answer = await workshop.ana.on(V2).get(workshop.path("labels"), **query)
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = json.loads(answer.text)["errors"]
    return answer.status_code, error["field"], error["code"]


async def test_pages_by_cursor_have_each_record_once_and_the_last_says_so(workshop: Workshop) -> None:
    made = [(await workshop.make("labels", name=unique("Page")))["id"] for _ in range(6)]
    asked, read = {"order_by": "-created_at", "per_page": "3", "paginate": "cursor"}, list[str]()
    for has_more in (True, False):
        page = await get(workshop, search="page", **asked)
        read += [row["id"] for row in page["data"]]
        assert (page["has_more"], page["next_cursor"] is None) == (has_more, not has_more)
        asked["cursor"] = page["next_cursor"]
    assert read == made[::-1]


async def test_a_record_that_was_made_meanwhile_shifts_no_page(workshop: Workshop) -> None:
    for _ in range(4):
        await workshop.make("labels", name=unique("Shift"))
    asked = {"order_by": "-id", "per_page": "2", "search": "shift"}
    first = await get(workshop, paginate="cursor", **asked)
    await workshop.make("labels", name=unique("Shift"))
    second = await get(workshop, cursor=first["next_cursor"], **asked)
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}


async def test_an_unknown_field_is_refused_with_the_closest_one(workshop: Workshop) -> None:
    await workshop.make("labels", name=unique("Field"))
    assert await refusal(workshop, fields="id,colour") == (400, "fields", "invalid_choice")
    answer = await workshop.ana.on(V2).get(workshop.path("labels"), fields="colour")
    assert 'Did you mean "color"?' in json.loads(answer.text)["errors"][0]["message"]
    assert list((await get(workshop, fields="color,name"))["data"][0]) == ["id", "name", "color"]


async def test_filters_find_by_name_in_any_case_by_parent_and_by_its_absence(workshop: Workshop) -> None:
    above = await workshop.make("labels", name=unique("Above"))
    below = await workshop.make("labels", name=unique("Below"), parent=above["id"])

    async def found(**query: str) -> set[str]:
        return {row["id"] for row in (await get(workshop, per_page="200", **query))["data"]}

    assert await found(name=above["name"].upper()) == {above["id"]}
    assert await found(name=above["name"][:-1] + "%") == set()
    assert await found(parent_id=above["id"]) == {below["id"]}
    assert below["id"] in await found(parent_id__isnull="false")
    assert above["id"] in await found(parent_id__isnull="true")
    assert await refusal(workshop, parent_id="x") == (400, "parent_id", "invalid")
    assert await refusal(workshop, color="#fff") == (400, "color", "invalid")


async def test_states_are_filtered_by_several_groups(workshop: Workshop) -> None:
    page = await get(workshop, "states", group__in="started,completed")
    assert {state["group"] for state in page["data"]} == {"started", "completed"}
    answer = await workshop.ana.on(V2).get(workshop.path("states"), group__in="started,nonsense")
    assert json.loads(answer.text)["errors"][0]["code"] == "invalid_choice"


async def test_null_clears_and_a_refused_write_is_a_conflict(workshop: Workshop) -> None:
    v2 = workshop.ana.on(V2)
    state = await workshop.make("states", name=unique("State"), color="#123456", description="x")
    cleared = await v2.patch(
        workshop.path(f"states/{state['id']}"), {"description": None, "is_default": None}
    )
    assert (cleared.json["description"], cleared.json["is_default"]) == ("", False)
    kept = next(one for one in (await get(workshop, "states", is_default="true"))["data"])
    refused = await v2.delete(workshop.path(f"states/{kept['id']}"))
    assert (refused.status_code, json.loads(refused.text)["type"]) == (409, "conflict")


async def test_a_write_that_asks_for_an_unknown_field_writes_nothing(workshop: Workshop) -> None:
    name = unique("Unwritten")
    path, body = f"/api/v2/{workshop.path('labels')}/", json.dumps({"name": name}).encode()
    refused = await workshop.ana.raw("POST", path, {"fields": "colour"}, body=body)
    assert refused.status_code == 400
    assert not (await get(workshop, name=name))["data"]
