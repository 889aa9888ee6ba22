"""Search and advanced search over HTTP."""

from typing import Any

import pytest

from airside.runtime.site import Site
from airside.work.work_items.search import DEFAULT_LIMIT, SEARCH_ROUTES
from tests.support.api import serve_api
from tests.work.board import Board, add_item, add_project, make_board

SEARCH, ADVANCED = "workspaces/acme/work-items/search", "workspaces/acme/work-items/advanced-search"


@pytest.fixture
async def board(site: Site) -> Board:
    return await make_board(site)


def found(board: Board, answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    rows = answer.json["issues"] if isinstance(answer.json, dict) else answer.json
    return [board.names[row["id"]] for row in rows]


async def test_search_answers_with_the_six_fields_of_plane(site: Site, board: Board) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        answer = await ana.get(SEARCH, search="launch")
    assert answer.json == {
        "issues": [
            {
                "name": "alpha launch",
                "id": board.ids["alpha"],
                "sequence_id": 1,
                "project__identifier": "ENG",
                "project_id": board.eng,
                "workspace__slug": "acme",
            }
        ]
    }


async def test_search_finds_by_name_number_and_identifier(site: Site, board: Board) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        for words, expected in {
            "ALPHA": ["alpha"],
            "1": ["zeta", "alpha"],
            "50": ["beta"],
            "eng-2": ["beta"],
            "OPS": ["zeta"],
            "äRGER": ["zeta"],
            "50%": ["beta"],
            "%": ["beta"],
            "spreadsheet": [],
            "eng-99": [],
            "99999999999": [],
            "' OR 1=1 --": [],
            "  ": [],
            "": [],
        }.items():
            assert found(board, await ana.get(SEARCH, search=words)) == expected, words
        assert found(board, await ana.get("workspaces/acme/issues/search", search="gamma")) == ["gamma"]


async def test_search_leaves_out_drafts_archived_and_deleted_items(site: Site, board: Board) -> None:
    await add_item(board, "ENG", 9, "omega", "backlog", [], [], deleted_at=site.clock.now())
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        for word in ("delta", "epsilon", "omega"):
            assert found(board, await ana.get(SEARCH, search=word)) == []
            assert found(board, await ana.post(ADVANCED, {"query": word})) == []


async def test_what_is_called_exactly_so_comes_first(site: Site, board: Board) -> None:
    await add_item(board, "ENG", 7, "later than ENG-1", "backlog", [], [], created_at=site.clock.now())
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        assert found(board, await ana.get(SEARCH, search="ENG-1")) == ["alpha", "later"]


async def test_search_shows_nobody_a_project_they_are_not_in(site: Site, board: Board) -> None:
    cast = board.cast
    public = await add_project(board, cast.acme["id"], "PUB", [cast.ben["id"]])
    await add_item(board, "PUB", 1, "pi", "backlog", [], [])
    old = await add_project(board, cast.acme["id"], "OLD", [cast.gil["id"]], archived_at=site.clock.now())
    await add_item(board, "OLD", 1, "omicron", "backlog", [], [])
    other = cast.other["id"]
    await add_project(board, other, "ZOE", [cast.ana["id"], cast.zoe["id"]])
    await add_item(board, "ZOE", 1, "alpha of another workspace", "backlog", [], [], workspace_id=other)
    api = serve_api(site, *SEARCH_ROUTES)
    for user, role_sees in {
        "ana": {"alpha", "zeta", "pi"},
        "ben": {"alpha", "pi"},
        "gil": {"alpha"},
    }.items():
        async with api.acting_as(getattr(cast, user)["id"]) as client:
            seen: set[str] = set()
            for word in ("alpha", "zeta", "pi", "omicron"):
                seen |= set(found(board, await client.get(SEARCH, search=word)))
                assert set(found(board, await client.post(ADVANCED, {"query": word}))) <= seen
            assert seen == role_sees, user
    async with api.acting_as(cast.gil["id"]) as gil:
        assert found(board, await gil.get(SEARCH, search="pi", project_id=public)) == []
        assert found(board, await gil.get(SEARCH, search="omicron", project_id=old)) == []
    async with api.acting_as(cast.zoe["id"]) as zoe:
        assert (await zoe.get(SEARCH, search="alpha")).status_code == 403
        assert (await zoe.post(ADVANCED, {"query": "alpha"})).status_code == 403


async def test_a_project_narrows_unless_the_whole_workspace_is_asked(site: Site, board: Board) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        for query, expected in (
            ({"project_id": board.ops}, ["zeta"]),
            ({"project": board.ops}, ["zeta"]),
            ({"project_id": board.ops, "workspace_search": "false"}, ["zeta"]),
            ({"project_id": board.ops, "workspace_search": "true"}, ["zeta", "alpha"]),
        ):
            assert found(board, await ana.get(SEARCH, search="1", **query)) == expected
        body = {"query": "1", "project_id": board.ops}
        assert found(board, await ana.post(ADVANCED, body)) == ["zeta"]
        assert found(board, await ana.post(ADVANCED, {**body, "workspace_search": True})) == ["zeta", "alpha"]


async def test_search_is_limited_to_ten_unless_it_says_otherwise(site: Site, board: Board) -> None:
    for number in range(20, 35):
        await add_item(board, "ENG", number, f"many {number}", "backlog", [], [])
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        assert len(found(board, await ana.get(SEARCH, search="many"))) == DEFAULT_LIMIT
        assert len(found(board, await ana.get(SEARCH, search="many", limit="12"))) == 12
        assert len(found(board, await ana.get(SEARCH, search="many", limit="1"))) == 1
        assert len(found(board, await ana.get(SEARCH, search="many", limit="100000"))) == 15
        assert len(found(board, await ana.post(ADVANCED, {"query": "many", "limit": 3}))) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "abc"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"project_id": "ENG"}, "project_id"),
        ({"search": "x" * 1001}, "search"),
    ],
)
async def test_what_search_cannot_read_is_refused_by_name(
    site: Site, board: Board, query: dict[str, str], field: str
) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        answer = await ana.get(SEARCH, **{"search": "x", **query})
    assert answer.status_code == 400
    assert list(answer.json) == [field]


