"""Count requests over all processes: what each has leased of a budget's window."""

import sqlalchemy as sa
from alembic import op

import airside.db.base

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "rate_budgets",
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("expires_at", airside.db.base.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("budget", name=op.f("pk_rate_budgets")),
    )
    op.create_index(op.f("ix_rate_budgets_expires_at"), "rate_budgets", ["expires_at"], unique=False)
