"""Cursor paging: which part of a list is answered, and whether there is more."""

from typing import Any

import pytest

from airside.errors import BadRequest
from airside.rest.wires.v1.paging import MAX_OFFSET, Page, read_page, wrap_page
from tests.support.workshop import Workshop, unique

DEFAULT, MAXIMUM = 100, 1000


def read(**query: str) -> Page:
    return read_page(query, DEFAULT, MAXIMUM)


def test_without_a_word_it_is_the_first_page_of_the_lists_own_size() -> None:
    assert read() == read(per_page="", cursor="") == Page(DEFAULT, 0)


def test_a_page_is_as_long_as_asked_up_to_the_lists_bound() -> None:
    assert [read(per_page=text).size for text in ("1", "1000")] == [1, MAXIMUM]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1001", "Invalid per_page value. Cannot exceed 1000."),
        ("9" * 30, "Invalid per_page value. Cannot exceed 1000."),
        ("0", "Invalid per_page value. Must be at least 1."),
        ("-1", "Invalid per_page value. Must be at least 1."),
        ("1.5", "Invalid per_page parameter."),
        ("many", "Invalid per_page parameter."),
    ],
)
def test_a_size_out_of_bounds_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        read(per_page=text)


def test_the_cursor_says_which_page_and_per_page_how_long_it_is() -> None:
    page = read(cursor="7:3:0", per_page="20")
    assert (page, page.offset) == (Page(20, 3), 60)
    assert read(cursor="20.0:3.0:1").number == 3


@pytest.mark.parametrize(
    "text",
    ["1", "1:2", "1:2:3", "1:2:0:0", "a:b:c", "1::0", "1:inf:0", "1:nan:0", f"1:{MAX_OFFSET}:0", "1:2:-1"],
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="Invalid cursor parameter"):
        read(cursor=text)
    with pytest.raises(BadRequest, match="Error in parsing"):
        read(cursor="100:-1:1")


@pytest.mark.parametrize(
    ("number", "total", "pages", "follows", "precedes"),
    [
        (0, 0, 0, False, False),
        (0, 9, 1, False, False),
        (0, 10, 1, False, False),
        (0, 11, 2, True, False),
        (1, 11, 2, False, True),
        (1, 20, 2, False, True),
        (1, 21, 3, True, True),
        (5, 11, 2, False, True),
    ],
)
def test_a_page_says_whether_one_follows_and_one_precedes(
    number: int, total: int, pages: int, follows: bool, precedes: bool
) -> None:
    wrapped = wrap_page(Page(10, number), total, ["x"])
    assert (wrapped["next_page_results"], wrapped["prev_page_results"]) == (follows, precedes)
    assert (wrapped["total_pages"], wrapped["total_count"], wrapped["total_results"]) == (pages, total, total)
    assert (wrapped["next_cursor"], wrapped["prev_cursor"]) == (f"10:{number + 1}:0", f"10:{number - 1}:1")
    assert (wrapped["count"], wrapped["results"]) == (1, ["x"])
    assert {wrapped[name] for name in ("grouped_by", "sub_grouped_by", "extra_stats")} == {None}


@pytest.mark.asyncio(loop_scope="module")
async def test_following_the_cursors_shows_every_record_once_in_both_directions(workshop: Workshop) -> None:
    path = workshop.path(f"work-items/{(await workshop.make('work-items', name='A'))['id']}/links")
    made = [
        (await workshop.ana.post(path, {"url": f"https://a.example/{number}"})).json["id"]
        for number in range(5)
    ]
    for order, expected in (("created_at", made), ("-created_at", made[::-1])):
        there = await follow(workshop, path, order, "next", {"per_page": "2"})
        assert [one["id"] for page in there for one in page["results"]] == expected
        assert [page["count"] for page in there] == [2, 2, 1]
        assert {page["total_count"] for page in there} == {5}
        back = await follow(workshop, path, order, "prev", {"per_page": "2", "cursor": "2:2:0"})
        assert back == there[::-1]
    beyond = (await workshop.ana.get(path, per_page="2", cursor="2:9:0")).json
    assert (beyond["results"], beyond["total_count"], beyond["next_page_results"]) == ([], 5, False)


async def follow(workshop: Workshop, path: str, order: str, way: str, query: dict[str, str]) -> list[Any]:
    pages = [(await workshop.ana.get(path, order_by=order, **query)).json]
    while pages[-1][f"{way}_page_results"]:
        query = {"per_page": "2", "cursor": pages[-1][f"{way}_cursor"]}
        pages.append((await workshop.ana.get(path, order_by=order, **query)).json)
        assert len(pages) < 10
    return pages


@pytest.mark.asyncio(loop_scope="module")
async def test_the_total_is_of_what_the_caller_filters_and_follows_what_changes(workshop: Workshop) -> None:
    path, query = workshop.path("states"), {"group": "cancelled", "per_page": "1"}
    before = (await workshop.ana.get(path, **query)).json["total_count"]
    for expected in (before + 1, before + 2):
        await workshop.make("states", name=unique("State"), color="#0", group="cancelled")
        page = (await workshop.ana.get(path, **query)).json
        assert (page["total_count"], page["count"]) == (expected, 1)
