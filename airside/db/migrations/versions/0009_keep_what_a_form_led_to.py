"""Keep what a form led to, so that the same form sent twice leads there too, and a secret is shown once"""

import sqlalchemy as sa
from alembic import op

from airside.db.base import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "form_answers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("session_hash", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("shown_sealed", sa.Text(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_form_answers")),
    )
    op.create_index(op.f("ix_form_answers_expires_at"), "form_answers", ["expires_at"])
