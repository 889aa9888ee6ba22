"""One record under a parent, without an id in the URL."""

import asyncio

import pytest

from airside.db.base import new_id
from tests.rest.cars import car_insurances
from tests.support.api import Client, ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

MISSING = {"error": "The requested resource does not exist."}


async def make_car(workshop: Workshop, client: Client) -> tuple[str, str]:
    car = (await client.post(workshop.path("cars"), {"name": unique("Car")})).json["id"]
    return car, workshop.path(f"cars/{car}/insurance")


async def test_it_is_there_from_the_start_and_stored_with_its_first_change(
    workshop: Workshop, car_api: ServedApi
) -> None:
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        car, path = await make_car(workshop, ben)
        default = {"car": car, "insurer": None, "is_valid": False, "updated_at": None}
        assert (await ben.get(path)).json == default
        assert await workshop.site.db.find_all(car_insurances, car_id=car) == []
        changed = await ben.patch(path, {"insurer": "Acme"})
        assert (changed.status_code, changed.json["insurer"], changed.json["is_valid"]) == (
            200,
            "Acme",
            False,
        )
        assert (await ben.get(path)).json == changed.json
        assert (await ben.get(path, fields="insurer")).json == {"insurer": "Acme"}
        await ben.patch(path, {"insurer": "Acme"})
        await ben.patch(path, {"is_valid": True})
    [row] = await workshop.site.db.find_all(car_insurances, car_id=car)
    events = await workshop.events_of(row["id"])
    assert [event["name"] for event in events] == ["cycle.updated"] * 2
    assert [event["previous"] for event in events] == [{"insurer": None}, {"is_valid": False}]
    assert (row["project_id"], row["workspace_id"]) == (workshop.engine, workshop.cast.acme["id"])


async def test_what_a_client_read_it_may_send_back_without_an_event(
    workshop: Workshop, car_api: ServedApi
) -> None:
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        car, path = await make_car(workshop, ben)
        await ben.patch(path, {"insurer": "Acme"})
        shown = (await ben.get(path)).json
        assert (await ben.patch(path, shown)).json == shown
    [row] = await workshop.site.db.find_all(car_insurances, car_id=car)
    assert len(await workshop.events_of(row["id"])) == 1


async def test_two_first_changes_at_once_store_one_row(workshop: Workshop, car_api: ServedApi) -> None:
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        car, path = await make_car(workshop, ben)
        answers = await asyncio.gather(*(ben.patch(path, {"insurer": name}) for name in "abc"))
        assert {answer.status_code for answer in answers} == {200}
    assert len(await workshop.site.db.find_all(car_insurances, car_id=car)) == 1


async def test_tn1_its_parent_has_to_be_there(workshop: Workshop, car_api: ServedApi) -> None:
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        _, path = await make_car(workshop, ana)
        async with car_api.acting_as(workshop.cast.zoe["id"]) as zoe:
            theirs = (await zoe.post("workspaces/other/cars", {"name": "Theirs"})).json["id"]
        for car in (new_id(), theirs):
            for method, body in (("GET", None), ("PATCH", {"insurer": "x"})):
                answer = await ana.send(method, workshop.path(f"cars/{car}/insurance"), body)
                assert (answer.status_code, answer.json) == (404, MISSING)
        assert (await ana.patch(path, {"is_valid": None})).json == {
            "is_valid": ["This field may not be null."]
        }


async def test_a_guest_reads_it_and_a_member_changes_it(workshop: Workshop, car_api: ServedApi) -> None:
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        _, path = await make_car(workshop, ben)
    async with car_api.acting_as(workshop.cast.gil["id"]) as gil:
        assert (await gil.get(path)).status_code == 200
        assert (await gil.patch(path, {"insurer": "x"})).status_code == 403
