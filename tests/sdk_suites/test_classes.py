"""A failing test counts as "not served" only where that is shown; whatever else failed is a wrong answer."""

import pytest

from tests.sdk_suites.classes import (
    Court,
    Exchange,
    Kind,
    Result,
    Served,
    Verdict,
    count_families,
    family_of,
)

A = "/api/v1/workspaces/acme"
ITEM = f"{A}/projects/01a2295d-4844-7819-82ce-42e488f0caf6"
SERVED = Served(
    [
        ("GET", "/api/v1/workspaces/{workspace_slug}/projects/{project_id}/"),
        ("GET", "/api/v1/workspaces/{workspace_slug}/work-items/{identifier}/"),
        ("GET", "/api/v1/workspaces/{workspace_slug}/work-item-types/"),
    ]
)
REFUSED = "HTTP 404: Not Found"


def judge(results: list[Result], *exchanges: Exchange) -> list[Verdict]:
    return Court(exchanges, SERVED).judge(results)


def failed(test: str, error: str = REFUSED) -> Result:
    return Result(test, "failed", error)


def asked(test: str, path: str, status: int, method: str = "GET") -> Exchange:
    return Exchange(test, method, path, status)


@pytest.mark.parametrize(
    ("method", "path", "is_served"),
    [
        ("GET", f"{ITEM}/", True),
        ("GET", f"{A}/projects/undefined/", True),
        ("GET", f"{A}/projects/templates/", False),
        ("DELETE", f"{ITEM}/", False),
        ("GET", f"{A}/work-items/ENG-2/", True),
        ("GET", f"{A}/work-items/templates/", False),
        ("GET", f"{A}/cycles/", False),
        ("POST", "/auth/o/token/", True),
    ],
)
def test_an_operation_is_served_when_its_method_and_path_are_listed(
    method: str, path: str, is_served: bool
) -> None:
    assert SERVED.takes(method, path) is is_served


def test_a_test_that_asked_for_an_unserved_operation_is_put_down_to_it() -> None:
    (verdict,) = judge([failed("f::a")], asked("f::a", f"{ITEM}/", 200), asked("f::a", f"{A}/cycles/", 404))
    assert verdict.kind is Kind.NOT_SERVED
    assert verdict.cause is not None
    assert verdict.cause.operation == "GET /api/v1/workspaces/acme/cycles/"


def test_a_test_that_is_satisfied_with_a_404_is_counted_apart() -> None:
    (verdict,) = judge([Result("f::a", "passed")], asked("f::a", f"{A}/cycles/", 404))
    assert verdict.kind is Kind.PASSED_WITHOUT
    assert count_families([verdict]) == []


def test_a_404_that_a_test_took_well_excuses_no_other_failure() -> None:
    unserved, served = asked("f::a", f"{A}/cycles/", 404), asked("f::a", f"{ITEM}/", 200)
    assert [one.kind for one in judge([failed("f::a", "assert 1 == 2")], unserved, served)] == [Kind.WRONG]


@pytest.mark.parametrize(
    "wrong",
    [
        asked("f::a", f"{ITEM}/", 400),
        asked("f::a", f"{ITEM}/", 500),
        asked("f::a", f"{A}/cycles/", 500),
        asked("f::a", f"{A}/cycles/", 200),
    ],
)
def test_a_wrong_answer_is_no_excuse_for_an_unserved_operation(wrong: Exchange) -> None:
    (verdict,) = judge([failed("f::a")], asked("f::a", f"{A}/cycles/", 404), wrong)
    assert verdict == Verdict(failed("f::a"), Kind.WRONG, wrong)


def test_a_failure_with_good_answers_alone_is_a_wrong_answer_too() -> None:
    unserved = asked("f::a", f"{A}/cycles/", 404)
    verdicts = judge(
        [failed("f::a"), failed("f::b", "assert 1 == 2")], unserved, asked("f::b", f"{ITEM}/", 200)
    )
    assert [one.kind for one in verdicts] == [Kind.NOT_SERVED, Kind.WRONG]


