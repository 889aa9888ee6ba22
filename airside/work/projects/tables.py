"""Projects and their members. Other records keep their table beside their declaration; these two are read by
the access rules as well."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key
from airside.work.rows import external_columns, live_unique

projects = sa.Table(
    "projects",
    metadata,
    *tenant_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),  # upper case; the "ENG" of ENG-12
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("description_text", sa.Text),
    sa.Column("description_html", sa.Text),
    sa.Column("network", sa.Integer, nullable=False),  # 0 secret: members only, 2 public in the workspace
    sa.Column("emoji", sa.Text),
    sa.Column("icon_prop", Json),
    sa.Column("logo_props", Json),
    sa.Column("cover_image", sa.Text),
    sa.Column("module_view", sa.Boolean, nullable=False),
    sa.Column("cycle_view", sa.Boolean, nullable=False),
    sa.Column("issue_views_view", sa.Boolean, nullable=False),
    sa.Column("page_view", sa.Boolean, nullable=False),
    sa.Column("intake_view", sa.Boolean, nullable=False),
    sa.Column("is_time_tracking_enabled", sa.Boolean, nullable=False),
    sa.Column("is_issue_type_enabled", sa.Boolean, nullable=False),
    sa.Column("guest_view_all_features", sa.Boolean, nullable=False),
    sa.Column("more_features", Json, nullable=False),  # flags of …/features/ that have no column: name → bool
    sa.Column("archive_in", sa.Integer, nullable=False),  # months, 0 never
    sa.Column("close_in", sa.Integer, nullable=False),  # months, 0 never
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("project_lead_id", Id),
    sa.Column("default_assignee_id", Id),
    sa.Column("default_state_id", Id),
    sa.Column("estimate_id", Id),  # the estimate in use
    sa.Column("archived_at", Instant),
    sa.Column("last_sequence", sa.Integer, nullable=False),  # of its work items
    *stamps(),
    *external_columns(),
)
live_unique("uq_projects_name", projects.c.workspace_id, projects.c.name)
live_unique("uq_projects_identifier", projects.c.workspace_id, projects.c.identifier)
sa.Index("ix_projects_newest", projects.c.workspace_id, projects.c.created_at.desc(), projects.c.id.desc())

project_members = sa.Table(
    "project_members",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("member_id", Id, nullable=False),  # the user
    sa.Column("role", sa.Integer, nullable=False),  # 20 admin, 15 member, 5 guest
    *stamps(),
)
live_unique(
    "uq_project_members_live",
    project_members.c.workspace_id,
    project_members.c.project_id,
    project_members.c.member_id,
)
sa.Index(
    "ix_project_members_joined",
    project_members.c.workspace_id,
    project_members.c.project_id,
    project_members.c.created_at,
    project_members.c.member_id,
)
