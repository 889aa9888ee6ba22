"""Idempotency-Key on every row that writes: its repeat changes nothing and gets the first answer."""

from typing import Any

import pytest

from airside.db.base import new_id
from airside.rest.idempotency import HEADER
from airside.rest.route import Route
from airside.rest.stored_answers import idempotency_keys
from tests.contract.world import ROUTES, World, name_of
from tests.support.openapi import check_answer, operation_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITING = [route for route in ROUTES if route.method != "GET"]
keyed = pytest.mark.parametrize(
    "route", [route for route in WRITING if route.refuses_key is None], ids=name_of
)
keyless = pytest.mark.parametrize("route", [route for route in WRITING if route.refuses_key], ids=name_of)


FURTHER_EVENTS = {"create_project": 5}  # of the states that it begins with


@keyed
async def test_a_repeat_gets_the_first_answer_and_changes_nothing(world: World, route: Route) -> None:
    path, body = await _prepare(world, route)
    key, before = new_id(), await world.count_events()
    first = await world.admin.send_once(key, route.method, path, body)
    assert first.status_code == route.status, first.text
    recorded = await world.count_events()
    further = FURTHER_EVENTS.get(route.name, 0)
    assert route.event is None or recorded == before + 1 + further  # a sample for a webhook is an event, too
    check_answer(route, first)
    second = await world.admin.send_once(key, route.method, path, body)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert await world.count_events() == recorded
    check_answer(route, second)
    other: dict[str, Any] = {**(body or {}), "another": 1}
    asked = {} if route.method != "DELETE" else {"another": "1"}
    third = await world.admin.send_once(key, route.method, path, None if asked else other, **asked)
    assert third.status_code == 422, third.text
    assert third.json["error"].startswith("This Idempotency-Key was used for another request.")
    assert await world.count_events() == recorded
    check_answer(route, third)


@keyed
async def test_a_write_that_fails_keeps_neither_its_key_nor_its_change(
    world: World, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key, the change and the event are one transaction: what breaks the last of them undoes the others."""
    if route.event is None:
        return
    path, body = await _prepare(world, route)
    key, stored = new_id(), len(await world.site.db.find_all(idempotency_keys))
    with monkeypatch.context() as broken:
        world.break_outbox(broken)
        assert (await world.admin.send_once(key, route.method, path, body)).status_code == 500
    assert len(await world.site.db.find_all(idempotency_keys)) == stored
    answer = await world.admin.send_once(key, route.method, path, body)
    assert answer.status_code == route.status, answer.text
    assert "idempotent-replayed" not in answer.headers


@keyless
async def test_an_operation_that_takes_no_key_says_so(world: World, route: Route) -> None:
    path, body = await _prepare(world, route)
    before = await world.count_events()
    answer = await world.admin.send_once(new_id(), route.method, path, body)
    assert (answer.status_code, answer.json) == (400, {HEADER: [route.refuses_key]})
    assert await world.count_events() == before
    check_answer(route, answer)


@pytest.mark.parametrize("route", WRITING, ids=name_of)
async def test_the_description_names_the_header_where_it_is_taken(world: World, route: Route) -> None:
    operation = operation_of(route)
    is_named = {"$ref": f"#/components/parameters/{HEADER}"} in operation["parameters"]
    assert is_named is ("422" in operation["responses"]) is (route.refuses_key is None)


async def _prepare(world: World, route: Route) -> tuple[str, Any]:
    params = await world.fresh_params(route)
    return route.path.format(**params), await world.body(route)