def test_a_fixture_that_failed_for_an_earlier_test_fails_the_next_ones_of_its_file() -> None:
    results = [failed("f::a"), failed("f::b"), failed("f::c", "TypeError"), failed("g::a")]
    verdicts = judge(results, asked("f::a", f"{A}/cycles/", 404, "POST"), asked("f::b", f"{ITEM}/", 200))
    assert [one.kind for one in verdicts] == [Kind.NOT_SERVED, Kind.FOLLOWS, Kind.UNASKED, Kind.UNASKED]
    assert verdicts[1].cause == verdicts[0].cause


def test_a_hook_that_failed_fails_every_test_below_it() -> None:
    results = [failed("f > Cycles > a"), failed("f > Cycles > More > b"), failed("f > Others > c")]
    verdicts = judge(results, asked("f > Cycles", f"{A}/cycles/", 404), asked("f > Others", f"{ITEM}/", 403))
    assert [one.kind for one in verdicts] == [Kind.FOLLOWS, Kind.FOLLOWS, Kind.WRONG]


def test_what_hooks_are_answered_is_looked_at_although_no_test_failed() -> None:
    broken = asked("f > Cycles", f"{ITEM}/", 500)
    verdicts = judge([Result("f > Cycles > a", "passed")], broken, asked("f > Cycles", f"{ITEM}/", 404))
    assert [(one.result.test, one.kind, one.cause) for one in verdicts] == [
        ("f > Cycles > a", Kind.PASSED, None),
        ("f > Cycles", Kind.WRONG, broken),
    ]


def test_a_test_that_lacks_what_an_unserved_operation_would_have_made_follows_from_it() -> None:
    lacks = "Cannot read properties of undefined (reading 'id')"
    results = [failed("f > a"), failed("f > b", lacks), failed("f > c", "x"), failed("g > d", lacks)]
    verdicts = judge(
        results, asked("f > a", f"{A}/cycles/", 404), asked("f > c", f"{A}/projects/undefined/", 404)
    )
    assert [one.kind for one in verdicts] == [Kind.NOT_SERVED, Kind.FOLLOWS, Kind.FOLLOWS, Kind.UNASKED]


def test_a_list_may_lack_what_could_not_be_made() -> None:
    made, listed = (asked(f"f::{m}", f"{A}/work-item-types/", s, m) for m, s in (("POST", 404), ("GET", 200)))
    results = [failed("f::GET", "0 > 0"), Result("f::GET", "skipped", "No types")]
    assert [one.kind for one in judge(results, made, listed)] == [Kind.FOLLOWS, Kind.SKIPPED_AFTER]
    assert [one.kind for one in judge(results, listed)] == [Kind.WRONG, Kind.SKIPPED]


def test_families_come_by_how_many_tests_they_hold_up() -> None:
    paths = {"a": "cycles", "b": "epics", "c": "archived-cycles", "d": "cycles-lite"}
    verdicts = judge(
        [failed(f"f::{t}") for t in paths], *(asked(f"f::{t}", f"{A}/{p}/", 404) for t, p in paths.items())
    )
    assert [(family, count) for family, count, _ in count_families(verdicts)] == [("cycles", 3), ("epics", 1)]


@pytest.mark.parametrize(
    ("path", "family"),
    [
        (f"{ITEM}/cycles/01a2295d-4844-7819-82ce-42e488f0caf6/cycle-issues/", "cycles"),
        (f"{ITEM}/work-items/01a2295d-4844-7819-82ce-42e488f0caf6/relations/remove/", "work-items/relations"),
        (f"{A}/projects/templates/", "templates"),
        (f"{A}/customers/undefined/", "customers"),
        (f"{ITEM}/", "projects"),
    ],
)
def test_a_family_is_what_an_operation_is_about(path: str, family: str) -> None:
    assert family_of(path) == family
