"""The bench of records: it fills every table and asks every operation."""

from pathlib import Path

import pytest

from airside.db.tables import load_tables
from bench.record_rows import SKIPPED, varied_columns
from bench.records import Timed, as_table, filled_world, measure, measured_routes

TABLES = [name for name, table in load_tables().tables.items() if "workspace_id" in table.c]


@pytest.mark.parametrize("name", [name for name in TABLES if name not in SKIPPED])
def test_the_rows_of_a_table_can_be_copied(name: str) -> None:
    """Raises NoFiller for a unique index whose columns can't be made to differ."""
    varied_columns(load_tables().tables[name])


def test_only_tables_of_a_workspace_are_left_out() -> None:
    assert set(SKIPPED) <= set(TABLES)


async def test_every_operation_is_measured_in_a_small_and_a_larger_workspace(tmp_path: Path) -> None:
    async with (
        filled_world("sqlite", tmp_path / "small", 3) as small,
        filled_world("sqlite", tmp_path / "larger", 6) as larger,
    ):
        found = [await measure((small, larger), route, 1) for route in measured_routes()]
    assert [one for one in found if one.problem] == []
    assert all(one.small > 0 and one.large > 0 for one in found)


def test_the_table_marks_what_grows() -> None:
    route = next(one for one in measured_routes() if Timed(one, 1.0, 3.0, 4.0).is_over)
    table = as_table("sqlite", [Timed(route, 1.0, 1.5, 2.0), Timed(route, 1.0, 3.0, 4.0)], (1_000, 100_000))
    assert table.count(" *\n") == 1
    assert "2 operations, 1 above 2.0 times" in table
