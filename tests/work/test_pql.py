"""The query language: what it reads, what it refuses, and what it finds on a real database."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airside.errors import Invalid
from airside.pql.expression import MAX_CONDITIONS, MAX_VALUES, Condition, Either, Every, Function, Negation
from airside.pql.fields import FIELDS, find_field
from airside.pql.functions import ABSENT, resolve_day
from airside.pql.grammar import TOKENS
from airside.pql.parse import parse_pql
from airside.runtime.site import Site
from airside.work.pql.compile import compile_pql
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.filters import compile_filters
from tests.work.board import ALL, Board, make_board

ID = "0b1c5f0e-7a4b-4a55-9b27-3f7d5a1f9a01"


def refusal(text: str) -> str:
    with pytest.raises(Invalid) as refused:
        parse_pql(text)
    (message,) = refused.value.fields["pql"]
    return message


def one(text: str) -> Condition:
    found = parse_pql(text)
    assert isinstance(found, Condition)
    return found


# Reading


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        ("stateGroup state__group state_group STATEGROUP", "state_group"),
        ("assignee assignees__id assignee_id assigneeId assignees", "assignee"),
        ("label labels__id label_id", "label"),
        ("dueDate due_date target_date targetDate", "target_date"),
        ("createdBy created_by created_by_id", "created_by"),
        ("project project_id projectId", "project"),
        ("title name", "title"),
        ("cycle cycle_id issue_cycle__cycle_id", "cycle"),
        ("module issue_module__module_id", "module"),
    ],
)
def test_every_spelling_of_a_field_is_the_same_field(spellings: str, name: str) -> None:
    assert {find_field(spelling).name for spelling in spellings.split()} == {name}  # type: ignore[union-attr]


def test_not_binds_closer_than_and_and_and_closer_than_or() -> None:
    found = parse_pql("isOverdue() OR NOT hasNoLabel() and isTopLevel()")
    assert isinstance(found, Either)
    assert isinstance(found.parts[1], Every)
    assert isinstance(found.parts[1].parts[0], Negation)
    assert isinstance(parse_pql("(isOverdue() OR hasNoLabel()) AND isTopLevel()"), Every)


@pytest.mark.parametrize("text", ['in ("urgent", "high")', "IN [urgent, high]", "in ['urgent', HIGH]"])
def test_lists_come_in_either_bracket_with_or_without_quotes(text: str) -> None:
    assert one(f"priority {text}").values == ("urgent", "high")


def test_the_same_query_is_an_equal_expression_with_any_spelling() -> None:
    assert parse_pql("dueDate<daysAgo(7)") == parse_pql("target_date  <  days_ago( 7 )")
    assert one("dueDate < daysAgo(7)").values == (Function("daysAgo", 7),)


def test_quotes_and_backslashes_can_stand_in_a_string() -> None:
    assert one(r'title = "a \"b\" \\ c"').values == (r'a "b" \ c',)
    assert one("title ~ '\"'").values == ('"',)


def test_words_that_begin_like_keywords_are_words() -> None:
    assert one("title = android").values == ("android",)
    assert "no field android" in refusal("android = 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("priority = ", "At character 12: the query ends too early, expected a name or a value."),
        ("", "At character 1: the query ends too early, expected ( or NOT or a name."),
        ("priority & high", "At character 10: unexpected '&', expected"),
        ("isOverdue() AND nothing = 1", "At character 17: There is no field nothing."),
        ("priority = critical", '"critical" is not a priority; use urgent, high, medium, low, none.'),
        ("priority > high", "> can't be used with priority; use =, !=, IN, NOT IN."),
        ("state = Todo", 'state is compared by id, and "Todo" is not a UUID.'),
        ("dueDate < yesterday", 'target_date is a date such as 2026-01-31, not "yesterday".'),
        ("dueDate < today() - 7", "At character 19: unexpected"),
        ("dueDate < daysAgo()", "daysAgo() takes 1 argument."),
        ("dueDate < daysAgo(1000000)", "a whole number from 0 to 100000"),
        ("dueDate < currentUser()", "can't be compared with currentUser()"),
        ("isOverdue(1)", "isOverdue() takes no arguments."),
        ("today()", "today() is a value, not a condition"),
        ("launch()", "There is no function launch()."),
        ("childOf()", "childOf() needs a work item"),
        ("blocks(today())", "takes work items by identifier or id, such as WEB-5, not today()"),
        ("hasComments(many)", 'takes a number or a comparison such as ">= 2", not "many"'),
        ("hasLinks(1, 2)", "hasLinks() takes at most one argument."),
        ("hasLinks(true)", "takes a number or a comparison"),
        ("commentedBy()", "commentedBy() takes 1 argument."),
        ("commentedBy(today())", "commentedBy can't be compared with today()"),
        ("commentedAfter(soon)", 'commentedAfter is a date such as 2026-01-31, not "soon"'),
        ("commentContains(' ')", "commentContains() needs some text."),
        ("workLoggedBetween(2026-01-01)", "workLoggedBetween() takes 2 arguments."),
        ("hasWorklogs(1)", "hasWorklogs() takes no arguments."),
        ('childOf("Alpha launch")', "takes work items by identifier or id"),
        ('id = "Alpha"', "id is compared with a number or with WEB-11"),
        ("title ~ ' '", "needs some text"),
        ("isDraft = maybe", "is_draft is true or false"),
        ("id = 99999999999", "id is a whole number"),
        ("id = 1.5", "1.5"),
        ("priority = high ORDER BY dueDate", "At character 17: ORDER is no part of a query"),
        ("priority = high LIMIT 5", "use order_by and per_page"),
        ('title = "a\x00b"', "Null characters"),
        (" AND ".join(["isOverdue()"] * (MAX_CONDITIONS + 1)), "at most 50 conditions"),
        ("NOT " * 21 + "isOverdue()", "nested more than 20 deep"),
        ("title ~ '" + "x" * 1001 + "'", "at most 1000 characters"),
        ("x" * 8001, "at most 8000 characters"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "mention IS EMPTY",
        "subscriber = currentUser()", f'teamspaceProject = "{ID}"', f'release = "{ID}"',
        "votedBy(currentUser())", 'linkedToAll("ENG-1")', 'moduleMatch("^Front")',
        f'assignee IN membersOf("teamspace:{ID}")', "recentlyViewed()",
    ],
)  # fmt: skip
def test_what_is_not_stored_yet_is_refused_rather_than_answered_wrongly(text: str) -> None:
    assert "not available in this workspace yet" in refusal(text)


def test_every_token_of_the_grammar_has_a_name_for_people() -> None:
    unnamed = {"_AND", "_OR", "_NOT", "_IN", "_IS", "_NULL", "_EMPTY", "_BETWEEN"}
    from airside.pql.parse import _reader

    assert {terminal.name for terminal in _reader().terminals} <= set(TOKENS) | unnamed | {"__IGNORE_0"}


TODAY = date(2026, 3, 15)  # a Sunday


@pytest.mark.parametrize(
    ("function", "day"),
    [
        (Function("today"), date(2026, 3, 15)),
        (Function("endOfDay"), date(2026, 3, 15)),
        (Function("startOfWeek"), date(2026, 3, 9)),
        (Function("endOfWeek"), date(2026, 3, 15)),
        (Function("startOfMonth"), date(2026, 3, 1)),
        (Function("endOfMonth"), date(2026, 3, 31)),
        (Function("startOfYear"), date(2026, 1, 1)),
        (Function("endOfYear"), date(2026, 12, 31)),
        (Function("daysAgo", 15), date(2026, 2, 28)),
        (Function("weeksFromNow", 1), date(2026, 3, 22)),
        (Function("monthsAgo", 13), date(2025, 2, 15)),
        (Function("monthsFromNow", 10), date(2027, 1, 15)),
    ],
)
def test_date_functions_mean_a_day(function: Function, day: date) -> None:
    assert resolve_day(function, TODAY) == day


def test_a_month_before_its_last_day_is_the_last_day_of_the_month_before() -> None:
    assert resolve_day(Function("monthsAgo", 1), date(2024, 3, 31)) == date(2024, 2, 29)


# Fuzzing: whatever is sent, the answer is a condition or Invalid

WORDS = st.sampled_from(
    [*(field.name for field in FIELDS), "AND", "OR", "NOT", "IN", "IS", "NULL", "EMPTY", "BETWEEN", "(", ")",
     "[", "]", ",", "=", "!=", "<", ">=", "~", "isOverdue()", "daysAgo(", "today()", "currentUser()", "cf[",
     '"urgent"', "high", "2026-01-05", "5", "-1", "1.5", "true", ID, "WEB-11", '"', "'", "\\", "childOf(", "ORDER",
     "0" * 40, "\x00", "\ud800", *sorted(ABSENT)[:3]]
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        parse_pql(text)


@pytest.mark.parametrize("text", ["(" * 8000, '"' * 8000, "\\" * 8000, "a" + " " * 7998 + "=", "[" * 8000])
def test_long_nonsense_is_refused_quickly(text: str) -> None:
    started = datetime.now(UTC)
    refusal(text)
    assert (datetime.now(UTC) - started).total_seconds() < 2


# Finding


@pytest.fixture
async def board(site: Site) -> Board:
    return await make_board(site)


Find = Callable[..., Awaitable[set[str]]]


@pytest.fixture
def find(board: Board) -> Find:
    async def run(text: str, **call: Any) -> set[str]:
        return await board.run(await compile_pql(text.format(**NAMES(board)), board.call(**call)))

    return run


def NAMES(board: Board) -> dict[str, str]:
    plain = {name.replace("/", "_"): one for name, one in board.ids.items()}
    return {**plain, "ana": board.cast.ana["id"], "ben": board.cast.ben["id"], "gil": board.cast.gil["id"]}


QUERIES: list[tuple[str, set[str]]] = [
    ('priority = "urgent"', {"alpha"}),
    ("priority = URGENT", {"alpha"}),
    ("priority != urgent", ALL - {"alpha"}),
    ("priority IN (urgent, high)", {"alpha", "beta"}),
    ("priority NOT IN (none, low)", {"alpha", "beta", "gamma"}),
    ("stateGroup = completed", {"gamma", "epsilon"}),
    ("state__group in openStates()", {"alpha", "beta", "delta", "zeta"}),
    ("stateGroup NOT IN (closedStates())", {"alpha", "beta", "delta", "zeta"}),
    ("stateGroup IN activeStates()", {"alpha", "beta"}),
    ('state = "{ENG_unstarted}"', {"alpha"}),
    ("state IN ({ENG_unstarted}, {ENG_started})", {"alpha", "beta"}),
    ("state IS NULL", set()),
    ('project = "{OPS}"', {"zeta"}),
    ('project_id != "{OPS}"', ALL - {"zeta"}),
    ("createdBy = {ben}", {"beta"}),
    ("createdBy = currentUser()", ALL - {"beta"}),
    ("parent = {alpha}", {"beta"}),
    ("parent IS NULL", ALL - {"beta"}),
    ("title ~ ALPHA", {"alpha"}),
    ('title ~ "50%"', {"beta"}),
    ('title ~ "50_"', set()),
    ('title ~ "done_"', {"beta"}),
    ('title ~ "äRGER"', {"zeta"}),
    ("title = gamma", {"gamma"}),
    ("title = GAMMA", set()),
    ("title != gamma", ALL - {"gamma"}),
    ("text ~ spreadsheet", {"gamma"}),
    ('text ~ "50"', {"beta", "gamma"}),
    ("text ~ gamma", {"gamma"}),
    ('id = "ENG-1"', {"alpha"}),
    ("id = eng-1", {"alpha"}),
    ("id = {beta}", {"beta"}),
    ("id = 1", {"alpha", "zeta"}),
    ("id IN (ENG-1, 3, {zeta})", {"alpha", "gamma", "zeta"}),
    ("id != ENG-1", ALL - {"alpha"}),
    ("id >= ENG-4", {"delta", "epsilon"}),
    ("id > 4", {"epsilon"}),
    ("id BETWEEN 2 AND 3", {"beta", "gamma"}),
    ("id ~ OPS", {"zeta"}),
    ('id ~ "eng-"', ALL - {"zeta"}),
    ("sequence_id < 2", {"alpha", "zeta"}),
    ("point = 5", {"gamma"}),
    ("point != 5", ALL - {"gamma"}),
    ("isDraft = true", {"delta"}),
    ("isDraft != true", ALL - {"delta"}),
    ("isArchived = false", ALL - {"epsilon"}),
    ("assignee = {ben}", {"beta", "zeta"}),
    ("assignees__id = currentUser()", {"alpha", "beta"}),
    ("assignee != {ben}", ALL - {"beta", "zeta"}),
    ("assignee IN ({ana}, {ben})", {"alpha", "beta", "zeta"}),
    ("assignee NOT IN (currentUser())", ALL - {"alpha", "beta"}),
    ("assignee IN (currentUser(), {ben})", {"alpha", "beta", "zeta"}),
    ("assignee IS EMPTY", {"gamma", "delta", "epsilon"}),
    ("assignee IS NOT NULL", {"alpha", "beta", "zeta"}),
    ("assignee IN workspaceMembers()", {"alpha", "beta", "zeta"}),
    ("assignee IN inactiveUsers()", set()),
    ('assignee IN membersOf("project:{OPS}")', {"alpha", "beta"}),
    ("label = {idea}", {"beta"}),
    ("label != {bug}", ALL - {"alpha", "beta"}),
    ("label IS EMPTY", ALL - {"alpha", "beta"}),
    ("label IS NOT EMPTY", {"alpha", "beta"}),
    ("dueDate < today()", {"alpha", "gamma"}),
    ("dueDate = 2026-01-02", {"alpha", "gamma"}),
    ("dueDate != 2026-01-02", ALL - {"alpha", "gamma"}),
    ("NOT dueDate < today()", ALL - {"alpha", "gamma"}),
    ("dueDate IS NULL", {"delta", "epsilon", "zeta"}),
    ("dueDate BETWEEN (daysAgo(7), today())", {"alpha", "gamma"}),
    ("dueDate BETWEEN daysAgo(7) AND daysFromNow(5) AND priority = high", {"beta"}),
    ("dueDate IN (2026-01-02, '2026-01-10')", {"alpha", "beta", "gamma"}),
    ("startDate <= daysAgo(16)", {"alpha"}),
    ("createdAt = daysAgo(10)", ALL - {"zeta"}),
    ("createdAt > daysAgo(10)", {"zeta"}),
    ("createdAt = daysAgo(11)", set()),
    ("createdAt > daysAgo(11)", ALL),
    ("createdAt <= daysAgo(11)", set()),
    ("createdAt = today()", {"zeta"}),  # created at midnight, the first instant of the day
    ("createdAt = daysAgo(1)", set()),
    ("createdAt <= daysAgo(1)", ALL - {"zeta"}),
    ("createdAt > daysAgo(1)", {"zeta"}),
    ("createdAt >= today()", {"zeta"}),
    ("createdAt < today()", ALL - {"zeta"}),
    ("createdAt <= now()", ALL),
    ("createdAt BETWEEN startOfWeek() AND endOfWeek()", {"zeta"}),
    ('createdAt < "2025-12-26T09:30:00Z"', set()),
    ("createdAt <= 2025-12-26T09:30:00Z", ALL - {"zeta"}),
    ("isOverdue()", {"alpha"}),
    ("hasNoAssignee()", {"gamma", "delta", "epsilon"}),
    ("hasNoLabel()", ALL - {"alpha", "beta"}),
    ("isTopLevel()", ALL - {"beta"}),
    ("isSubWorkItem()", {"beta"}),
    ("hasChildren()", {"alpha"}),
    ("hasStartAndDueDates()", {"alpha"}),
    ("isDraft()", {"delta"}),
    ("isArchived()", {"epsilon"}),
    ('childOf("ENG-1")', {"beta"}),
    ("childOf({alpha}, {beta})", {"beta"}),
    ('parentOf("ENG-2")', {"alpha"}),
    ("NOT parentOf(ENG-2)", ALL - {"alpha"}),
    ("(priority = high OR priority = urgent) AND NOT isSubWorkItem()", {"alpha"}),
    ("priority = high OR priority = urgent AND isSubWorkItem()", {"beta"}),
]


async def test_queries_find_what_they_ask_for(find: Find) -> None:
    wrong = {text: found for text, expected in QUERIES if (found := await find(text)) != expected}
    assert wrong == {}


VALUES = ["high", "started", "true", '"x"', '"%"', "5", "-3", "1.5", "2026-01-05", "2026-01-05T10:00:00Z",
          "0001-01-01", "9999-12-31", "today()", "monthsFromNow(90000)", "openStates()", "currentUser()",
          f'membersOf("project:{ID}")', "ENG-1", ID, '"{[(]}"', "'ÄÖ'"]  # fmt: skip


async def test_any_field_runs_with_any_operator_and_value_or_refuses_it(board: Board) -> None:
    ran = 0
    for field in FIELDS:
        for form in (
            "= {}",
            "!= {}",
            "< {}",
            ">= {}",
            "~ {}",
            "IN ({})",
            "NOT IN ({0}, {0})",
            "BETWEEN {0} AND {0}",
        ):
            for value in VALUES:
                with contextlib.suppress(Invalid):
                    await board.run(
                        await compile_pql(f"{field.name} {form.format(value)}", board.call(role=15))
                    )
                    ran += 1
    assert ran > 500


async def test_the_current_user_is_the_caller(find: Find, board: Board) -> None:
    assert await find("assignee = currentUser()", user=board.cast.ben) == {"beta", "zeta"}


async def test_a_secret_project_hides_its_members_from_outsiders(find: Find, board: Board) -> None:
    query = 'assignee IN membersOf("project:{OPS}")'
    assert await find(query, user=board.cast.ben, role=15) == set()


async def test_dates_past_the_calendar_are_refused(find: Find) -> None:
    with pytest.raises(Invalid, match="past the calendar"):
        await find("dueDate > monthsFromNow(100000)")


async def test_today_moves_with_the_clock(find: Find, board: Board) -> None:
    board.site.clock.advance(days=30)  # type: ignore[attr-defined]
    assert await find("isOverdue()") == {"alpha", "beta"}


async def test_the_same_query_is_the_same_clause_so_that_its_statement_is_found_again(board: Board) -> None:
    assert await compile_pql("isOverdue()", board.call()) is await compile_pql("isOverdue()", board.call())


async def test_hostile_values_reach_the_database_as_values_only(find: Find) -> None:
    assert await find('title = "\'; DROP TABLE work_items; --"') == set()
    assert await find('title ~ "!%\' OR 1=1 --"') == set()
    assert await find('title ~ "' + "x" * 1000 + '"') == set()
    assert await find("isTopLevel()") == ALL - {"beta"}


async def test_the_largest_query_runs(find: Find, board: Board) -> None:
    dates = ", ".join(f"2026-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29))
    assert await find(f"dueDate IN ({dates})") == {"alpha", "beta", "gamma"}
    numbers = ", ".join(str(number) for number in range(MAX_VALUES))
    assert await find(f"point IN ({numbers})") == {"gamma"}
    assert await find(f"id IN ({numbers})") == ALL
    assert await find(f"id IN ({', '.join(f'X-{number}' for number in range(MAX_VALUES))})") == set()
    days = json.dumps({"created_at__in": ["2025-12-26"] * MAX_VALUES})
    assert await board.run(await compile_filters(days, board.call())) == ALL - {"zeta"}
    assert await find(" OR ".join([f"title ~ x{number}" for number in range(MAX_CONDITIONS)])) == set()
    deep = "NOT (isDraft() OR " * 9 + "isArchived()" + ")" * 9
    assert await find(deep)


def test_every_computed_field_of_a_query_is_one_that_queries_know() -> None:
    fields = {field.name: field.kind for field in FIELDS}
    assert {one.query: fields[one.query] for one in COMPUTED.values() if one.query} == {
        "assignee": "person",
        "label": "id",
    }
