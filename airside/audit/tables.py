"""What is stored of the audit log. The database itself refuses to change or delete a row (db/append_only.py)."""

import sqlalchemy as sa

from airside.db.append_only import APPEND_ONLY
from airside.db.base import Id, Instant, Json, metadata

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", Id, primary_key=True),  # not led by the workspace: a sign-in belongs to none
    sa.Column("workspace_id", Id),  # whose admins may read it; null: only who runs the instance
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # dotted, as in audit/actions.py
    sa.Column("actor_kind", sa.Text, nullable=False),  # person | app | operator | unknown
    sa.Column("actor_id", Id),  # a user's
    sa.Column("actor_name", sa.Text, nullable=False),  # as it was then
    sa.Column("app_id", Id),
    sa.Column("app_name", sa.Text),  # as it was then
    sa.Column("target_kind", sa.Text, nullable=False),  # "" when the action says it all
    sa.Column("target_id", Id),
    sa.Column("address", sa.Text, nullable=False),  # "" when nobody's request made it happen
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("details", Json, nullable=False),
    sa.Column("once", sa.Text, unique=True),  # what is recorded once, however often it is done; mostly null
    info={APPEND_ONLY: True},
)
sa.Index("ix_audit_log_workspace", audit_log.c.workspace_id, audit_log.c.id)
