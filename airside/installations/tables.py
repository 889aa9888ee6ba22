"""Tables of installations and scope requests."""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import (
    Id,
    Instant,
    Json,
    Stamps,
    TableOf,
    TenantKey,
    metadata,
    stamps,
    tenant_key,
)
from airside.db.conditions import live

# `status`; anything but the first stops its tokens and webhooks
INSTALLED, SUSPENDED, UNINSTALLED = "installed", "suspended", "uninstalled"


class InstallationRow(TenantKey, Stamps):
    app_id: str
    bot_user_id: str
    installed_by_id: str
    status: str
    webhook_id: str | None
    scopes: list[str]
    project_ids: list[str] | None


class InstallationChanges(TypedDict, total=False):
    """The columns of an installation that change."""

    bot_user_id: str
    status: str
    scopes: list[str]
    project_ids: list[str] | None
    updated_at: datetime
    updated_by_id: str | None


installations = TableOf[InstallationRow](
    "installations",
    metadata,
    # Not prefixed by the workspace: the token endpoint gets only this id (wire: app_installation_id).
    sa.Column("id", Id, primary_key=True),
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("app_id", Id, nullable=False, index=True),
    sa.Column("bot_user_id", Id, nullable=False),
    sa.Column("installed_by_id", Id, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # installed | suspended | uninstalled
    sa.Column("webhook_id", Id),  # its row of webhook_endpoints
    sa.Column("scopes", Json, nullable=False),  # what the admin granted
    sa.Column("project_ids", Json),  # the projects it may access; null: all, future ones included
    *stamps(),
)

sa.Index(
    "uq_installations_live",
    installations.c.workspace_id,
    installations.c.app_id,
    unique=True,
    sqlite_where=live(installations),
    postgresql_where=live(installations),
)


class ScopeRequestRow(TenantKey):
    installation_id: str
    scopes: list[str]
    asked_by_id: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by_id: str | None
    is_approved: bool | None


scope_requests = TableOf[ScopeRequestRow](
    "scope_requests",  # requests of installed apps for additional scopes
    metadata,
    *tenant_key(),
    sa.Column("installation_id", Id, nullable=False),
    sa.Column("scopes", Json, nullable=False),  # in addition to those of the installation
    sa.Column(
        "asked_by_id", Id
    ),  # the member at whose consent it arose; null: the registration gained scopes
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
