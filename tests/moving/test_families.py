"""The table of what moves, over all tables: a new one, or a new column, can't be forgotten."""

import sqlalchemy as sa

from airside.db.tables import load_tables
from airside.moving.families import FAMILIES, STAY

# Columns that the importing instance computes from the others.
DERIVED = {
    "attachments": {"removed_at", "storage_metadata", "stored_id"},
    "comments": {"comment_stripped"},
    "estimate_points": {"number"},
    "pages": {"description_stripped"},
    "states": {"workspace_state_id"},
    "stickies": {"description_stripped"},
    "work_items": {"description_stripped", "description_json"},
    "workspace_files": {
        "issue_id",
        "entity_type",
        "is_uploaded",
        "storage_metadata",
        "removed_at",
        "stored_id",
    },
}


def test_every_table_of_a_workspace_moves_or_says_why_it_stays() -> None:
    tables = {table.name for table in load_tables().sorted_tables if "workspace_id" in table.c}
    moved = {family.table.name for family in FAMILIES}
    assert not moved & STAY.keys()
    assert tables - moved == STAY.keys()


def test_every_column_of_what_moves_is_in_its_rows() -> None:
    for family in FAMILIES:
        left = set(family.table.c.keys()) - {*family.columns.values(), "workspace_id", "deleted_at"}
        assert left == DERIVED.get(family.name, set()), family.name
        references = {name for name, column in family.columns.items() if str(column).endswith("_id")}
        ids = {
            name
            for name in references
            if column_type(family.table, family.columns[name]) == "UUID" and name not in family.refers
        }
        assert not ids, f"{family.name} has ids that nobody translates: {ids}"


def column_type(table: sa.Table, column: str) -> str:
    return table.c[column].type.get_col_spec() if hasattr(table.c[column].type, "get_col_spec") else ""
