"""Every row of the table of v2: what its wire promises, as far as a check makes sense for the row."""

import json
import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from airside.api.v2 import TABLE
from airside.apps.scopes import BY_NAME
from airside.db.base import Row
from airside.events.catalog import list_kinds
from airside.rest.bulk import MAX_ROWS
from airside.rest.route import Route
from airside.rest.routes import list_routes
from airside.rest.shaping import shown_names
from airside.rest.wires.v2.wire import V2
from tests.contract.event_data import check_event_data
from tests.contract.test_every_route import (
    HOSTILE_BODIES,
    HOSTILE_VALUES,
    is_on_postgres,
    is_refused_unread,
)
from tests.contract.world import UNKNOWN, World, name_of, on_one_database, unique
from tests.support.api import Client
from tests.support.openapi import DOCUMENTS, check_answer, operation_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = list_routes(TABLE)
LISTS = [route for route in ROUTES if route.paged]
WRITING = [route for route in ROUTES if route.method != "GET"]
BULK = [route for route in ROUTES if "bulk" in route.name]
PLAIN = [route for route in ROUTES if route not in BULK]
UPSERT = [route for route in ROUTES if route.path.endswith("/upsert")]


def over(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=name_of)


def new_row(route: Route) -> Row:
    """A body that the face takes, with a name of its own."""
    assert route.face is not None
    return {**(route.face.body.example or {}), "name": unique("Row")}


async def body_of(world: World, route: Route) -> Any:
    """A body with which the route succeeds; None where it takes none."""
    assert route.face is not None
    if route.name.startswith("bulk_create"):
        return {"items": [new_row(route), new_row(route)]}
    if route.name.startswith("bulk_update"):
        return {"items": [{"id": await world.make(route.face.key), "name": unique("Row")}]}
    if route.name.startswith("bulk_delete"):
        return {"ids": [await world.make(route.face.key)]}
    return {"name": unique("Row")} if route.partial else new_row(route) if route.body else None


async def path_of(world: World, route: Route, *, fresh: bool = False, **instead: str) -> str:
    return route.path.format(**{**await world.params(route, fresh=fresh), **instead})


def problem(answer: Any) -> tuple[int, str]:
    """Status and type of an error in v2's shape."""
    assert answer.headers["content-type"] == "application/problem+json"
    shown = json.loads(answer.text)
    assert {*shown} <= {"type", "code", "detail", "errors"}, shown
    assert shown["code"]
    assert shown["detail"]
    return answer.status_code, shown["type"]


def admin_of(world: World) -> Client:
    return world.admin.on(V2)


@on_one_database
@over(ROUTES)
async def test_without_a_token_with_a_wrong_one_or_without_the_scope_it_is_refused(
    world: World, route: Route
) -> None:
    path, body = await path_of(world, route), await body_of(world, route)
    for client, refusal in (
        (world.anonymous, (401, "unauthorized")),
        (world.stranger, (401, "unauthorized")),
        (world.scopeless, (403, "forbidden")),
    ):
        answer = await client.on(V2).send(route.method, path, body)
        assert problem(answer) == refusal
        assert "www-authenticate" in answer.headers
        check_answer(route, answer)


@over(ROUTES)
async def test_a_stranger_to_the_workspace_learns_nothing(world: World, route: Route) -> None:
    path, body = await path_of(world, route), await body_of(world, route)
    unknown = await path_of(world, route, workspace_slug="nowhere")
    answers = [
        await world.outsider.on(V2).send(route.method, path, body),
        await world.outsider.on(V2).send(route.method, unknown, body),
        await world.foreign_bot.on(V2).send(route.method, path, body),
    ]
    assert len({answer.text for answer in answers}) == 1
    assert problem(answers[0]) == (403, "forbidden")


@over(ROUTES)
async def test_another_tenants_ids_are_as_unknown_as_made_up_ones(world: World, route: Route) -> None:
    for name in re.findall(r"{(\w+_id)}", route.path):
        for other in (UNKNOWN, await world.foreign(name), "zz", "NOPE-1", "%00", "1" * 500):
            params = await world.params(route) | {name: other}
            path = route.path.format(**params)
            answer = await admin_of(world).send(route.method, path, await body_of(world, route))
            assert problem(answer) == (404, "not_found"), (name, other)
            check_answer(route, answer)


