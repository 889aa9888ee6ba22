"""Whether an e-mail is proven, and whether an invitation lets in an account whose e-mail isn't

Who came by an invitation's link wrote their own line of the audit log; everybody else was made by an operator.
"""

import sqlalchemy as sa
from alembic import op

import airside.db.base

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("email_proven_at", airside.db.base.Instant(), nullable=True))
    op.add_column(
        "workspace_invitations",
        sa.Column("accepts_unproven", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute(
        "UPDATE users SET email_proven_at = created_at WHERE NOT is_bot AND id NOT IN ("
        "SELECT target_id FROM audit_log WHERE action = 'user.created' AND actor_kind = 'person' "
        "AND target_id IS NOT NULL)"
    )
