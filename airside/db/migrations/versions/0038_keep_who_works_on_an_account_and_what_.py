"""Keep who works on an account and what is due for it"""

import sqlalchemy as sa
from alembic import op

import airside.db.base

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("upstream_accounts", sa.Column("claim", sa.Text(), nullable=True))
    for name in ("claimed_until", "profile_due_at", "refused_at"):
        op.add_column("upstream_accounts", sa.Column(name, airside.db.base.Instant(), nullable=True))
    due = "ended_at IS NULL AND (step != 'ready' OR profile_due_at IS NOT NULL)"
    op.create_index(
        "ix_upstream_accounts_due",
        "upstream_accounts",
        ["updated_at"],
        unique=False,
        sqlite_where=sa.text(due),
        postgresql_where=sa.text(due),
    )
