"""Index archived records, runs, states, labels and what a workspace has of two levels"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.create_index(
        "ix_agent_runs_newest",
        "agent_runs",
        ["workspace_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_cycles_archived",
        "cycles",
        ["workspace_id", "project_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=sa.text("archived_at IS NOT NULL"),
        postgresql_where=sa.text("archived_at IS NOT NULL"),
    )
    op.create_index(
        "ix_labels_order", "labels", ["workspace_id", "project_id", "sort_order", "id"], unique=False
    )
    op.create_index(
        "ix_modules_archived",
        "modules",
        ["workspace_id", "project_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=sa.text("archived_at IS NOT NULL"),
        postgresql_where=sa.text("archived_at IS NOT NULL"),
    )
    op.create_index(
        "ix_pages_of_workspace",
        "pages",
        ["workspace_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=sa.text("project_id IS NULL"),
        postgresql_where=sa.text("project_id IS NULL"),
    )
    op.create_index(
        "ix_states_first",
        "states",
        ["workspace_id", "project_id", sa.literal_column('"default" DESC'), "sequence"],
        unique=False,
        sqlite_where=sa.text("is_triage IS 0 AND deleted_at IS NULL"),
        postgresql_where=sa.text("is_triage IS false AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_work_item_properties_all",
        "work_item_properties",
        ["workspace_id", "sort_order", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_work_item_types_all",
        "work_item_types",
        ["workspace_id", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_work_items_archived",
        "work_items",
        ["workspace_id", "project_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        sqlite_where=sa.text("archived_at IS NOT NULL"),
        postgresql_where=sa.text("archived_at IS NOT NULL"),
    )
