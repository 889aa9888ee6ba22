"""Every served operation that plane-sdk has a method for, called by that method."""

import pytest

import tests.sdk_rows.python  # noqa: F401  its files fill ROWS
from tests.sdk_rows.place import Place, check_requested
from tests.sdk_rows.rows import REFUSED, ROWS
from tools.api_coverage import read_operations

OPERATIONS = {one.python: one for one in read_operations() if one.python}
SERVED = {method for method, one in OPERATIONS.items() if one.is_served()}


@pytest.mark.parametrize("method", sorted(ROWS.keys() & SERVED))
def test_an_operation_works_by_the_sdks_method(place: Place, method: str) -> None:
    place.requested.clear()
    ROWS[method](place)
    check_requested(OPERATIONS[method], place.requested, is_refused=method in REFUSED)


def test_every_served_operation_has_a_row() -> None:
    without = [
        f"{one.method} {one.path} is served, and python/ has no row for {method}"
        for method, one in OPERATIONS.items()
        if method in SERVED - ROWS.keys()
    ]
    assert without == []


def test_every_row_is_of_a_method_that_the_sdk_has() -> None:
    assert ROWS.keys() - OPERATIONS.keys() == set()