@on_one_database
@over(ROUTES)
async def test_a_project_in_the_path_may_be_its_identifier(world: World, route: Route) -> None:
    if "{project_id}" not in route.path:
        return
    project = (await world.admin.get(f"workspaces/acme/projects/{await world.known_id('project_id')}")).json
    path = await path_of(world, route, fresh=True, project_id=project["identifier"])
    answer = await admin_of(world).send(route.method, path, await body_of(world, route))
    assert answer.status_code == route.status, answer.text


@on_one_database
@over(ROUTES)
async def test_a_put_is_405(world: World, route: Route) -> None:
    answer = await admin_of(world).send("PUT", await path_of(world, route), {})
    assert problem(answer) == (405, "method_not_allowed")


@on_one_database
@over([route for route in WRITING if route.body])
async def test_a_body_that_is_not_json_is_415(world: World, route: Route) -> None:
    path = f"/api/v2/{await path_of(world, route)}/"
    client = admin_of(world)
    headers = {**client._headers, "Content-Type": "text/plain"}  # pyright: ignore[reportPrivateUsage]
    answer = await client.conductor.simulate_request(route.method, path, body="name=x", headers=headers)
    assert problem(answer) == (415, "unsupported_media_type")
    check_answer(route, answer)


@over([route for route in ROUTES if route.method == "GET"])
async def test_an_answer_has_the_declared_shape_and_an_etag(world: World, route: Route) -> None:
    path = f"/api/v2/{await path_of(world, route)}"
    answers = [await world.admin.raw("GET", path + tail) for tail in ("", "/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    check_answer(route, answers[0])
    same = await world.admin.raw("GET", path, if_none_match=answers[0].headers["etag"])
    assert (same.status_code, same.text) == (304, "")


@over([route for route in PLAIN if route.shown])
async def test_fields_choose_what_is_answered_and_an_unknown_one_is_named(world: World, route: Route) -> None:
    path = await path_of(world, route, fresh=route.method == "PATCH")
    assert route.face is not None
    names = shown_names(route.face.shown)

    def keys(answer: Any) -> list[str]:
        row = answer.json["data"][0] if route.paged else answer.json
        return list(row)

    if route.paged:
        await world.known_id(route.face.key)
    assert keys(await world_ask(world, route, path, "name")) == ["id", "name"]
    assert keys(await world_ask(world, route, path, "all")) == list(names)
    refused = await world_ask(world, route, path, "nmae")
    assert problem(refused) == (400, "invalid_request")
    [said] = json.loads(refused.text)["errors"]
    assert (said["field"], said["code"]) == ("fields", "invalid_choice")
    assert 'Did you mean "name"?' in said["message"]
    check_answer(route, refused)


async def world_ask(world: World, route: Route, path: str, fields: str) -> Any:
    """The route's answer with this `fields`."""
    body = await body_of(world, route)
    raw = None if body is None else json.dumps(body).encode()
    return await world.admin.raw(route.method, f"/api/v2/{path}/", {"fields": fields}, body=raw)


@over(LISTS)
async def test_a_list_comes_by_offset_and_by_cursor_with_the_same_records(world: World, route: Route) -> None:
    path, admin = await path_of(world, route), admin_of(world)
    assert route.face is not None
    for _ in range(3):
        await world.make(route.face.key)
    whole = (await admin.get(path, order_by="-created_at", per_page="200")).json
    ids = [row["id"] for row in whole["data"]]
    assert list(whole) == ["data", "next", "previous", "total_count", "pagination"]
    assert (whole["total_count"], whole["next"], whole["previous"]) == (len(ids), None, None)
    for order in ("-created_at", "created_at", "-id", "id"):
        expected = [row["id"] for row in (await admin.get(path, order_by=order, per_page="200")).json["data"]]
        asked, read = {"order_by": order, "per_page": "2", "paginate": "cursor"}, list[str]()
        while True:
            page = (await admin.get(path, **asked)).json
            assert list(page) == ["data", "next_cursor", "has_more", "pagination"]
            read += [row["id"] for row in page["data"]]
            if not page["has_more"]:
                break
            asked = {"order_by": order, "per_page": "2", "cursor": page["next_cursor"]}
        assert read == expected
        offset, read = 0, list[str]()
        while offset is not None:
            page = (
                await admin.get(path, order_by=order, per_page="2", offset=str(offset), count="false")
            ).json
            assert "total_count" not in page
            read += [row["id"] for row in page["data"]]
            assert page["previous"] == (max(0, offset - 2) if offset else None)
            offset = page["next"]
        assert read == expected


@on_one_database
@over(LISTS)
async def test_what_pages_cannot_be_is_400_and_a_size_is_clamped(world: World, route: Route) -> None:
    path, admin = await path_of(world, route), admin_of(world)
    assert (await admin.get(path, per_page="100000")).status_code == 200
    for query, field in (
        ({"per_page": "abc"}, "per_page"),
        ({"per_page": "0"}, "per_page"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "10001"}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"count": "perhaps"}, "count"),
        ({"paginate": "pages"}, "paginate"),
        ({"cursor": "abc", "order_by": "id"}, "cursor"),
        ({"cursor": "WzFd", "order_by": "id"}, "cursor"),
        ({"cursor": "W10", "order_by": "-created_at"}, "cursor"),
        ({"page": "2"}, "page"),
        ({"expand": "project"}, "expand"),
        ({"created_at__gte": "2026-01-01"}, "created_at__gte"),
    ):
        answer = await admin.get(path, **query)
        assert problem(answer) == (400, "invalid_request"), query
        assert json.loads(answer.text)["errors"][0]["field"] == field, query
        check_answer(route, answer)
    refused = await admin.get(path, paginate="cursor")
    assert json.loads(refused.text)["code"] == "ordering_not_cursor_eligible"
    assert (await admin.get(path, order_by="nonsense")).status_code == 200


