"""List, create, retrieve, update, delete: what each does for any declared resource, such as labels."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.work.projects.labels import LABELS_V1, Labels, labels
from tests.support.api import ServedApi, serve_api
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(workshop: Workshop, **body: Any) -> Row:
    return await workshop.make("labels", **({"name": unique("Label")} | body))


async def test_a_new_record_says_who_made_it_when_and_where(workshop: Workshop) -> None:
    label = await make(workshop)
    row = await workshop.site.db.find(labels, id=label["id"])
    assert row is not None
    assert (row["workspace_id"], row["project_id"]) == (workshop.cast.acme["id"], workshop.engine)
    assert (label["created_by"], label["updated_by"]) == (workshop.cast.ana["id"], None)
    assert row["created_at"] == row["updated_at"] == workshop.clock.now()
    assert label["deleted_at"] is None
    assert (await workshop.ana.get(workshop.path(f"labels/{label['id']}"))).json == label


async def test_a_body_decides_neither_keys_nor_stamps(workshop: Workshop) -> None:
    theirs = {"id": new_id(), "workspace": workshop.cast.other["id"], "workspace_id": workshop.cast.other["id"],
              "project": workshop.garage, "project_id": workshop.garage, "created_by": workshop.cast.zoe["id"],
              "created_at": "2001-01-01T00:00:00Z", "deleted_at": "2001-01-01T00:00:00Z"}  # fmt: skip
    label = await make(workshop, **theirs)
    changed = (await workshop.ana.patch(workshop.path(f"labels/{label['id']}"), theirs)).json
    for shown in (label, changed):
        assert shown["id"] != theirs["id"]
        assert (shown["workspace"], shown["project"]) == (workshop.cast.acme["id"], workshop.engine)
        assert (shown["created_by"], shown["deleted_at"]) == (workshop.cast.ana["id"], None)
        assert shown["created_at"][:4] == "2026"


async def test_a_change_keeps_what_was_not_sent_and_says_who_and_when(workshop: Workshop) -> None:
    label = await make(workshop, color="#123456", description="Kept")
    workshop.clock.advance(minutes=1)
    changed = (await workshop.ben.patch(workshop.path(f"labels/{label['id']}"), {"color": "#fff"})).json
    differing = {name for name in label if label[name] != changed[name]}
    assert differing == {"color", "updated_at", "updated_by"}
    assert changed["updated_by"] == workshop.cast.ben["id"]
    assert datetime.fromisoformat(changed["updated_at"]) == workshop.clock.now()


async def test_a_change_that_changes_nothing_leaves_no_trace(workshop: Workshop) -> None:
    label = await make(workshop)
    workshop.clock.advance(minutes=1)
    for body in ({}, {"name": label["name"]}, {"unknown": 1}):
        assert (await workshop.ben.patch(workshop.path(f"labels/{label['id']}"), body)).json == label
    assert [event["name"] for event in await workshop.events_of(label["id"])] == ["label.created"]


async def test_null_in_a_change_is_refused_where_something_has_to_be(workshop: Workshop) -> None:
    label = await make(workshop, description="Kept")
    path, refusal = workshop.path(f"labels/{label['id']}"), ["This field may not be null."]
    for name in ("name", "color", "description", "sort_order"):
        answer = await workshop.ana.patch(path, {name: None})
        assert (answer.status_code, answer.json) == (400, {name: refusal})
    state = workshop.path(f"states/{await workshop.state_of('started')}")  # POST would choose its place
    assert (await workshop.ana.patch(state, {"sequence": None})).json == {"sequence": refusal}
    assert (await workshop.ana.patch(path, {"parent": None, "external_id": None})).json == label


async def test_a_deleted_record_is_gone_for_every_verb(workshop: Workshop) -> None:
    label = await make(workshop, external_source="gh", external_id=unique("x"))
    path = workshop.path(f"labels/{label['id']}")
    deleted = await workshop.ana.delete(path)
    assert (deleted.status_code, deleted.text) == (204, "")
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await workshop.ana.send(method, path, body)
        assert (answer.status_code, answer.json) == (404, {"error": "The requested resource does not exist."})
    listed = (await workshop.ana.get(workshop.path("labels"), per_page="1000")).json
    assert label["id"] not in [one["id"] for one in listed["results"]]
    assert listed["total_count"] == len(listed["results"])
    row = await workshop.site.db.find(labels, id=label["id"])
    assert row is not None  # only hidden
    assert row["deleted_at"] == workshop.clock.now()


async def test_of_two_deletions_at_once_one_deletes_and_the_other_finds_nothing(
    workshop: Workshop, car_api: ServedApi
) -> None:
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        for _ in range(3):
            car = (await ben.post(workshop.path("cars"), {"name": unique("Car")})).json["id"]
            path = workshop.path(f"cars/{car}")
            answers = await asyncio.gather(ben.delete(path), ben.delete(path))
            assert sorted(answer.status_code for answer in answers) == [204, 404]
            recorded = [event["name"] for event in await workshop.events_of(car)]
            assert recorded == ["module.created", "module.deleted"]


async def test_an_external_id_is_taken_once_and_who_has_it_is_named(workshop: Workshop) -> None:
    given = {"external_source": "github", "external_id": unique("id")}
    first, second = await make(workshop, **given), await make(workshop)
    sentence = "Label with the same external id and external source already exists"
    refusal = {"error": sentence, "id": first["id"]}
    again = await workshop.ana.post(workshop.path("labels"), {"name": unique("Label")} | given)
    moved = await workshop.ana.patch(workshop.path(f"labels/{second['id']}"), given)
    assert [(one.status_code, one.json) for one in (again, moved)] == [(409, refusal)] * 2
    half = await make(workshop, external_source="github")
    joined = await workshop.ana.patch(
        workshop.path(f"labels/{half['id']}"), {"external_id": given["external_id"]}
    )
    assert (joined.status_code, joined.json) == (409, refusal)


async def test_an_external_id_is_free_for_itself_elsewhere_and_after_a_deletion(workshop: Workshop) -> None:
    given = {"external_source": "github", "external_id": unique("id")}
    label = await make(workshop, **given)
    path = workshop.path(f"labels/{label['id']}")
    assert (await workshop.ana.patch(path, given | {"color": "#1"})).status_code == 200
    await make(workshop, **given | {"external_source": "gitlab"})
    garage = f"workspaces/acme/projects/{workshop.garage}/labels"
    assert (await workshop.ana.post(garage, {"name": unique("Label")} | given)).status_code == 201
    assert (await workshop.ana.delete(path)).status_code == 204
    await make(workshop, **given)


async def test_a_list_asked_for_an_external_id_answers_with_the_record_that_has_it(
    workshop: Workshop,
) -> None:
    given = {"external_source": "github", "external_id": unique("id")}
    label = await make(workshop, **given)
    assert (await workshop.ana.get(workshop.path("labels"), **given)).json == label
    narrowed = await workshop.ana.get(workshop.path("labels"), **given, fields="id")
    assert narrowed.json == {"id": label["id"]}
    missing = await workshop.ana.get(workshop.path("labels"), **given | {"external_source": "gitlab"})
    assert missing.status_code == 404
    half = await workshop.ana.get(workshop.path("labels"), external_id=given["external_id"])
    assert "results" in half.json


async def test_what_is_below_a_record_that_is_not_there_is_not_there(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A")
    here, gone = (
        workshop.path(f"work-items/{item['id']}/links"),
        workshop.path(f"work-items/{new_id()}/links"),
    )
    elsewhere = here.replace(workshop.engine, workshop.garage)
    link = (await workshop.ana.post(here, {"url": "https://a.example"})).json["id"]
    for base in (gone, elsewhere):
        for method, path, body in (
            ("GET", base, None),
            ("POST", base, {"url": "https://b.example"}),
            ("GET", f"{base}/{link}", None),
            ("PATCH", f"{base}/{link}", {"title": "x"}),
            ("DELETE", f"{base}/{link}", None),
        ):
            assert (await workshop.ana.send(method, path, body)).status_code == 404, (method, path)
    other = workshop.path(f"work-items/{(await workshop.make('work-items', name='B'))['id']}/links/{link}")
    assert (await workshop.ana.get(other)).status_code == 404
    assert (await workshop.ana.get(f"{here}/{link}")).status_code == 200
    assert (await workshop.ana.delete(here.removesuffix("/links"))).status_code == 204
    for path in (here, f"{here}/{link}"):
        assert (await workshop.ana.get(path)).status_code == 404
    assert (await workshop.ana.post(here, {"url": "https://b.example"})).status_code == 404


class UntoldLabels(Labels):
    """Labels whose events can't be recorded: the catalogue knows no such name."""

    event = "nothing"


async def test_a_change_whose_event_fails_is_not_stored(workshop: Workshop) -> None:
    label, name = await make(workshop), unique("Label")
    path = workshop.path(f"labels/{label['id']}")
    face = replace(LABELS_V1, record=UntoldLabels())
    async with serve_api(workshop.site, face).acting_as(workshop.cast.ana["id"]) as ana:
        assert (await ana.post(workshop.path("labels"), {"name": name})).status_code == 500
        assert (await ana.patch(path, {"name": name})).status_code == 500
        assert (await ana.delete(path)).status_code == 500
    assert await workshop.site.db.find_all(labels, name=name) == []
    assert (await workshop.ana.get(path)).json == label
