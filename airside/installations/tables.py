"""What is stored of an app in a workspace, of what it asks for beyond that, and of which apps may come at all."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key

# `status`; anything but the first stops its tokens and webhooks
INSTALLED, SUSPENDED, UNINSTALLED = "installed", "suspended", "uninstalled"

installations = sa.Table(
    "installations",
    metadata,
    # Not led by the workspace: the token endpoint knows nothing but this id (wire: app_installation_id).
    sa.Column("id", Id, primary_key=True),
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("app_id", Id, nullable=False, index=True),
    sa.Column("bot_user_id", Id, nullable=False),
    sa.Column("installed_by_id", Id, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # installed | suspended | uninstalled
    sa.Column("webhook_id", Id),  # its row of webhook_endpoints
    sa.Column("scopes", Json, nullable=False),  # what the admin granted
    sa.Column("project_ids", Json),  # the projects that it may reach; null: all, also those to come
    *stamps(),
)

sa.Index(
    "uq_installations_live",
    installations.c.workspace_id,
    installations.c.app_id,
    unique=True,
    sqlite_where=installations.c.deleted_at.is_(None),
    postgresql_where=installations.c.deleted_at.is_(None),
)

scope_requests = sa.Table(
    "scope_requests",  # what an installed app asks for and an admin hasn't granted
    metadata,
    *tenant_key(),
    sa.Column("installation_id", Id, nullable=False),
    sa.Column("scopes", Json, nullable=False),  # beyond those of the installation
    sa.Column("asked_by_id", Id),  # who met the app asking; null: its registration grew
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("decided_by_id", Id),
    sa.Column("is_approved", sa.Boolean),
)

sa.Index(
    "uq_scope_requests_open",
    scope_requests.c.installation_id,
    unique=True,
    sqlite_where=scope_requests.c.decided_at.is_(None),
    postgresql_where=scope_requests.c.decided_at.is_(None),
)

app_policies = sa.Table(
    "app_policies",  # of a workspace whose admins have chosen one; see policy.py
    metadata,
    sa.Column("workspace_id", Id, primary_key=True),
    sa.Column("registers", sa.Text, nullable=False),  # admins | members
    sa.Column("installs", sa.Text, nullable=False),  # any | listed | allowed
    sa.Column("allowed", Json, nullable=False),  # app ids
    sa.Column("denied", Json, nullable=False),  # app ids
    *stamps(),
)