async def test_advanced_search_answers_a_bare_list_with_eleven_fields(site: Site, board: Board) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        answer = await ana.post(ADVANCED, {"query": "launch"})
    assert answer.json == [
        {
            "id": board.ids["alpha"],
            "name": "alpha launch",
            "sequence_id": 1,
            "project_identifier": "ENG",
            "project_id": board.eng,
            "workspace_id": board.cast.acme["id"],
            "type_id": None,
            "state_id": board.ids["ENG/unstarted"],
            "priority": "urgent",
            "target_date": "2026-01-02",
            "start_date": "2025-12-20",
        }
    ]


async def test_advanced_search_takes_words_filters_and_pql_together(site: Site, board: Board) -> None:
    started = board.ids["ENG/started"]
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        for body, expected in (
            ({"query": "spreadsheet"}, {"gamma"}),
            ({"filters": {"and": [{"state_id": started}, {"or": [{"priority": "high"}]}]}}, {"beta"}),
            ({"pql": "isOverdue()"}, {"alpha"}),
            ({"query": "a", "filters": {"priority__in": ["urgent", "medium"]}}, {"alpha", "gamma"}),
            ({"query": "launch", "pql": "priority = low"}, set()),
            ({}, {"alpha", "beta", "gamma", "zeta"}),
            ({"filters": {}, "query": None, "limit": None}, {"alpha", "beta", "gamma", "zeta"}),
        ):
            assert set(found(board, await ana.post(ADVANCED, body))) == expected, body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": {"nothing": 1}}, "filters"),
        ({"filters": "x"}, "filters"),
        ({"pql": "x"}, "pql"),
        ({"limit": 0}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"project_id": "x"}, "project_id"),
        ({"query": "x" * 1001}, "query"),
    ],
)
async def test_what_advanced_search_cannot_read_is_refused_by_name(
    site: Site, board: Board, body: dict[str, Any], field: str
) -> None:
    async with serve_api(site, *SEARCH_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        answer = await ana.post(ADVANCED, body)
    assert answer.status_code == 400
    assert list(answer.json) == [field]


async def test_a_token_needs_the_scope_to_read_work_items(site: Site, board: Board) -> None:
    api = serve_api(site, *SEARCH_ROUTES)
    async with api.acting_as(board.cast.ana["id"], scopes=frozenset({"projects.labels:read"})) as ana:
        assert (await ana.get(SEARCH, search="a")).status_code == 403
    async with api.acting_as(board.cast.ana["id"], scopes=frozenset({"projects.work_items:read"})) as ana:
        assert (await ana.get(SEARCH, search="a")).status_code == 200
        assert (await ana.post(ADVANCED, {"query": "a"})).status_code == 200
