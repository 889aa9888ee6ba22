"""What lists of work items are ordered by beside their own columns."""

import pytest

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from airside.work.projects.tables import projects
from airside.work.work_items.sorts import SORTS
from tests.support.api import serve_api
from tests.work.board import Board, make_board

PROJECT = "workspaces/acme/projects"


@pytest.fixture
async def board(site: Site) -> Board:
    return await make_board(site)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("assignees__first_name", ["alpha", "beta", "gamma"]),
        ("-assignees__first_name", ["beta", "alpha", "gamma"]),
        ("created_by__first_name", ["alpha", "gamma", "beta"]),
        ("-created_by__display_name", ["beta", "gamma", "alpha"]),
        ("labels__name", ["alpha", "beta", "gamma"]),
        ("state__group", ["alpha", "beta", "gamma"]),
        ("-state__name", ["alpha", "beta", "gamma"]),
        ("priority", ["alpha", "beta", "gamma"]),
        ("project__identifier", ["alpha", "beta", "gamma"]),
        ("issue_module__module__name", ["alpha", "beta", "gamma"]),
    ],
)
async def test_a_list_is_ordered_by_what_its_items_refer_to(
    site: Site, board: Board, order: str, expected: list[str]
) -> None:
    async with serve_api(site, *TABLE).acting_as(board.cast.ana["id"]) as ana:
        listed = await ana.get(f"{PROJECT}/{board.eng}/work-items", order_by=order, fields="id")
        assert listed.status_code == 200, listed.text
        assert [board.names[row["id"]] for row in listed.json["results"]] == expected


async def test_every_order_works_both_ways_in_every_list(site: Site, board: Board) -> None:
    async with serve_api(site, *TABLE).acting_as(board.cast.ana["id"]) as ana:
        for number, name in enumerate(SORTS):
            path = (f"{PROJECT}/{board.eng}/work-items", "workspaces/acme/work-items")[number % 2]
            for order in (name, f"-{name}"):
                answer = await ana.get(path, order_by=order, per_page=1)
                assert answer.status_code == 200, (order, answer.text)
        for order in ("assignees__password_hash", "created_by__email", "state__", "bogus"):
            assert (await ana.get(path, order_by=order)).status_code == 400, order


@pytest.mark.parametrize("order", ["project__identifier", "-project__identifier", "project__name"])
async def test_work_items_of_several_projects_are_ordered_by_their_project(
    site: Site, board: Board, order: str
) -> None:
    async with site.db.transaction() as tx:  # against the order in which they were made
        await tx.update(projects, {"identifier": "ZENG", "name": "Zeng"}, id=board.eng)
    async with serve_api(site, *TABLE).acting_as(board.cast.ana["id"]) as ana:
        listed = (await ana.get("workspaces/acme/work-items", order_by=order, fields="id,project")).json
    found = [row["project"] for row in listed["results"]]
    expected = [board.ops] + [board.eng] * 3
    assert found == (expected[::-1] if order[0] == "-" else expected)
