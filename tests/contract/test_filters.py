"""Every filter of every list: it finds exactly the records that have its value, and refuses what isn't one."""

from typing import Any

import pytest

from airside.rest.face import Face
from airside.rest.filters import filters_of
from airside.rest.parameters import Contains, Text
from airside.rest.route import Route
from airside.rest.shaping import shown_names
from airside.work.projects.members import PROJECT_PEOPLE
from airside.workspaces.people import WORKSPACE_PEOPLE, filters_of_people
from tests.contract.world import BEFORE, MAKERS_OF_RECORDS, QUERIES, ROUTES, UNKNOWN, World, name_of
from tests.support.openapi import check_answer, operation_of, resolve

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = "no such value"
PEOPLE = {
    "list_workspace_members": WORKSPACE_PEOPLE,
    "page_workspace_members": WORKSPACE_PEOPLE,
    "list_project_members": PROJECT_PEOPLE,
    "page_project_members": PROJECT_PEOPLE,
}


def filters_in(route: Route) -> dict[str, Any]:
    """Filter → its kind."""
    if route.name in PEOPLE:
        return dict(filters_of_people(PEOPLE[route.name]).kinds)
    if route.face is None or route.method != "GET" or "order_by" not in route.query:
        return {}
    return dict(filters_of(route.face).kinds)


FILTERED = [route for route in ROUTES if filters_in(route)]
filtered = pytest.mark.parametrize("route", FILTERED, ids=name_of)
# Filters that aren't fields: what a record has by which they find it.
FIELDS = {"assignee": "assignees", "search": "name"}


async def make_varied(world: World) -> None:
    """Records that differ in what can be filtered, once for each world."""
    if "varied" in world.known:
        return
    world.known["varied"] = "made"
    own = ("run_id", "activity_id", "attachment_id", "issue_id", "intake_work_item_id")
    for name in (*MAKERS_OF_RECORDS, *own):
        await world.known_id(name)
        await world.make(name)
    base = f"projects/{await world.known_id('project_id')}"
    labels = [await world.make("label_id") for _ in range(3)]
    ana, ben = world.cast.ana["id"], world.cast.ben["id"]
    await world.admin.post(f"workspaces/acme/{base}/project-members", {"member": ben, "role": 15})
    parent = await world.known_id("work_item_id")
    states = (await world.admin.get(f"workspaces/acme/{base}/states", group="completed")).json["results"]
    for number, (assignees, of) in enumerate((([ana], [0]), ([ana, ben], [0, 1]), ([], [2]), ([ben], []))):
        item = await world.post(
            f"{base}/work-items",
            {
                "name": f"Varied {number}", "priority": ("high", "low")[number % 2], "assignees": assignees,
                "labels": [labels[one] for one in of], "start_date": f"2026-01-0{number + 1}", "point": number,
                "target_date": "2026-02-01", "parent": parent if number % 2 else None, "is_draft": number == 2,
                "state": states[0]["id"], "external_source": "github", "external_id": str(number),
            },
        )  # fmt: skip
        if number in (1, 3):
            path = f"workspaces/acme/{base}/work-items/{item['id']}/archive"
            assert (await world.admin.post(path)).status_code == 204
    held = {"project_id": world.known["project_id"], "milestone_id": world.known["milestone_id"]}
    await BEFORE["remove_milestone_work_items"](world, held)
    below = {"name": "Varied below", "parent": world.known["epic_id"]}
    await world.post(f"{base}/work-items", below)
    for plan in ("cycle", "module"):
        params = {"project_id": world.known["project_id"], f"{plan}_id": await world.make(f"{plan}_id")}
        await BEFORE[f"unarchive_{plan}"](world, params)
    gone = await world.admin.delete(f"workspaces/acme/{base}/labels/{labels[1]}")
    assert gone.status_code == 204, "the links to a deleted label stay, and nothing has it"


