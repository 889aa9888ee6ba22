"""A feature that is off: what belongs to it isn't written, and stays readable."""

import pytest

from airside.rest.route import Route
from tests.contract.world import BEFORE, ROUTES, World, name_of, on_one_database

WITH_FEATURE = [route for route in ROUTES if route.feature]


async def switch(world: World, route: Route, params: dict[str, str], *, on: bool) -> None:
    assert route.feature is not None
    place = f"projects/{params['project_id']}/" if "project_id" in params else ""
    answer = await world.admin.patch(f"workspaces/{world.slug}/{place}features", {route.feature: on})
    assert answer.json[route.feature] is on, answer.text


@on_one_database
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", WITH_FEATURE, ids=name_of)
async def test_while_a_feature_is_off_its_records_are_only_read(world: World, route: Route) -> None:
    params, body = await world.params(route, fresh=route.name in BEFORE), await world.body(route)
    await world.meet(route, params)
    await switch(world, route, params, on=False)
    before = await world.count_events()
    try:
        path = route.path.format(**params)
        answer = await world.admin.send(route.method, path, body)
        if route.method == "GET":
            assert answer.status_code in (200, 302), answer.text
            return
        assert answer.status_code == 400, answer.text
        assert "not enabled for this" in answer.json["error"]
        assert await world.count_events() == before
    finally:
        await switch(world, route, params, on=True)
