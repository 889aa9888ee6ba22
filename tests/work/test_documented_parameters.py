"""Query parameters that Plane's documentation or an SDK has: obeyed, or named here with the reason why not."""

import pytest

from airside.api.v1 import TABLE
from airside.rest.route import Route
from airside.rest.routes import list_routes
from tests.support.workshop import Workshop, unique
from tools.api_coverage import bare, read_operations

ONE_RECORD = "The SDK shares one type of parameters with lists; the path names the one record."
OF_PEOPLE = "People are shown by their fields, which hold no ids to expand, and have no external ids."
BY_RELATION = "Ids grouped by relation: nothing to choose, to order or to page."
BY_PLACE = "A branch of a tree in the order that people gave it; memberships have no external ids."
BY_WORDS = "The matches of words, best first: flat, so that nothing can be expanded."
ONE_ITEM = "The values of one work item, whose path names it: at most those of its type's properties."

LIST_WORDS = {"order_by", "external_id", "external_source", "cursor", "per_page"}
SHAPES = {"fields", "expand"}
IGNORED: dict[str, tuple[set[str], str]] = {
    "projects/{}/epics/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/intake-issues/{}": (LIST_WORDS, ONE_RECORD),
    "pages/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/pages/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/work-items/{}": (LIST_WORDS, ONE_RECORD),
    "work-items/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/work-items/{}/activities/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/work-items/{}/links/{}": (LIST_WORDS, ONE_RECORD),
    "projects/{}/project-members-lite": ({"expand", *LIST_WORDS}, OF_PEOPLE),
    "projects/{}/project-members": ({"expand", *LIST_WORDS}, OF_PEOPLE),
    "members-lite": ({"expand", *LIST_WORDS}, OF_PEOPLE),
    "members": ({"expand", *LIST_WORDS}, OF_PEOPLE),
    "projects/{}/work-items/{}/relations": (LIST_WORDS | SHAPES, BY_RELATION),
    "collections/{}/pages": (LIST_WORDS - {"cursor", "per_page"}, BY_PLACE),
    "work-items/search": ({"expand", *LIST_WORDS}, BY_WORDS),
    "projects/{}/work-items/{}/work-item-properties/values": ({"limit", "offset", "issue"}, ONE_ITEM),
}


def served() -> dict[tuple[str, str], Route]:
    return {
        (route.method, bare(path)): route
        for route in list_routes(TABLE)
        for path in (route.path, *route.aliases)
    }


def test_a_documented_parameter_is_obeyed_or_has_a_reason() -> None:
    routes, unread = served(), dict[str, set[str]]()
    for one in read_operations():
        route = routes.get((one.method, bare(one.path)))
        missing = set(one.query) - set(route.query) if route else set()
        if missing:
            unread[bare(one.path).removeprefix("workspaces/{}/")] = missing
    assert set(unread) == set(IGNORED), "no reason is left over, and none is missing"
    assert {path: missing - IGNORED[path][0] for path, missing in unread.items()} == {
        path: set() for path in IGNORED
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_limit_and_offset_are_a_page_s_size_and_place(workshop: Workshop) -> None:
    names = [unique("Label") for _ in range(5)]
    for name in names:
        await workshop.make("labels", name=name, color="#fff")
    path, ana = workshop.path("labels"), workshop.ana
    whole = (await ana.get(path)).json["results"]
    page = (await ana.get(path, limit="2", offset="2")).json
    assert page["results"] == whole[2:4]
    assert page == (await ana.get(path, per_page="2", cursor="2:1:0")).json
    assert (await ana.get(path, limit="2", cursor="2:1:0", offset="4")).json == page, "a cursor says more"
    assert len((await ana.get(path, limit="2", per_page="3")).json["results"]) == 3
    for query in ({"limit": "0"}, {"limit": "x"}, {"limit": "5000"}, {"limit": "2", "offset": "3"},
                  {"offset": "-2"}, {"offset": "x"}, {"offset": "9" * 30}):  # fmt: skip
        assert (await ana.get(path, **query)).status_code == 400, query


@pytest.mark.asyncio(loop_scope="module")
async def test_matches_of_a_search_have_the_fields_that_are_asked_for(workshop: Workshop) -> None:
    name = unique("Quagga")
    made = await workshop.make("work-items", name=name)
    found = await workshop.ana.get("workspaces/acme/work-items/search", search=name, fields="id,name,other")
    assert found.json == {"issues": [{"id": made["id"], "name": name}]}