@over([route for route in WRITING if route.event])
async def test_a_write_records_its_events_in_the_same_transaction(world: World, route: Route) -> None:
    params = await world.params(route, fresh=route not in BULK)
    body = await body_of(world, route)
    known = await world.event_ids()
    answer = await admin_of(world).send(route.method, route.path.format(**params), body)
    assert answer.status_code == route.status, answer.text
    check_answer(route, answer)
    recorded = await world.events_since(known)
    count = len(body.get("items") or body["ids"]) if route in BULK else 1
    assert [event["name"] for event in recorded] == [route.event] * count
    if route not in BULK:
        await check_event_data(world, route, params, recorded[0])


@over([route for route in WRITING if route.event])
async def test_a_write_whose_event_cannot_be_kept_is_not_kept_either(
    world: World, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, body = await world.params(route, fresh=route not in BULK), await body_of(world, route)
    assert route.face is not None
    before = await world.site.db.find_all(route.face.table)
    world.break_outbox(monkeypatch)
    answer = await admin_of(world).send(route.method, route.path.format(**params), body)
    assert problem(answer) == (500, "server_error")
    after = await world.site.db.find_all(route.face.table)
    assert sorted(after, key=lambda row: row["id"]) == sorted(before, key=lambda row: row["id"])


@over([route for route in WRITING if route.body])
async def test_hostile_fields_are_refused_in_the_wires_shape_and_never_crash(
    world: World, route: Route
) -> None:
    assert route.body is not None
    path = await path_of(world, route)
    for field in msgspec.structs.fields(route.body):
        for value in HOSTILE_VALUES:
            if is_on_postgres(world) and is_refused_unread(route.body, field.encode_name, value):
                continue
            body = {**(await body_of(world, route)), field.encode_name: value, "no_such_field": 1}
            answer = await admin_of(world).send(route.method, path, body)
            assert answer.status_code < 500, (field.name, value, answer.text)
            if answer.status_code >= 400:
                problem(answer)
            check_answer(route, answer)


@over([route for route in BULK if "delete" not in route.name])
async def test_hostile_rows_fail_alone(world: World, route: Route) -> None:
    assert route.face is not None
    path, record_id = await path_of(world, route), await world.make(route.face.key)
    for field in msgspec.structs.fields(route.face.body):
        rows = [{**new_row(route), "id": record_id, field.encode_name: value} for value in HOSTILE_VALUES]
        answer = await admin_of(world).post(path, {"items": rows})
        if "\\u0000" not in json.dumps(rows):
            assert answer.status_code == 200, answer.text
        assert answer.status_code < 500
        check_answer(route, answer)


@on_one_database
@over([route for route in WRITING if route.body])
async def test_hostile_bodies_write_nothing(world: World, route: Route) -> None:
    path, before = await path_of(world, route), await world.count_events()
    for raw in HOSTILE_BODIES:
        answer = await world.admin.raw(route.method, f"/api/v2/{path}/", body=raw)
        assert problem(answer) == (400, "invalid_request"), raw[:40]
    huge = await world.admin.raw(
        route.method, f"/api/v2/{path}/", body=b'{"name":"' + b"x" * 5_300_000 + b'"}'
    )
    assert problem(huge) == (413, "payload_too_large")
    assert await world.count_events() == before


@over([route for route in ROUTES if route.method == "GET"])
async def test_hostile_queries_never_crash(world: World, route: Route) -> None:
    path = await path_of(world, route)
    for name in {*route.query, "expand", "nonsense"}:
        for value in ("", "\x00", "a\x00", "x" * 5000, "-", "--name", ",,,", "-1", "9" * 40, "é" * 100):
            answer = await admin_of(world).get(path, **{name: value})
            assert answer.status_code < 500, (name, value, answer.text)
            if answer.status_code >= 400:
                problem(answer)


@over(ROUTES)
async def test_it_stands_in_openapi_with_an_event_or_a_reason_and_a_scope_of_v1(route: Route) -> None:
    operation = operation_of(route)
    assert operation["responses"][str(route.status)]
    assert operation["x-scope"] == route.scope
    assert BY_NAME[route.scope or ""].sentence
    if route.method != "GET":
        assert route.event in list_kinds() if route.event else route.eventless


async def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENTS[V2])
    ids = [one["operationId"] for path in DOCUMENTS[V2]["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


async def test_below_v2_nothing_else_is_served(world: World) -> None:
    answer = await admin_of(world).get("workspaces/acme/cycles")
    assert problem(answer) == (404, "not_found")


@over(BULK)
async def test_a_batch_has_one_to_fifty_rows(world: World, route: Route) -> None:
    path, key = await path_of(world, route), "ids" if "delete" in route.name else "items"
    row: Any = UNKNOWN if key == "ids" else {}
    wrong: tuple[Any, ...] = (list[Any](), [row] * (MAX_ROWS + 1), "x", None)
    for rows in wrong:
        answer = await admin_of(world).post(path, {key: rows})
        assert problem(answer) == (400, "invalid_request")
        assert json.loads(answer.text)["errors"][0]["field"] == key
    assert problem(await admin_of(world).post(path, {})) == (400, "invalid_request")


@over(BULK)
async def test_a_row_fails_alone_or_discards_the_batch(world: World, route: Route) -> None:
    path, body = await path_of(world, route), await body_of(world, route)
    assert route.face is not None
    [key] = body
    bad = UNKNOWN if key == "ids" else {"id": UNKNOWN, "name": ""}
    rows = [bad, *body[key]]
    before = await world.site.db.find_all(route.face.table)
    discarded = await admin_of(world).post(path, {key: rows, "all_or_none": True})
    assert problem(discarded) == (409, "conflict")
    check_answer(route, discarded)
    assert json.loads(discarded.text)["errors"][0]["field"].startswith("items.0")
    after = await world.site.db.find_all(route.face.table)
    assert sorted(after, key=lambda row: row["id"]) == sorted(before, key=lambda row: row["id"])
    answer = (await admin_of(world).post(path, {key: rows})).json
    assert (answer["succeeded"], answer["failed"]) == (len(rows) - 1, 1)
    assert [row["index"] for row in answer["results"]] == list(range(len(rows)))
    assert answer["results"][0]["result"] == "failed"
    done = answer["results"][1]
    assert {*done} == {"index", "result", "id"}
    whole = await admin_of(world).post(path, {**await body_of(world, route), "all_or_none": True})
    assert (whole.status_code, whole.json["failed"]) == (200, 0)


@over(UPSERT)
async def test_a_repeat_of_an_external_id_changes_the_record_that_has_it(world: World, route: Route) -> None:
    assert route.face is not None
    assert route.event
    path = await path_of(world, route)
    body = {**new_row(route), "external_source": "github", "external_id": unique("id")}
    made = await admin_of(world).post(path, body)
    again = await admin_of(world).post(path, body)
    named = await admin_of(world).post(path, body | {"name": unique("Row")})
    for answer in (made, again, named):
        assert answer.status_code == 200, answer.text
        check_answer(route, answer)
        assert answer.json["id"] == made.json["id"]
    assert again.json == made.json
    recorded = [event["name"] for event in await world.events_of(made.json["id"])]
    assert recorded == [route.event, route.other_event]


@over(UPSERT)
async def test_another_tenants_external_id_is_free(world: World, route: Route) -> None:
    path = await path_of(world, route)
    body = {**new_row(route), "external_source": "github", "external_id": unique("id")}
    made = await admin_of(world).post(path, body)
    params = {name: await world.foreign(name) for name in re.findall(r"{(\w+_id)}", route.path)}
    theirs = route.path.format(**params, workspace_slug="other")
    other = await world.outsider.on(V2).post(theirs, body)
    assert (other.status_code, other.json["id"] != made.json["id"]) == (200, True)
