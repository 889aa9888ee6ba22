"""Fields that aren't columns: shown, filtered and ordered by, and in events, as columns are."""

import pytest

from tests.rest.cars import loads
from tests.support.api import ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make_labels(workshop: Workshop, number: int) -> list[str]:
    return [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(number)]


async def test_a_computed_field_is_shown_everywhere_with_one_query_for_all_rows(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two = await make_labels(workshop, 2)
    path = workshop.path("cars")
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        made = (await ana.post(path, {"name": "A", "labels": [one, two]})).json
        bare = (await ana.post(path, {"name": "B"})).json
        assert (made["labels"], made["label_count"], made["wheels"]) == ([one, two], 2, 4)
        assert (bare["labels"], bare["label_count"], bare["wheels"]) == ([], 0, 4)
        assert (await ana.get(f"{path}/{made['id']}")).json == made
        loads.clear()
        listed = (await ana.get(path, per_page="1000")).json["results"]
        assert {one["id"]: one for one in listed}[made["id"]] == made
        assert loads == [len(listed)], "two fields share a loader, which runs once a page"
        chosen = (await ana.get(f"{path}/{made['id']}", fields="label_count")).json
        assert chosen == {"label_count": 2}


async def test_a_list_is_filtered_and_ordered_by_computed_fields(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two, three = await make_labels(workshop, 3)
    path = workshop.path("cars")
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        bodies = ([one], [one, two, three], [one, two])
        made = [(await ana.post(path, {"name": "A", "labels": body})).json["id"] for body in bodies]

        async def listed(**query: str) -> list[str]:
            answer = await ana.get(path, per_page="1000", **query)
            assert answer.status_code == 200, answer.text
            return [car["id"] for car in answer.json["results"] if car["id"] in made]

        assert await listed(order_by="label_count") == [made[0], made[2], made[1]]
        assert await listed(order_by="-label_count") == [made[1], made[2], made[0]]
        assert await listed(label_count="2") == [made[2]]
        assert await listed(labels=three) == [made[1]]
        assert await listed(labels=f"{two},{three}", order_by="label_count") == [made[2], made[1]]
        assert await listed(labels=two, label_count="1") == []
        for query, status in (
            ({"label_count": "x"}, 400),
            ({"labels": "x"}, 400),
            ({"order_by": "wheels"}, 400),
        ):
            assert (await ana.get(path, **query)).status_code == status, query
        refused = await ana.get(path, wheels="4")
        assert (refused.status_code, list(refused.json)) == (400, ["wheels"])


async def test_an_event_has_computed_fields_as_they_are_and_were(
    workshop: Workshop, car_api: ServedApi
) -> None:
    one, two, three = await make_labels(workshop, 3)
    path = workshop.path("cars")
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car = (await ana.post(path, {"name": "A", "labels": [one, two]})).json["id"]
        await ana.patch(f"{path}/{car}", {"labels": [two, three]})
        await ana.patch(f"{path}/{car}", {"labels": [two, three]})
        await ana.delete(f"{path}/{car}")
    made, changed, deleted = await workshop.events_of(car)
    assert (made["data_v2"]["label_ids"], made["data_v2"]["label_count"]) == ([one, two], 2)
    assert (changed["data"]["labels"], changed["data_v2"]["label_ids"]) == ([two, three], [two, three])
    assert changed["previous"] == {"label_ids": [one, two]}
    [change] = changed["changes"]
    assert (change["field"], change["old_identifier"], change["new_identifier"]) == ("labels", one, three)
    assert deleted["previous"]["label_ids"] == [two, three]
    assert "wheels" not in made["data_v2"], "it has no name in webhooks v2"
