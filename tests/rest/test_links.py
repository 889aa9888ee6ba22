"""Links under a parent: list, add, remove."""

from typing import Any

import pytest

from airside.db.base import new_id
from airside.events.tables import events
from airside.rest.routes import list_routes
from airside.work.projects.labels import LabelOut
from tests.rest.cars import CAR_TABLE, car_drivers, car_labels, cars
from tests.support.api import Client, ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

MISSING = {"error": "The requested resource does not exist."}


def unknown(one: str) -> list[str]:
    return [f'Invalid pk "{one}" - object does not exist.']


async def make_car(workshop: Workshop, ana: Client) -> tuple[str, str]:
    """The car's id, and the path of its labels."""
    car = (await ana.post(workshop.path("cars"), {"name": unique("Car")})).json["id"]
    return car, workshop.path(f"cars/{car}/labels")


async def make_labels(workshop: Workshop, number: int) -> list[str]:
    return [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(number)]


async def link_events(workshop: Workshop, car: str) -> list[tuple[str, str]]:
    """Name and label of each, in order."""
    rows = await workshop.site.db.find_all(car_labels, car_id=car)
    found = [event for row in rows for event in await workshop.events_of(row["id"])]
    named = {row["id"]: row["label_id"] for row in rows}
    return [(event["name"], named[event["entity_id"]]) for event in found]


