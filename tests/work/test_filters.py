"""The `filters` parameter: the same questions as the query language, in JSON."""

import contextlib
import json
import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.db.sqlite import SqliteDatabase
from airside.errors import Invalid
from airside.pql.expression import QueryError
from airside.pql.fields import FIELDS
from airside.pql.parse import parse_pql
from airside.rest.filters import filters_of
from airside.rest.selection import list_statement
from airside.runtime.site import Site
from airside.work.work_items.filters import compile_filters, narrow_by_query, parse_filters
from airside.work.work_items.work_items import UNARCHIVED, WORK_ITEMS_V1
from tests.support.databases import sqlite_template
from tests.work.board import ALL, Board, make_board

ID = "0b1c5f0e-7a4b-4a55-9b27-3f7d5a1f9a01"


@pytest.fixture
async def board(site: Site) -> Board:
    return await make_board(site)


@pytest.mark.parametrize(
    ("filters", "pql"),
    [
        ({"priority": "urgent"}, "priority = urgent"),
        ({"state_group__in": ["unstarted", "started"]}, "stateGroup IN (unstarted, started)"),
        ({"state__group__in": "unstarted,started"}, "stateGroup IN (unstarted, started)"),
        ({"assignees__id": ID}, f"assignee = {ID}"),
        ({"assignee_id__in": [ID]}, f"assignee IN ({ID})"),
        ({"target_date__range": ["2026-01-01", "2026-01-31"]}, "dueDate BETWEEN 2026-01-01 AND 2026-01-31"),
        ({"target_date__range": "2026-01-01,2026-01-31"}, "dueDate BETWEEN 2026-01-01 AND 2026-01-31"),
        ({"target_date__gte": "2026-01-01"}, "dueDate >= 2026-01-01"),
        ({"parent__isnull": True}, "parent IS NULL"),
        ({"parent__isnull": "false"}, "parent IS NOT NULL"),
        ({"parent": None}, "parent IS NULL"),
        ({"name__icontains": "x"}, "title ~ x"),
        ({"point__lt": 5}, "point < 5"),
        ({"is_draft": False}, "isDraft = false"),
        ({"and": [{"priority": "high"}, {"point": 1}]}, "priority = high AND point = 1"),
        ({"priority": "high", "point": 1}, "priority = high AND point = 1"),
        (
            {"and": [{"state_id": ID}, {"or": [{"priority": "high"}, {"label_id": ID}]}]},
            f"state = {ID} AND (priority = high OR label = {ID})",
        ),
    ],
)
def test_filters_say_what_a_query_says(filters: dict[str, Any], pql: str) -> None:
    assert parse_filters(json.dumps(filters)) == parse_pql(pql)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "A filter is an object"),
        ('{"and": [{}]}', "A filter is an object"),
        ('{"and": {}}', '"and" takes a list'),
        ('{"or": []}', '"or" takes a list'),
        ('{"nothing": 1}', "There is no field nothing."),
        ('{"priority__near": 1}', "There is no field priority__near."),
        ('{"priority": "critical"}', "is not a priority"),
        ('{"priority": {"a": 1}}', "takes plain values"),
        ('{"priority__in": [null]}', "takes plain values"),
        ('{"target_date__range": ["2026-01-01"]}', "takes two values"),
        ('{"point__gt": [1, 2]}', "takes one value"),
        ('{"point__gt": 1e300}', "is a whole number"),
        ('{"point__gt": 123456789012345678901234567890}', "is a whole number"),
        ('{"parent__isnull": 1}', "is true or false"),
        ('{"release_id": "x"}', "not available in this workspace yet"),
        ('{"name": "a\\u0000b"}', "Null characters"),
        ('{"name": "' + "x" * 1001 + '"}', "at most 1000 characters"),
        ('{"not": ' * 30 + '{"point": 1}' + "}" * 30, "nested more than 20 deep"),
        ('{"and": [' * 20_000, "at most 100000 characters"),
        (json.dumps({"point__in": list(range(1001))}), "at most 1000 values"),
        (json.dumps({"and": [{"point": 1}] * 51}), "at most 50 conditions"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_filters(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(ID),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["and", "or", "not"]
                + [field.name + suffix for field in FIELDS for suffix in ("", "__in", "__range", "__isnull")]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON.map(json.dumps) | st.text(max_size=40))
def test_any_json_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        parse_filters(text)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"not": {"priority__in": ["urgent", "high"]}}, ALL - {"alpha", "beta"}),
        ({"not": [{"priority": "high"}, {"is_draft": True}]}, ALL),
        ({"or": [{"priority": "high"}, {"assignees__isnull": True}]}, {"beta", "gamma", "delta", "epsilon"}),
        ({"target_date__lte": "2026-01-02", "state_group": "completed"}, {"gamma"}),
        ({"sequence_id__in": [1, 2]}, {"alpha", "beta", "zeta"}),
        ({"name__icontains": "BETA"}, {"beta"}),
        ({"name__exact": "gamma"}, {"gamma"}),
        ({}, ALL),
        ({"created_at__range": ["2026-01-01", "2026-01-31"]}, {"zeta"}),
    ],
)
async def test_filters_find_what_they_ask_for(board: Board, filters: Any, expected: set[str]) -> None:
    assert await board.run(await compile_filters(json.dumps(filters), board.call())) == expected


