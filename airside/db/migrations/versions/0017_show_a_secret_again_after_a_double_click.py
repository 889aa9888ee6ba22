"""Show a secret again after a double click"""

import sqlalchemy as sa
from alembic import op

import airside.db.base

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("form_answers", sa.Column("shown_at", airside.db.base.Instant(), nullable=True))
