"""What of a record an answer shows, and what stands in place of its ids."""

from dataclasses import replace

import pytest

from airside.rest.shaping import shown_names
from airside.rest.wires.v1.lists import MAX_NAMES, split_names
from airside.work.work_items.work_items import WorkItemOut
from tests.rest.cars import PROJECT_CARS, loads
from tests.support.api import ServedApi, serve_api
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_answer_has_the_declared_fields_in_their_order(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A")
    always = tuple(name for name in shown_names(WorkItemOut) if name != "custom_fields")
    assert tuple(item) == always
    listed = (await workshop.ana.get(workshop.path("work-items"))).json["results"]
    assert tuple(listed[0]) == always


async def test_a_field_on_request_is_answered_where_expand_or_fields_names_it(workshop: Workshop) -> None:
    path = workshop.path(f"work-items/{(await workshop.make('work-items', name='A'))['id']}")
    assert "custom_fields" not in (await workshop.ana.get(path, expand="state")).json
    assert (await workshop.ana.get(path, expand="state,custom_fields")).json["custom_fields"] == {}
    assert (await workshop.ana.get(path, fields="custom_fields")).json == {"custom_fields": {}}


async def test_what_is_answered_on_request_is_looked_up_only_then(
    workshop: Workshop, car_api: ServedApi
) -> None:
    names = ("labels", "label_count")
    face = replace(PROJECT_CARS, on_request=names, event_expands=names)
    async with serve_api(workshop.site, face).acting_as(workshop.cast.ana["id"]) as ana:
        path = f"{workshop.path('cars')}/{(await ana.post(workshop.path('cars'), {'name': 'A'})).json['id']}"
        for query, asked in (
            ({}, set[str]()),
            ({"expand": "labels"}, {"labels"}),
            ({"fields": "name"}, set()),
        ):
            loads.clear()
            shown = (await ana.get(path, **query)).json
            assert shown.keys() & {"labels", "label_count"} == asked
            assert len(loads) == len(asked), query


async def test_fields_narrows_an_answer_to_those_it_names(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A")
    one = await workshop.ana.get(
        workshop.path(f"work-items/{item['id']}"), fields="name, id,nothing,workspace_id"
    )
    assert list(one.json.items()) == [("id", item["id"]), ("name", "A")]
    listed = await workshop.ana.get(workshop.path("work-items"), fields="state")
    assert {tuple(row) for row in listed.json["results"]} == {("state",)}
    assert (await workshop.ana.get(workshop.path(f"work-items/{item['id']}"), fields="nothing")).json == {}


async def test_expand_puts_small_objects_in_place_of_ids(workshop: Workshop) -> None:
    labels = [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(2)]
    item = await workshop.make("work-items", name="A", labels=labels, assignees=[workshop.cast.ben["id"]])
    asked = "state,labels,assignees,project,workspace,created_by,parent,name,nothing"
    shown = (await workshop.ana.get(workshop.path(f"work-items/{item['id']}"), expand=asked)).json
    assert set(shown["state"]) == {"id", "name", "color", "group"}
    assert [(one["id"], set(one)) for one in shown["labels"]] == [
        (one, {"id", "name", "color"}) for one in labels
    ]
    assert shown["assignees"][0]["email"] == "ben@example.com"
    assert "password_hash" not in shown["created_by"]
    assert (shown["project"]["identifier"], shown["workspace"]["slug"]) == ("ENGIN", "acme")
    assert (shown["parent"], shown["name"]) == (None, "A")
    listed = (await workshop.ana.get(workshop.path("work-items"), expand=asked, per_page="1000")).json
    assert next(one for one in listed["results"] if one["id"] == item["id"]) == shown


async def test_expand_shows_nothing_that_fields_left_out(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A")
    path = workshop.path(f"work-items/{item['id']}")
    assert (await workshop.ana.get(path, fields="id", expand="state")).json == {"id": item["id"]}
    both = (await workshop.ana.get(path, fields="id,state", expand="state")).json
    assert set(both["state"]) == {"id", "name", "color", "group"}


async def test_a_written_record_is_answered_in_the_shape_that_was_asked_for(workshop: Workshop) -> None:
    made = await workshop.ana.send(
        "POST", workshop.path("labels"), {"name": unique("Label")}, fields="id,project"
    )
    assert set(made.json) == {"id", "project"}
    path = workshop.path(f"labels/{made.json['id']}")
    changed = await workshop.ana.send("PATCH", path, {"color": "#1"}, fields="color", expand="project")
    assert changed.json == {"color": "#1"}


async def test_no_more_names_are_read_than_a_resource_could_have() -> None:
    assert len(split_names("a," * 10_000)) == MAX_NAMES
    assert split_names("") == []
    assert split_names(" a , b") == ["a", "b"]