async def test_the_parameters_of_a_list_narrow_together(board: Board) -> None:
    ana, ben = board.cast.ana["id"], board.cast.ben["id"]

    async def narrowed(**query: str) -> set[str]:
        found = ALL
        asked = filters_of(WORK_ITEMS_V1).read(query, board.cast.acme["id"])
        for clause in (*(await narrow_by_query(board.call(**query))).clauses, *asked.clauses):
            found = found & await board.run(clause, **asked.params)
        return found

    assert await narrowed() == ALL
    assert await narrowed(project=board.eng) == ALL - {"zeta"}
    assert await narrowed(assignee=f"{ana}, {ben}") == {"alpha", "beta", "zeta"}
    assert await narrowed(assignee=ben, project=board.eng, pql="priority = high") == {"beta"}
    assert await narrowed(labels=board.ids["bug"]) != set()
    assert await narrowed(labels=board.ids["gone"]) == set(), "nothing has a deleted label"
    assert await narrowed(state=board.ids["ENG/started"], filters='{"priority": "urgent"}') == set()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"pql": "x"}, "pql"),
        ({"filters": "x"}, "filters"),
        ({"state": "Todo"}, "state"),
        ({"assignee": "me"}, "assignee"),
    ],
)
async def test_a_refusal_stands_under_the_name_of_its_parameter(
    board: Board, query: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await narrow_by_query(board.call(**query))
        filters_of(WORK_ITEMS_V1).read(query, board.cast.acme["id"])
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("labels", "ix_work_item_labels_label (workspace_id=? AND label_id=?)"),
        ("assignees", "ix_work_item_assignees_user (workspace_id=? AND user_id=?)"),
        ("parent", "ix_work_items_parent (workspace_id=? AND parent_id=? AND project_id=?)"),
        ("state", "ix_work_items_state (workspace_id=? AND project_id=? AND state_id=?)"),
    ],
)
def test_sqlite_finds_the_few_by_an_index(name: str, index: str) -> None:
    asked = filters_of(WORK_ITEMS_V1).read({name: ID}, ID)
    statement = list_statement(WORK_ITEMS_V1, ("-created_at",), (*asked.clauses, *UNARCHIVED.clauses))
    form = statement.form(SqliteDatabase.dialect)
    connection = sqlite3.connect(sqlite_template())
    values = form.bind(
        {**asked.params, **dict.fromkeys(("scope_workspace_id", "scope_project_id", "limit", "offset"), ID)}
    )
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {form.text}", values))
    connection.close()
    assert index in plan


def test_a_filter_by_workspace_is_not_the_workspace_of_a_filter_that_links_compare() -> None:
    """Both were one parameter of the statement: it looked in other workspaces, and several of them were a 500."""
    other = ID.replace("0b1c", "1c2d")
    asked = filters_of(WORK_ITEMS_V1).read({"workspace": f"{other},{ID}", "assignees": other}, ID)
    assert sorted(asked.params.values(), key=str) == sorted([ID, other, [other, ID]], key=str)
