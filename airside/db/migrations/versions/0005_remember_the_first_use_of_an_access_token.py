"""Remember the first use of an access token. Those issued before count as used, since nobody knows."""

import sqlalchemy as sa
from alembic import op

import airside.db.base

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("used_at", airside.db.base.Instant(), nullable=True))
    op.execute("UPDATE access_tokens SET used_at = created_at WHERE kind = 'user'")
