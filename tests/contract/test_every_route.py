"""What holds for every row of the route table, on both databases."""

import re
from typing import Any

import msgspec
import pytest
from falcon.testing import Result

from airside.apps.scopes import BY_NAME
from airside.db.postgres import PostgresDatabase
from airside.errors import Invalid
from airside.events.catalog import list_kinds
from airside.rest.body import Body, check_body
from airside.rest.history import record_history
from airside.rest.route import Route
from airside.rest.shaping import shown_names
from airside.rest.wires.v1.paging import Page, wrap_page
from airside.work.projects.feature_flags import COLUMNS as FEATURE_COLUMNS
from tests.contract.event_data import check_event_data
from tests.contract.world import (
    MISSING,
    PAGE_LIMITS,
    QUERIES,
    ROUTES,
    UNKNOWN,
    World,
    name_of,
    on_one_database,
)
from tests.support.openapi import DOCUMENT, check_answer, operation_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

every_route = pytest.mark.parametrize("route", ROUTES, ids=name_of)
in_workspace = pytest.mark.parametrize(
    "route", [route for route in ROUTES if "{workspace_slug}" in route.path], ids=name_of
)
writing = pytest.mark.parametrize("route", [route for route in ROUTES if route.event], ids=name_of)
reading = pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=name_of)
with_body = pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=name_of)
paged = pytest.mark.parametrize("route", [route for route in ROUTES if route.paged], ids=name_of)


# What Plane answers where an id of this name is unknown, instead of the usual sentence.
UNKNOWN_BODIES = {"work_item_activity_id": {"message": "Activity not found.", "code": "NOT_FOUND"}}


CHANGED = {
    "value": "custom_fields",
    **FEATURE_COLUMNS,
    "placement": "parent_id",
}  # a body's field → the field of the event

# Every face that can be listed.
LISTS = [route.face for route in ROUTES if route.paged and route.face]


def takes_order(route: Route) -> bool:
    return "order_by" in route.query or bool(route.paged and route.face)


async def test_the_suite_knows_an_example_of_every_row() -> None:
    """Rows without one are left out everywhere else, so that this is all that fails."""
    assert not MISSING


async def path_of(world: World, route: Route, **changed: str) -> str:
    return route.path.format(**{**await world.params(route), **changed})


@on_one_database
@every_route
async def test_br1_no_credential_is_401_with_a_bare_challenge(world: World, route: Route) -> None:
    answer = await world.anonymous.send(route.method, await path_of(world, route), await world.body(route))
    assert answer.status_code == 401
    assert answer.json == {"detail": "Authentication credentials were not provided."}
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "error=" not in answer.headers["www-authenticate"]
    check_answer(route, answer)


@on_one_database
@every_route
async def test_br2_a_wrong_token_is_401_invalid_token(world: World, route: Route) -> None:
    answer = await world.stranger.send(route.method, await path_of(world, route), await world.body(route))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@on_one_database
@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope], ids=name_of)
async def test_br3_a_token_without_the_scope_is_403_naming_it(world: World, route: Route) -> None:
    answer = await world.scopeless.send(route.method, await path_of(world, route), await world.body(route))
    assert answer.status_code == 403
    assert f'error="insufficient_scope", scope="{route.scope}"' in answer.headers["www-authenticate"]
    check_answer(route, answer)


@in_workspace
async def test_tn1_an_outsider_learns_nothing_about_a_workspace(world: World, route: Route) -> None:
    path, unknown = await path_of(world, route), await path_of(world, route, workspace_slug="nowhere")
    body = await world.body(route)
    answers = [
        await world.outsider.send(route.method, path, body),
        await world.outsider.send(route.method, unknown, body),
        await world.foreign_bot.send(route.method, path, body),
        await world.admin.send(route.method, unknown, body),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    check_answer(route, answers[0])


@in_workspace
async def test_tn1_another_tenants_ids_are_as_unknown_as_made_up_ones(world: World, route: Route) -> None:
    names = [name for name in re.findall(r"{(\w+)}", route.path) if name.endswith("_id")]
    for name in names:
        for other in (UNKNOWN, await world.foreign(name)):
            path = await path_of(world, route, **{name: other})
            answer = await world.admin.send(
                route.method, path, await world.body(route), **QUERIES.get(route.name, {})
            )
            assert answer.status_code == 404, (name, answer.text)
            assert answer.json == UNKNOWN_BODIES.get(
                name, {"error": "The requested resource does not exist."}
            )
            check_answer(route, answer)


@on_one_database
@in_workspace
async def test_a_malformed_id_is_no_page(world: World, route: Route) -> None:
    for name in re.findall(r"{(\w+_id)}", route.path):
        for bad in ("zz", "00000000-0000-0000-0000-00000000000g", "%00", "1" * 500):
            answer = await world.admin.send(
                route.method, await path_of(world, route, **{name: bad}), await world.body(route)
            )
            assert answer.status_code == 404
            assert answer.json == {"error": "Page not found."}


@on_one_database
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_placeholder], ids=name_of)
async def test_a_wrong_method_is_405(world: World, route: Route) -> None:
    taken = {other.method for other in ROUTES if route.path in (other.path, *other.aliases)}
    method = next(method for method in ("PUT", "POST", "DELETE") if method not in taken)
    answer = await world.admin.send(method, await path_of(world, route), {})
    assert answer.status_code == 405
    assert answer.json == {"detail": f'Method "{method}" not allowed.'}


