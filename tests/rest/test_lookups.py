"""Records that are named by their ids are looked up by these, however many others their workspace has."""

import sqlite3
from collections.abc import Iterator

import pytest

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.db.sqlite import SqliteDatabase
from airside.db.statements import Statement
from airside.rest.face import Face
from airside.rest.references import _reference_statement
from airside.rest.routes import list_routes
from airside.rest.selection import _among_statement, _find_statement, list_statement
from airside.work.planning.cycle_work_items import CYCLE_WORK_ITEMS_V1
from airside.work.work_items.tables import LISTED
from tests.support.databases import sqlite_template

FACES = list(dict.fromkeys(route.face for route in list_routes((*TABLE, *TABLE_V2)) if route.face))


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    """Without statistics, as nobody has run ANALYZE."""
    opened = sqlite3.connect(sqlite_template())
    yield opened
    opened.close()


def find_plan(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    form = statement.form(SqliteDatabase.dialect)
    values = ["[]" if "json_each" in form.text else None] * form.text.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {form.text}", values)]


def is_looked_up(plan: list[str], table: str, column: str) -> bool:
    """Whether the table's rows are found by the column, behind the workspace where they have one."""
    [search] = [line for line in plan if line.startswith((f"SEARCH {table} ", f"SCAN {table}"))]
    return search.endswith((f" AND {column}=?)", f"({column}=?)"))


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.path} {face.wire.prefix}")
def test_records_are_found_by_their_ids(connection: sqlite3.Connection, face: Face) -> None:
    for statement in (_find_statement(face, (), False), _among_statement(face, "id", (), False)):
        assert is_looked_up(find_plan(connection, statement), face.table.name, "id")


@pytest.mark.parametrize("face", FACES, ids=lambda face: f"{face.path} {face.wire.prefix}")
def test_what_a_record_names_is_found_by_its_id(connection: sqlite3.Connection, face: Face) -> None:
    for reference in face.record.references.values():
        plan = find_plan(connection, _reference_statement(reference))
        assert is_looked_up(plan, reference.table.name, reference.column)


def test_the_few_records_of_a_list_of_links_are_found_by_their_ids(connection: sqlite3.Connection) -> None:
    face = CYCLE_WORK_ITEMS_V1.listed
    clauses = (*LISTED, CYCLE_WORK_ITEMS_V1.is_among)
    plan = find_plan(connection, list_statement(face, ("-created_at",), clauses, True))
    assert is_looked_up(plan, "work_items", "id")


def test_the_records_of_many_links_are_read_in_the_order_of_the_list(connection: sqlite3.Connection) -> None:
    face = CYCLE_WORK_ITEMS_V1.listed
    clauses = (*LISTED, CYCLE_WORK_ITEMS_V1.is_linked)
    plan = find_plan(connection, list_statement(face, ("-created_at",), clauses))
    assert plan[0].startswith("SEARCH work_items USING INDEX ix_work_items_listed_created_at")
    assert plan[-1].endswith("(workspace_id=? AND cycle_id=? AND issue_id=?)")
    assert not any("ORDER BY" in line for line in plan)
