"""Pages of v2: cursors that stand for a position, at a cost that doesn't grow with it."""

from datetime import timedelta
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.errors import AirsideError, Invalid
from airside.rest.parameters import Day, Moment, Number
from airside.rest.selection import list_statement
from airside.rest.wires.v2.filters import Bound, IsNull, Named, forms
from airside.rest.wires.v2.paging import (
    NotCursorEligible,
    check_eligible,
    read_cursor,
    read_page,
    read_size,
    wrap_page,
    write_cursor,
)
from airside.runtime.site import Site
from airside.work.projects.labels import LABELS_V2, labels
from tests.support.effort import effort, record_growth

MANY = 3_000


async def add_labels(site: Site, workspace_id: str, project_id: str) -> list[Row]:
    start = site.clock.now()
    rows: list[Row] = [
        {
            "workspace_id": workspace_id, "id": new_id(), "project_id": project_id, "name": f"label {number}",
            "description": "", "color": "", "sort_order": 1.0, "created_at": start + timedelta(seconds=number),
            "updated_at": start,
        }
        for number in range(MANY)
    ]  # fmt: skip
    async with site.db.transaction() as tx:
        await tx.insert_all(labels, rows)
    await record_growth(site.db, "labels")
    return rows


@pytest.mark.parametrize("order", ["-created_at", "created_at"])
async def test_a_page_deep_in_a_list_costs_what_the_first_does(site: Site, order: str) -> None:
    workspace_id, project_id = new_id(), new_id()
    rows = await add_labels(site, workspace_id, project_id)

    async def cost(cursor: str | None) -> int:
        after = read_cursor(LABELS_V2, order, cursor)
        statement = list_statement(LABELS_V2, (order,), after.clauses)
        scope = {"scope_workspace_id": workspace_id, "scope_project_id": project_id}
        return await effort(site.db, statement, **scope, **after.params, limit=50, offset=0)

    first, deep = await cost(None), await cost(write_cursor(order, rows[MANY // 2]))
    assert deep < 2 * first + 10


def test_a_cursor_is_only_good_for_its_own_order() -> None:
    row = {"id": new_id(), "created_at": Moment().read("2026-01-31")[0]}
    cursor = write_cursor("-created_at", row)
    assert read_cursor(LABELS_V2, "-created_at", cursor).params == {
        "after_created_at": row["created_at"],
        "after_id": row["id"],
    }
    for order, text in (("id", cursor), ("-created_at", write_cursor("id", row)), ("id", "é"), ("id", "e30")):
        with pytest.raises(Invalid) as caught:
            read_cursor(LABELS_V2, order, text)
        assert list(caught.value.fields) == ["cursor"]


def test_only_one_order_with_positions_is_paged_by_cursor() -> None:
    assert check_eligible(("-created_at",)) == "-created_at"
    for order in (("sort_order",), ("created_at", "id")):
        with pytest.raises(NotCursorEligible):
            check_eligible(order)


def test_a_size_is_clamped_and_an_offset_bounded() -> None:
    assert [read_size({"per_page": text}) for text in ("", "1", "200", "201", "9" * 30)] == [
        50,
        1,
        200,
        200,
        200,
    ]
    assert read_page({"offset": "10000", "count": "false"}) == (50, 10_000, False)
    for query in ({"offset": "10001"}, {"offset": "-1"}, {"per_page": "0"}, {"per_page": "x"}):
        with pytest.raises(AirsideError):
            read_page(query)


def test_a_page_says_where_the_next_and_the_one_before_start() -> None:
    page = read_page({"offset": "20", "per_page": "50"})
    shown: dict[str, Any] = wrap_page(page, [], 100, has_more=True)
    assert (shown["next"], shown["previous"], shown["total_count"]) == (70, 0, 100)
    last = wrap_page(page, [], None, has_more=False)
    assert (last["next"], "total_count" in last) == (None, False)


def test_forms_are_named_in_full_and_compare_the_same_column() -> None:
    made = forms("day", Day(), "in", "isnull", "gte", "lte")
    assert list(made) == ["day", "day__in", "day__isnull", "day__gte", "day__lte"]
    assert {kind.column for name, kind in made.items() if name != "day"} == {"day"}


def test_a_range_includes_its_ends_and_a_day_all_its_times() -> None:
    column = labels.c.created_at
    start, end = Moment().read("2026-01-31")
    assert Bound(kind=Moment()).read("2026-01-31") == start
    assert Bound(kind=Moment(), is_upper=True).read("2026-01-31") == end
    assert str(Bound(kind=Moment(), is_upper=True).compare(column, "x", False)).endswith("< :x")
    assert str(Bound(kind=Moment()).compare(column, "x", False)).endswith(">= :x")
    assert str(Bound(kind=Number(), is_upper=True).compare(labels.c.sort_order, "x", False)).endswith("<= :x")
    assert "IS NULL" in str(IsNull().compare(column, "x", False))


def test_a_name_is_compared_whole_and_its_wildcards_are_text() -> None:
    assert Named().values("x", "50%_a") == {"x": r"50\%\_a"}
