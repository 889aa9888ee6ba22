"""Let claims, redelivery and new work items read a few rows of an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index(
        "ix_webhook_deliveries_waiting",
        table_name="webhook_deliveries",
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    _create_partial(
        "ix_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["endpoint_id", "next_attempt_at", "id"],
        where="next_attempt_at IS NOT NULL",
    )
    _create_partial(
        "ix_webhook_deliveries_undelivered",
        "webhook_deliveries",
        ["workspace_id", "endpoint_id", "created_at", "id"],
        where="status IN ('failed', 'cancelled', 'missed')",
    )
    _create_partial(
        "ix_work_items_sort",
        "work_items",
        ["workspace_id", "project_id", "state_id", "sort_order"],
        where="deleted_at IS NULL",
    )


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
