"""Find work items by label and assignee in the link's index alone, and children in the order of a list."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for table, column in (("work_item_assignees", "user_id"), ("work_item_labels", "label_id")):
        name = f"ix_{table}_{column.removesuffix('_id')}"
        op.drop_index(name, table)
        op.create_index(name, table, ["workspace_id", column, "work_item_id"])
    op.drop_index("ix_work_items_parent", "work_items")
    op.create_index(
        "ix_work_items_parent",
        "work_items",
        ["workspace_id", "parent_id", "project_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
