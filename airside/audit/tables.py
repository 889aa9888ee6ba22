"""The audit log's table. The database itself refuses to change or delete a row (db/append_only.py)."""

import sqlalchemy as sa

from airside.db.append_only import APPEND_ONLY
from airside.db.base import Id, Instant, Json, metadata

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", Id, primary_key=True),  # not prefixed by the workspace: a sign-in belongs to none
    sa.Column("workspace_id", Id),  # whose admins may read it; null: operators only
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # dotted, as in audit/actions.py
    sa.Column("actor_kind", sa.Text, nullable=False),  # person | app | operator | unknown
    sa.Column("actor_id", Id),  # a user's id
    sa.Column("actor_name", sa.Text, nullable=False),  # at that time
    sa.Column("app_id", Id),
    sa.Column("app_name", sa.Text),  # at that time
    sa.Column("target_kind", sa.Text, nullable=False),  # "" without a target
    sa.Column("target_id", Id),
    sa.Column("address", sa.Text, nullable=False),  # "" when no request caused it
    sa.Column("user_agent", sa.Text, nullable=False),
    sa.Column("details", Json, nullable=False),
    sa.Column("once", sa.Text, unique=True),  # deduplication key; mostly null
    info={APPEND_ONLY: True},
)
sa.Index("ix_audit_log_workspace", audit_log.c.workspace_id, audit_log.c.id)
