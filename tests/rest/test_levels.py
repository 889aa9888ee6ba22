"""A record that exists in the workspace and in its projects: each list has its own level's."""

from typing import Any

import pytest

from airside.db.base import new_id
from tests.rest.cars import cars
from tests.support.api import ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOP = "workspaces/acme/cars"
MISSING = {"error": "The requested resource does not exist."}


async def test_a_record_of_each_level_is_stored_listed_and_found_at_its_own(
    workshop: Workshop, car_api: ServedApi
) -> None:
    paths = {"top": TOP, "engine": workshop.path("cars"), "garage": TOP.replace("cars", "projects/")}
    paths["garage"] += f"{workshop.garage}/cars"
    projects = {"top": None, "engine": workshop.engine, "garage": workshop.garage}
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        made: dict[str, Any] = {}
        for level, path in paths.items():
            answer = await ana.post(path, {"name": unique("Car")})
            assert (answer.status_code, answer.json["project"]) == (201, projects[level])
            made[level] = answer.json["id"]
            row = await workshop.site.db.find(cars, id=made[level])
            assert row is not None
            assert (row["workspace_id"], row["project_id"]) == (workshop.cast.acme["id"], projects[level])
        for level, path in paths.items():
            listed = (await ana.get(path, per_page="1000")).json
            assert {one["id"] for one in listed["results"]} & {*made.values()} == {made[level]}
            assert {one["project"] for one in listed["results"]} == {projects[level]}
            for other, car in made.items():
                for method, body in (("GET", None), ("PATCH", {"name": "Ours"})):
                    answer = await ana.send(method, f"{path}/{car}", body)
                    assert answer.status_code == (200 if other == level else 404), (level, other, method)
        for level, path in paths.items():
            others = [car for other, car in made.items() if other != level]
            for car in others:
                assert (await ana.delete(f"{path}/{car}")).json == MISSING
            assert (await ana.delete(f"{path}/{made[level]}")).status_code == 204


async def test_the_role_is_that_of_the_level(workshop: Workshop, car_api: ServedApi) -> None:
    async with car_api.acting_as(workshop.cast.gil["id"]) as gil:
        for path in (TOP, workshop.path("cars")):
            assert (await gil.get(path)).status_code == 200
            assert (await gil.post(path, {"name": "A"})).status_code == 403


async def test_tn1_the_workspaces_records_stay_within_it(workshop: Workshop, car_api: ServedApi) -> None:
    async with (
        car_api.acting_as(workshop.cast.ana["id"]) as ana,
        car_api.acting_as(workshop.cast.zoe["id"]) as zoe,
    ):
        theirs = (await zoe.post("workspaces/other/cars", {"name": "Theirs"})).json["id"]
        for one in (theirs, new_id()):
            assert (await ana.get(f"{TOP}/{one}")).json == MISSING
        listed = (await ana.get(TOP, per_page="1000")).json["results"]
        assert theirs not in {one["id"] for one in listed}


async def test_an_external_id_is_taken_at_its_own_level_only(workshop: Workshop, car_api: ServedApi) -> None:
    body = {"name": "A", "external_source": "dealer", "external_id": unique("x")}
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        for path in (TOP, workshop.path("cars")):
            made = await ana.post(path, body)
            assert made.status_code == 201
            again = await ana.post(path, body)
            assert (again.status_code, again.json["id"]) == (409, made.json["id"])


async def test_the_events_of_a_workspaces_record_name_no_project(
    workshop: Workshop, car_api: ServedApi
) -> None:
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        for path, project in ((TOP, None), (workshop.path("cars"), workshop.engine)):
            car = (await ana.post(path, {"name": "A"})).json["id"]
            await ana.patch(f"{path}/{car}", {"name": "B"})
            events = await workshop.events_of(car)
            assert [event["name"] for event in events] == ["module.created", "module.updated"]
            assert {event["project_id"] for event in events} == {project}
            assert events[1]["previous"] == {"name": "A"}
