"""Counting over HTTP, as plane-sdk's WorkItemGroupedCountResponse reads it."""

from typing import Any

import pytest

from airside.runtime.site import Site
from airside.work.work_items.count import COUNT_ROUTES, DIMENSIONS
from tests.support.api import serve_api
from tests.work.board import Board, make_board

COUNT = "workspaces/acme/work-items/count"


@pytest.fixture
async def board(site: Site) -> Board:
    return await make_board(site)


async def count(board: Board, user: str = "ana", **query: str) -> Any:
    api = serve_api(board.site, *COUNT_ROUTES)
    async with api.acting_as(getattr(board.cast, user)["id"]) as client:
        answer = await client.get(COUNT, **query)
    assert answer.status_code == 200, answer.text
    return answer.json


async def test_without_a_group_there_is_only_the_total(board: Board) -> None:
    assert await count(board) == {
        "grouped_by": None,
        "sub_grouped_by": None,
        "total_count": 4,  # neither the draft nor the archived one
        "grouped_counts": {},
    }


async def test_nobody_counts_what_they_may_not_see(board: Board) -> None:
    assert (await count(board, "ben"))["total_count"] == 3
    assert (await count(board, "gil", group_by="project_id"))["grouped_counts"] == {board.eng: {"count": 3}}
    assert (await count(board, "ben", pql=f'project = "{board.ops}"'))["total_count"] == 0


async def test_pql_and_filters_narrow_the_count(board: Board) -> None:
    assert (await count(board, pql="assignee = currentUser()"))["total_count"] == 2
    assert (await count(board, filters='{"priority__in": ["urgent", "medium"]}'))["total_count"] == 2
    assert (await count(board, pql=f'(priority = none) AND project = "{board.ops}"'))["total_count"] == 1


async def test_each_property_groups_by_its_raw_value(board: Board) -> None:
    ids, ana, ben = board.ids, board.cast.ana["id"], board.cast.ben["id"]
    for group, expected in {
        "priority": {"urgent": 1, "high": 1, "medium": 1, "none": 1},
        "state__group": {"unstarted": 1, "started": 1, "completed": 1, "backlog": 1},
        "state_id": {
            ids[name]: 1 for name in ("ENG/unstarted", "ENG/started", "ENG/completed", "OPS/backlog")
        },
        "project_id": {board.eng: 3, board.ops: 1},
        "labels__id": {ids["bug"]: 2, ids["idea"]: 1, "None": 2},
        "assignees__id": {ana: 2, ben: 2, "None": 1},
        "created_by": {ana: 3, ben: 1},
        "target_date": {"2026-01-02": 2, "2026-01-10": 1, "None": 1},
        "start_date": {"2025-12-20": 1, "None": 3},
        "type_id": {"None": 4},
        "cycle_id": {"None": 4},
        "milestone_id": {"None": 4},
        "issue_module__module_id": {"None": 4},
        "release_work_items__release_id": {"None": 4},
    }.items():
        answer = await count(board, group_by=group)
        assert (answer["grouped_by"], answer["total_count"]) == (group, 4)
        assert answer["grouped_counts"] == {key: {"count": number} for key, number in expected.items()}, group


async def test_sub_groups_stand_inside_their_group_and_do_not_swell_it(board: Board) -> None:
    answer = await count(board, group_by="priority", sub_group_by="labels__id")
    bug, idea = board.ids["bug"], board.ids["idea"]
    assert answer["sub_grouped_by"] == "labels__id"
    assert answer["grouped_counts"] == {
        "urgent": {"count": 1, "sub_grouped_counts": {bug: {"count": 1}}},
        "high": {"count": 1, "sub_grouped_counts": {bug: {"count": 1}, idea: {"count": 1}}},
        "medium": {"count": 1, "sub_grouped_counts": {"None": {"count": 1}}},
        "none": {"count": 1, "sub_grouped_counts": {"None": {"count": 1}}},
    }


async def test_any_two_properties_can_be_combined(board: Board) -> None:
    for group in DIMENSIONS:
        for sub_group in DIMENSIONS:
            answer = await count(board, group_by=group, sub_group_by=sub_group)
            assert answer["total_count"] == 4
            assert all(entry["sub_grouped_counts"] for entry in answer["grouped_counts"].values())


async def test_a_group_of_nothing_is_empty(board: Board) -> None:
    for group in ("priority", "cycle_id"):
        answer = await count(board, group_by=group, pql="priority = low")
        assert (answer["total_count"], answer["grouped_counts"]) == (0, {})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"group_by": "name"}, "group_by"),
        ({"group_by": "priority", "sub_group_by": "name"}, "sub_group_by"),
        ({"sub_group_by": "priority"}, "sub_group_by"),
        ({"pql": "priority ="}, "pql"),
        ({"filters": "{"}, "filters"),
    ],
)
async def test_what_cannot_be_counted_is_refused_by_name(
    board: Board, query: dict[str, str], field: str
) -> None:
    async with serve_api(board.site, *COUNT_ROUTES).acting_as(board.cast.ana["id"]) as ana:
        answer = await ana.get(COUNT, **query)
    assert answer.status_code == 400
    assert list(answer.json) == [field]


async def test_an_outsider_counts_nothing(board: Board) -> None:
    async with serve_api(board.site, *COUNT_ROUTES).acting_as(board.cast.zoe["id"]) as zoe:
        assert (await zoe.get(COUNT)).status_code == 403
