"""Keep the answer to a consent request until its page has led the person on"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("consent_requests", sa.Column("answer_sealed", sa.Text(), nullable=True))