async def test_what_is_linked_is_answered_listed_and_recorded_once(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two, three = await make_labels(workshop, 3)
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        car, path = await make_car(workshop, ben)
        added = await ben.post(path, {"label_ids": [two, one, two]})
        assert (added.status_code, [label["id"] for label in added.json]) == (200, [two, one])
        assert [label["id"] for label in (await ben.get(path)).json["results"]] == [two, one]
        again = await ben.post(path, {"label_ids": [one, three]})
        assert [label["id"] for label in again.json] == [one, three]
        listed = (await ben.get(path, per_page="2", order_by="created_at", fields="id,name")).json
        assert [label["id"] for label in listed["results"]] == [one, two]
        assert (listed["total_count"], set(listed["results"][0])) == (3, {"id", "name"})
    recorded = await link_events(workshop, car)
    assert sorted(recorded) == sorted(("workitem.relation.created", label) for label in (one, two, three))
    rows = await workshop.site.db.find_all(car_labels, car_id=car)
    assert {row["created_by_id"] for row in rows} == {workshop.cast.ben["id"]}


async def test_links_are_removed_by_ids_or_one_by_one_each_with_its_event(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two, three = await make_labels(workshop, 3)
    async with car_api.acting_as(workshop.cast.ben["id"]) as ben:
        car, path = await make_car(workshop, ben)
        await ben.post(path, {"label_ids": [one, two, three]})
        assert (await ben.delete(path, {"label_ids": [one, two]})).status_code == 204
        assert [label["id"] for label in (await ben.get(path)).json["results"]] == [three]
        assert (await ben.delete(f"{path}/{three.upper()}")).status_code == 204
        assert (await ben.delete(f"{path}/{three}")).json == MISSING
        assert (await ben.get(path)).json["results"] == []
        refused = await ben.delete(path, {"label_ids": [three]})
        assert (refused.status_code, refused.json) == (400, {"label_ids": {"0": unknown(three)}})
        assert (await ben.post(path, {"label_ids": [one]})).status_code == 200, "it may come back"
    counts = [name for name, _ in await link_events(workshop, car)]
    assert counts.count("workitem.relation.created") == 4
    assert counts.count("workitem.relation.deleted") == 3


async def test_tn1_an_id_that_names_nothing_here_is_refused_in_one_way_and_nothing_is_linked(
    workshop: Workshop, car_api: ServedApi
) -> None:
    [ours] = await make_labels(workshop, 1)
    [deleted] = await make_labels(workshop, 1)
    await workshop.ana.delete(workshop.path(f"labels/{deleted}"))
    garage = f"workspaces/acme/projects/{workshop.garage}/labels"
    beside = (await workshop.ana.post(garage, {"name": unique("Label")})).json["id"]
    elsewhere = f"workspaces/other/projects/{workshop.elsewhere}/labels"
    foreign = (await workshop.zoe.post(elsewhere, {"name": unique("Label")})).json["id"]
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car, path = await make_car(workshop, ana)
        before = len(await workshop.site.db.find_all(events))
        for wrong in (new_id(), deleted, beside, foreign):
            for method in ("POST", "DELETE"):
                refused = await ana.send(method, path, {"label_ids": [ours, wrong]})
                place = {"1": unknown(wrong)}
                place |= {"0": unknown(ours)} if method == "DELETE" else {}
                assert (refused.status_code, refused.json) == (400, {"label_ids": place})
            assert (await ana.delete(f"{path}/{wrong}")).json == MISSING
        assert len(await workshop.site.db.find_all(events)) == before
        assert await workshop.site.db.find_all(car_labels, car_id=car) == []


async def test_tn1_the_parent_has_to_be_there_at_its_level(workshop: Workshop, car_api: ServedApi) -> None:
    [label] = await make_labels(workshop, 1)
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        top = (await ana.post("workspaces/acme/cars", {"name": "Top"})).json["id"]
        async with car_api.acting_as(workshop.cast.zoe["id"]) as zoe:
            foreign = (await zoe.post("workspaces/other/cars", {"name": "Theirs"})).json["id"]
        for car in (new_id(), top, foreign):
            path = workshop.path(f"cars/{car}/labels")
            for method, body in (
                ("GET", None),
                ("POST", {"label_ids": [label]}),
                ("DELETE", {"label_ids": []}),
            ):
                assert (await ana.send(method, path, body)).json == MISSING, (car, method)
            assert (await ana.delete(f"{path}/{label}")).json == MISSING


async def test_under_an_archived_parent_nothing_is_added_or_removed(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two = await make_labels(workshop, 2)
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car, path = await make_car(workshop, ana)
        await ana.post(path, {"label_ids": [one]})
        async with workshop.site.db.transaction() as tx:
            await tx.update(cars, {"archived_at": workshop.clock.now()}, id=car)
        for answer in (
            await ana.post(path, {"label_ids": [two]}),
            await ana.delete(path, {"label_ids": [one]}),
            await ana.delete(f"{path}/{one}"),
        ):
            assert (answer.status_code, answer.json) == (400, {"error": "Archived car cannot be updated"})
        assert [label["id"] for label in (await ana.get(path)).json["results"]] == [one]


async def test_only_a_member_changes_links_and_a_guest_reads_them(
    workshop: Workshop, car_api: ServedApi
) -> None:
    [label] = await make_labels(workshop, 1)
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        _, path = await make_car(workshop, ana)
    async with car_api.acting_as(workshop.cast.gil["id"]) as gil:
        assert (await gil.get(path)).status_code == 200
        for method, tail in (("POST", ""), ("DELETE", ""), ("DELETE", f"/{label}")):
            answer = await gil.send(method, f"{path}{tail}", {"label_ids": [label]})
            assert answer.status_code == 403


async def test_a_single_id_has_fields_of_its_own_and_the_links_themselves_are_listed(
    workshop: Workshop, car_api: ServedApi
) -> None:
    ben, zoe = workshop.cast.ben["id"], workshop.cast.zoe["id"]
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car = (await ana.post("workspaces/acme/cars", {"name": "Top"})).json["id"]
        path = f"workspaces/acme/cars/{car}/drivers"
        added = await ana.post(path, {"driver": ben, "seat": "left"})
        assert (added.status_code, added.text) == (204, "")
        assert (await ana.get(path)).json["results"] == [{"driver": ben, "seat": "left"}]
        for wrong in (zoe, new_id()):
            refused = await ana.post(path, {"driver": wrong})
            assert (refused.status_code, refused.json) == (400, {"driver": unknown(wrong)})
        assert (await ana.delete(f"{path}/{ben}")).status_code == 204
    [row] = await workshop.site.db.find_all(car_drivers, car_id=car)
    assert row["deleted_at"] is not None


@pytest.mark.parametrize("ids", [None, "x", [None], ["x"], [[]], {}, 1])
async def test_hostile_ids_are_refused_by_name(workshop: Workshop, car_api: ServedApi, ids: Any) -> None:
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        _, path = await make_car(workshop, ana)
        for method in ("POST", "DELETE"):
            answer = await ana.send(method, path, {"label_ids": ids})
            assert (answer.status_code, list(answer.json)) == (400, ["label_ids"])


async def test_links_that_are_added_without_an_answer_describe_none() -> None:
    shown = {route.name: route.shown for route in list_routes(CAR_TABLE) if route.method == "POST"}
    assert (shown["add_car_labels"], shown["add_car_drivers"]) == (list[LabelOut], None)