@reading
async def test_an_answer_has_the_declared_shape_with_and_without_the_slash(
    world: World, route: Route
) -> None:
    path, query = await path_of(world, route), QUERIES.get(route.name, {})
    answers = list[Result]()
    for tail in ("", "/"):
        answers.append(await world.admin.raw("GET", f"/api/v1/{path}{tail}", query))
    assert [answer.status_code for answer in answers] == [route.status] * 2
    assert answers[0].text == answers[1].text
    check_answer(route, answers[0])
    if route.shown is not None:
        shown: Any = answers[0].json["results"] if route.paged else answers[0].json
        msgspec.convert(shown, list[route.shown] if route.paged else route.shown, strict=True)


@reading
async def test_a_read_has_an_etag_and_is_304_for_who_has_it(world: World, route: Route) -> None:
    path, query = f"/api/v1/{await path_of(world, route)}/", QUERIES.get(route.name, {})
    answer = await world.admin.raw("GET", path, query)
    if route.shown is None:
        return  # a redirect, or a stream
    same = await world.admin.raw("GET", path, query, if_none_match=f'"other", W/{answer.headers["etag"]}')
    assert (same.status_code, same.text) == (304, "")
    check_answer(route, same)
    for headers in (answer.headers, same.headers):
        assert headers["cache-control"] == "private, no-cache"
        assert headers["vary"] == "Authorization, X-API-Key"
    other = await world.admin.raw("GET", path, query, if_none_match='"other"')
    assert (other.status_code, other.headers["etag"]) == (200, answer.headers["etag"])


@paged
async def test_a_list_comes_in_plane_s_envelope(world: World, route: Route) -> None:
    path = await path_of(world, route)
    answer = await world.admin.get(path, per_page="1", **QUERIES.get(route.name, {}))
    assert list(answer.json) == list(wrap_page(Page(1, 0), 0, []))
    assert answer.json["next_cursor"] == "1:1:0"
    limit = PAGE_LIMITS.get(route.name, route.face.page_limit if route.face else 1000)
    for query, said in (
        ({"per_page": str(limit + 1)}, f"Invalid per_page value. Cannot exceed {limit}."),
        ({"per_page": "abc"}, "Invalid per_page parameter."),
        ({"per_page": "0"}, "Invalid per_page value. Must be at least 1."),
        ({"cursor": "abc"}, "Invalid cursor parameter."),
        ({"cursor": "1:-1:1"}, "Error in parsing"),
        ({"cursor": "1:99999999999999999999:0"}, "Invalid cursor parameter."),
    ):
        refused = await world.admin.get(path, **query, **QUERIES.get(route.name, {}))
        assert (refused.status_code, refused.json) == (400, {"detail": said}), query


