"""Cancel what waits for an endpoint by one number, the rows following in the background."""

import sqlalchemy as sa
from alembic import op

from airside.db.base import Instant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for table in ("webhook_endpoints", "webhook_deliveries"):
        op.add_column(table, sa.Column("generation", sa.Integer(), server_default="0", nullable=False))
    op.add_column("webhook_endpoints", sa.Column("cancelling_since", Instant(), nullable=True))
    given = sa.text("cancelling_since IS NOT NULL")
    op.create_index(
        "ix_webhook_endpoints_cancelling",
        "webhook_endpoints",
        ["cancelling_since"],
        sqlite_where=given,
        postgresql_where=given,
    )