async def rows_of(world: World, route: Route, **query: str) -> list[Any]:
    """All records of a list, with every field."""
    path = route.path.format(**await world.params(route))
    if isinstance(route.face, Face):
        query.setdefault("fields", ",".join(shown_names(route.face.sortable or route.face.shown)))
    answer = await world.admin.get(path, per_page="100", **query)
    assert answer.status_code == 200, (query, answer.text)
    return answer.json["results"] if route.paged else answer.json


def has(row: Any, name: str, kind: Any, value: Any) -> bool:
    shown = row[FIELDS.get(name, name)]
    if isinstance(kind, Contains):
        return value.lower() in shown.lower()
    return value in shown if isinstance(shown, list) else shown == value


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@filtered
async def test_a_filter_finds_exactly_the_records_with_its_value(world: World, route: Route) -> None:
    await make_varied(world)
    rows = await rows_of(world, route)
    assert rows
    for name, kind in filters_in(route).items():
        field = FIELDS.get(name, name)
        shown = [row[field] for row in rows if field in row]
        values = [one for value in shown for one in (value if isinstance(value, list) else [value])]
        for value in list({written(one): one for one in values if one not in (None, "")}.values())[:5]:
            found = await rows_of(world, route, **{name: written(value)})
            assert [row["id"] for row in found] == [
                row["id"] for row in rows if has(row, name, kind, value)
            ], (name, value)


@filtered
async def test_a_value_that_is_none_is_refused_under_the_filters_name(world: World, route: Route) -> None:
    path = route.path.format(**await world.params(route))
    for name, kind in filters_in(route).items():
        answer = await world.admin.get(path, **{name: WRONG})
        if isinstance(kind, Text | Contains):
            assert answer.status_code == 200, name
            continue
        assert (answer.status_code, list(answer.json)) == (400, [name]), name
        assert isinstance(answer.json[name][0], str)
        check_answer(route, answer)


@filtered
async def test_an_empty_filter_is_none(world: World, route: Route) -> None:
    every = len(await rows_of(world, route))
    empty = dict.fromkeys(filters_in(route), "")
    assert len(await rows_of(world, route, **empty)) == every


@filtered
async def test_hostile_values_of_a_filter_are_refused_or_find_nothing(world: World, route: Route) -> None:
    path = route.path.format(**await world.params(route))
    for name in filters_in(route):
        for value in (
            "-1", "9" * 40, "1e400", "nan", "inf", "٣", "0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30",
            "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-12:00", ",", ",,", "a,b", "%", "_", "\\",
            f"{UNKNOWN},{UNKNOWN}", f"{UNKNOWN},", ",".join([UNKNOWN] * 100), "é" * 200, "\U0001f984", "null",
        ):  # fmt: skip
            answer = await world.admin.get(path, **{name: value})
            assert answer.status_code in (200, 400), (name, value, answer.text)


@filtered
async def test_filters_stand_in_openapi(route: Route) -> None:
    described = {one["name"]: one for one in map(resolve, operation_of(route)["parameters"])}
    for name in filters_in(route):
        assert described[name]["in"] == "query"
        assert described[name]["description"]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "GET" and "order_by" in route.query], ids=name_of
)
async def test_a_parameter_that_seems_to_filter_and_does_not_is_refused_by_name(
    world: World, route: Route
) -> None:
    path, needed = route.path.format(**await world.params(route)), QUERIES.get(route.name, {})
    shown: set[str] = set(shown_names(route.face.shown)) if route.face else set()
    for name in {*shown, "page", "cycle_view", "customer_request_id", "is_default", "milestone"}:
        if name in route.query:
            continue
        answer = await world.admin.get(path, **{**needed, name: "1"})
        assert (answer.status_code, list(answer.json)) == (400, [name]), name
        check_answer(route, answer)
    for name in ("nonsense", "limit", "offset", "utm_source"):
        if name not in route.query:
            assert (await world.admin.get(path, **{**needed, name: "1"})).status_code == 200, name
