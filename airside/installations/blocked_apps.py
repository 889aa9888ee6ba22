"""The installed apps that the workspace's app policy would no longer let be installed."""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from airside.apps.policy import find_policy
from airside.apps.tables import apps
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.installations.tables import INSTALLED, installations


class InstalledApp(TypedDict):
    """An installation with what the policy and its page need of its app."""

    installation_id: str
    app_id: str
    status: str
    name: str
    logo_url: str | None
    registration: str
    listed_at: datetime | None


async def list_blocked_apps(reader: Reader, workspace_id: str) -> list[tuple[InstalledApp, str]]:
    """The installed apps that the policy now blocks, each with the reason."""
    policy = await find_policy(reader, workspace_id)
    rows = await reader.fetch_all(_INSTALLED_APPS, workspace_id=workspace_id)
    found = [(row, policy.refusal_of({**row, "id": row["app_id"]})) for row in rows]
    return [(row, refusal) for row, refusal in found if refusal]


_INSTALLED_APPS = Statement(
    sa.select(
        installations.c.id.label("installation_id"),
        installations.c.app_id,
        installations.c.status,
        apps.c.name,
        apps.c.logo_url,
        apps.c.registration,
        apps.c.listed_at,
    )
    .join_from(installations, apps, apps.c.id == installations.c.app_id)
    .where(
        tenant(installations),
        live(installations),
        installations.c.status == sa.literal_column(f"'{INSTALLED}'"),
    )
    .order_by(apps.c.name, installations.c.id),
    InstalledApp,
)
