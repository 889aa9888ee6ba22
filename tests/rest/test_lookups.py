"""Records that are named by their ids are looked up by these, however many others their workspace has."""

import sqlite3
from collections.abc import Iterator

import pytest

from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.db.sqlite import SqliteDatabase
from airside.db.statements import Statement
from airside.rest.face import Face
from airside.rest.links import Links, list_links
from airside.rest.references import _reference_statement
from airside.rest.routes import list_routes
from airside.rest.selection import _among_statement, _find_statement, list_statement
from airside.rest.verbs import list_all
from airside.work.intake.items import INTAKE_V1
from airside.work.planning.cycle_work_items import CYCLE_WORK_ITEMS_V1
from airside.work.planning.cycles import ARCHIVED_CYCLES_V1
from airside.work.planning.modules import ARCHIVED_MODULES_V1
from airside.work.work_items.tables import LISTED
from airside.work.work_items.work_items import ARCHIVED_WORK_ITEMS_V1
from tests.support.databases import sqlite_template

ROUTES = list_routes((*TABLE, *TABLE_V2))
LINKS = {
    route.name: route.handler.args[0]
    for route in ROUTES
    if getattr(route.handler, "func", None) is list_links
}
LISTED_FACES = dict.fromkeys(
    route.face for route in ROUTES if getattr(route.handler, "func", None) is list_all
)
OWN_CONDITIONS = (
    "stickies",
    "work-items",
)  # lists of the caller's own, and of the work items that lists cover
PLAINLY_LISTED = [face for face in LISTED_FACES if face and face.path not in OWN_CONDITIONS]
FACES = list(dict.fromkeys(route.face for route in ROUTES if route.face))


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


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS)
def test_links_are_found_by_the_ids_that_they_link(connection: sqlite3.Connection, links: Links) -> None:
    table = links.face.table.name
    plan = find_plan(connection, _among_statement(links.face, links.column, (), False))
    assert is_looked_up(plan, table, links.column)


def test_what_waits_in_the_intake_is_found_by_its_work_item(connection: sqlite3.Connection) -> None:
    plan = find_plan(connection, _among_statement(INTAKE_V1, "issue_id", (), False))
    assert is_looked_up(plan, "intake_items", "issue_id")


@pytest.mark.parametrize("face", PLAINLY_LISTED, ids=lambda face: f"{face.path} {face.wire.prefix}")
def test_the_default_list_is_read_in_its_order(connection: sqlite3.Connection, face: Face) -> None:
    plan = find_plan(connection, list_statement(face, face.order_by, ()))
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize("face", [ARCHIVED_CYCLES_V1, ARCHIVED_MODULES_V1, ARCHIVED_WORK_ITEMS_V1])
def test_archived_records_are_read_alone(connection: sqlite3.Connection, face: Face) -> None:
    archived = face.table.c.archived_at.is_not(None)
    plan = find_plan(connection, list_statement(face, face.order_by, (archived,)))
    assert plan == [
        f"SEARCH {face.table.name} USING INDEX ix_{face.table.name}_archived (workspace_id=? AND project_id=?)"
    ]