@paged
async def test_the_last_page_says_so_and_the_page_beyond_it_is_empty(world: World, route: Route) -> None:
    path, needed = await path_of(world, route), QUERIES.get(route.name, {})
    for creating in ROUTES:
        if creating.method == "POST" and route.path in (creating.path, *creating.aliases):
            assert (await world.admin.post(path, await world.body(creating))).status_code == creating.status
    limit = PAGE_LIMITS.get(route.name, route.face.page_limit if route.face else 1000)
    whole = (await world.admin.get(path, per_page=str(limit), **needed)).json
    total, listed = whole["total_count"], [*whole["results"]]
    asked: dict[str, str] = {"per_page": str(max(1, total // 2)), **needed}
    number, read = 0, list[Any]()
    while True:
        page = (await world.admin.get(path, **asked)).json
        read += page["results"]
        assert page["prev_page_results"] is (number > 0)
        assert (page["count"], page["total_count"]) == (len(page["results"]), total)
        asked["cursor"], number = page["next_cursor"], number + 1
        if not page["next_page_results"]:
            break
    assert (read, number) == (listed, max(1, page["total_pages"]))
    beyond = (await world.admin.get(path, **asked)).json
    assert (beyond["results"], beyond["count"], beyond["total_count"]) == ([], 0, total)
    assert (beyond["next_page_results"], beyond["prev_page_results"]) == (False, True)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.paged and route.face], ids=name_of)
async def test_a_list_is_ordered_by_what_may_be_read_of_it_and_nothing_else(
    world: World, route: Route
) -> None:
    face, path = route.face, await path_of(world, route)
    assert face is not None
    readable = [one.shown for one in LISTS if (one.table, one.scope) == (face.table, face.scope)]
    assert face.sortable in (None, *readable), "its order would give away what no list shows"
    shown = shown_names(face.sortable or face.shown)
    needed = QUERIES.get(route.name, {})
    for name in {*shown, *face.table.c.keys(), *(f"{name}_id" for name in shown)}:
        is_shown = {name, name.removesuffix("_id")} & {*shown, *face.orders}
        for asked in (name, f"-{name}"):
            answer = await world.admin.get(path, order_by=asked, **needed)
            if not is_shown:
                assert (answer.status_code, answer.json) == (
                    400,
                    {"detail": "Invalid order_by parameter."},
                ), asked
            elif name in face.table.c:
                assert answer.status_code == 200, (asked, answer.text)


@pytest.mark.parametrize("route", [route for route in ROUTES if takes_order(route)], ids=name_of)
async def test_every_list_is_ordered_by_when_its_records_were_made(world: World, route: Route) -> None:
    """Also those that don't show it: plane-sdk's own tests ask `projects-lite` for it."""
    path, needed = await path_of(world, route), QUERIES.get(route.name, {})
    for asked, status in (("created_at", 200), ("-created_at", 200), ("bogus", 400)):
        answer = await world.admin.get(path, order_by=asked, **needed)
        assert answer.status_code == status, (asked, answer.text)


# What a new record begins with has events of its own.
BEGINNINGS = {"create_project": {"state.created"}}


@writing
async def test_a_write_records_its_one_event_in_the_same_transaction(world: World, route: Route) -> None:
    params = await world.fresh_params(route)
    body = await world.body(route)
    before = await world.event_ids()
    answer = await world.admin.send(route.method, route.path.format(**params), body)
    assert answer.status_code == route.status, answer.text
    check_answer(route, answer)
    recorded = await world.events_since(before)
    recorded = [event for event in recorded if event["name"] not in BEGINNINGS.get(route.name, ())]
    assert [event["name"] for event in recorded] == [route.event]
    assert recorded[0]["actor_id"] == world.cast.ana["id"]
    assert recorded[0]["actor"]["email"] == "ana@example.com"
    if route.method in ("PATCH", "PUT"):
        changed_fields = {change["field"] for change in recorded[0]["changes"]}
        assert changed_fields <= {CHANGED.get(name, name) for name in body}, "what follows from it isn't sent"
    answered = answer.json if answer.status_code != 204 else None
    await check_event_data(world, route, params, recorded[0], answered)
    if route.face is not None and route.face.record.has_history:
        entries = await world.site.db.find_all(record_history, record_id=recorded[0]["entity_id"])
        newest = max(entries, key=lambda entry: entry["id"])
        assert newest["action"] == str(route.event).rpartition(".")[2]
        assert newest["actor_id"] == world.cast.ana["id"]


@writing
async def test_a_write_whose_event_cannot_be_kept_is_not_kept_either(
    world: World, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = await world.fresh_params(route)
    body, table = await world.body(route), route.face.table if route.face else None
    before = await world.site.db.find_all(table) if table is not None else []
    world.break_outbox(monkeypatch)
    answer = await world.admin.send(route.method, route.path.format(**params), body)
    assert answer.status_code == 500
    if table is not None:
        after = await world.site.db.find_all(table)
        assert sorted(after, key=lambda row: row["id"]) == sorted(before, key=lambda row: row["id"])


HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, -1, 2**63, 2**200, 1e308, "", " ", "\x00", "a\x00b", "x" * 300, "\U0001f984" * 300, "zz",
    "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "../../etc/passwd", [], [None], [[]], {},
    {"a": {"b": []}}, [UNKNOWN], UNKNOWN, "2026-02-30", "9999-99-99", "0001-01-01", ["\x00"], {"\x00": 1}, -0.0,
)  # fmt: skip

HOSTILE_BODIES: tuple[bytes, ...] = (
    b"{", b"[]", b"null", b'"x"', b"1", b"\xff\xfe", b'{"name": "\\ud800"}', b"{" * 2000, b"[" * 100_000,
    b'{"name": 1e999}', b"{'name': 1}", b'{"name": NaN}', b'{"a":1,}', b"\x00",
)  # fmt: skip


DATABASE_QUERIES = ("a\x00", "x" * 5000, "-1", "9" * 40)  # which databases have opinions of their own about
HOSTILE_QUERIES = ("", "\x00", "-", "--name", "id;drop table users", "é" * 100)


def is_on_postgres(world: World) -> bool:
    return isinstance(world.site.db, PostgresDatabase)


def is_refused_unread(body: type[Body], field: str, value: Any) -> bool:
    """Whether the body's types refuse the value. No database sees it then, so one is enough to try it on."""
    try:
        check_body(body, {field: value}, partial=True)
    except Invalid:
        return True
    return False


@with_body
async def test_hostile_fields_are_refused_in_the_wires_shape_and_never_crash(
    world: World, route: Route
) -> None:
    assert route.body is not None
    for field in msgspec.structs.fields(route.body):
        for value in HOSTILE_VALUES:
            if is_on_postgres(world) and is_refused_unread(route.body, field.encode_name, value):
                continue
            params = await world.params(route)
            body = {**(await world.body(route)), field.encode_name: value, "no_such_field": 1}
            answer = await world.admin.send(route.method, route.path.format(**params), body)
            assert answer.status_code < 500, (field.name, value, answer.text)
            if answer.status_code >= 400:
                assert isinstance(answer.json, dict)
                assert answer.text != "{}"
                check_answer(route, answer)
            elif answer.status_code == 201:
                await world.clear(route, params, answer.json)
    if (
        route.name == "update_workspace_features"
    ):  # the projects have types and states of their own for what follows
        own = {"work_item_types": False, "states_owned_by_workspace": False}
        assert (await world.admin.patch(await path_of(world, route), own)).status_code == 200


@on_one_database
@with_body
async def test_hostile_bodies_write_nothing(world: World, route: Route) -> None:
    path = await path_of(world, route)
    before = await world.count_events()
    for raw in HOSTILE_BODIES:
        answer = await world.admin.raw(route.method, f"/api/v1/{path}/", body=raw)
        assert 400 <= answer.status_code < 500, (raw[:40], answer.text)
        assert isinstance(answer.json, dict)
        check_answer(route, answer)
    huge = await world.admin.raw(
        route.method, f"/api/v1/{path}/", body=b'{"name":"' + b"x" * 5_300_000 + b'"}'
    )
    assert huge.status_code == 413
    assert huge.json["error"] == "REQUEST_BODY_TOO_LARGE"
    check_answer(route, huge)
    assert await world.count_events() == before


@reading
async def test_hostile_queries_never_crash(world: World, route: Route) -> None:
    path = await path_of(world, route)
    values = DATABASE_QUERIES if is_on_postgres(world) else (*DATABASE_QUERIES, *HOSTILE_QUERIES)
    for name in {*route.query, "order_by", "fields", "expand", "cursor", "per_page", "nonsense"}:
        for value in values:
            answer = await world.admin.get(path, **{**QUERIES.get(route.name, {}), name: value})
            assert answer.status_code < 500, (name, value, answer.text)


@every_route
async def test_it_stands_in_openapi(route: Route) -> None:
    operation = operation_of(route)
    assert operation["responses"][str(route.status)]
    assert operation.get("x-scope") == route.scope


async def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


@every_route
async def test_a_writing_route_has_an_event_or_a_reason(route: Route) -> None:
    if route.method == "GET":
        assert route.event is None
    elif route.event:
        assert route.event in list_kinds()
    else:
        assert route.eventless


@every_route
async def test_its_scope_has_a_consent_sentence(route: Route) -> None:
    assert route.scope is None or BY_NAME[route.scope].sentence


def _names_in(route: Route) -> list[str]:
    """The fields by which people call a record."""
    assert route.body is not None
    return [name for name in route.body.__struct_fields__ if name in ("name", "title", "agent_slug")]


named = pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.body and _names_in(route)], ids=name_of
)


@on_one_database
@named
async def test_a_name_of_blanks_only_is_refused_and_padding_is_trimmed(world: World, route: Route) -> None:
    # A record of its own: another test may have locked or archived the one that all share.
    path = route.path.format(**await world.params(route, fresh=route.method != "POST"))
    for field in _names_in(route):
        for blank in (" ", "\t\n ", "\u00a0\u2003", "\u200b\ufeff"):
            sent = await world.body(route) | {field: blank}
            answer = await world.admin.send(route.method, path, sent)
            assert (answer.status_code, list(answer.json)) == (400, [field]), (field, blank)
        sent = await world.body(route)
        if field == "agent_slug" or field not in sent:
            continue
        answer = await world.admin.send(route.method, path, sent | {field: f" \t{sent[field]}\u2003\n"})
        assert answer.status_code == route.status, answer.text
        shown: dict[str, Any] = answer.json[0] if answer.text.startswith("[") else answer.json
        assert shown.get(field, sent[field]) == sent[field]
