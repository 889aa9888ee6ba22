"""Tables of workspaces, members and invitations."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key

workspaces = sa.Table(
    "workspaces",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("logo_url", sa.Text),
    sa.Column("owner_id", Id, nullable=False),
    sa.Column("features", Json, nullable=False),  # flag → bool; wire: GET …/features/
    *stamps(),
)

workspace_members = sa.Table(
    "workspace_members",
    metadata,
    *tenant_key(),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("role", sa.Integer, nullable=False),  # 20 admin, 15 member, 5 guest
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    *stamps(),
    sa.UniqueConstraint("workspace_id", "user_id"),
)
# Lists come newest first, a page at a time.
sa.Index(
    "ix_workspace_members_joined",
    workspace_members.c.workspace_id,
    workspace_members.c.created_at,
    workspace_members.c.user_id,
)

# Only the token's hash is stored; the link itself is shown once to the inviting admin.
workspace_invitations = sa.Table(
    "workspace_invitations",
    metadata,
    *tenant_key(),
    sa.Column("email", sa.Text, nullable=False),  # lower case
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("responded_at", Instant),  # when it was accepted
    # whether an account with an unproven e-mail may accept it: an admin was warned and agreed
    sa.Column("accepts_unproven", sa.Boolean, nullable=False, server_default=sa.false()),
    *stamps(),
)
