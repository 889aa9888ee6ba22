"""What is stored of an app in a workspace."""

import sqlalchemy as sa

from airside.db.base import Id, Json, metadata, stamps

INSTALLED, UNINSTALLED = "installed", "uninstalled"  # `status`; anything else stops its tokens

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
