"""Finds installations, and serializes one for the API."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.errors import NotFound
from airside.installations.tables import InstallationRow, installations
from airside.workspaces.tables import workspaces


class InstallationAndApp(InstallationRow):
    """An installation with some of its app's columns."""

    app_name: str
    app_slug: str
    app_client_id: str
    app_logo_url: str | None
    app_short_description: str
    app_is_mentionable: bool


class InstallationAndWorkspace(InstallationRow):
    """An installation with some of its workspace's columns."""

    workspace_name: str
    workspace_slug: str
    workspace_logo_url: str | None


async def find_installation(reader: Reader, workspace_id: str, app_id: str) -> InstallationRow | None:
    """The app's live installation in the workspace."""
    return await reader.fetch_one(_LIVE, workspace_id=workspace_id, app_id=app_id)


async def get_installation(reader: Reader, workspace_id: str, installation_id: str) -> InstallationRow:
    """A live installation of the workspace, by its id. Raises NotFound."""
    found = await reader.find(installations, id=installation_id) if is_id(installation_id) else None
    if found is None or found["workspace_id"] != workspace_id or found["deleted_at"] is not None:
        raise NotFound("There is no such installation.")
    return found


async def lock_installation(tx: Transaction, workspace_id: str, installation_id: str) -> InstallationRow:
    """As `get_installation`, locked until the transaction ends. Raises NotFound."""
    await get_installation(tx, workspace_id, installation_id)
    found = await tx.lock(installations, id=installation_id)
    if found is None or found["deleted_at"] is not None:
        raise NotFound("There is no such installation.")
    return found


async def list_installations(reader: Reader, workspace_id: str) -> list[InstallationAndApp]:
    """A workspace's live installations, by the app's name."""
    return await reader.fetch_all(_OF_WORKSPACE, workspace_id=workspace_id)


async def list_installations_of(reader: Reader, app_id: str) -> list[InstallationRow]:
    """An app's live installations in all workspaces."""
    return await reader.fetch_all(_OF_APP, app_id=app_id)


async def describe_installation(reader: Reader, installation_id: str) -> dict[str, Any] | None:
    """The API representation of a live installation, with its workspace."""
    row = await reader.fetch_one(_DESCRIBED, id=installation_id)
    return None if row is None else show_installation(row)


def show_installation(row: InstallationAndWorkspace) -> dict[str, Any]:
    """The API representation: Plane's keys, and the further ones of the SDKs' models."""
    return {
        "id": row["id"],
        "workspace_detail": {
            "name": row["workspace_name"],
            "slug": row["workspace_slug"],
            "id": row["workspace_id"],
            "logo_url": row["workspace_logo_url"],
        },
        "created_at": _instant(row["created_at"]),
        "updated_at": _instant(row["updated_at"]),
        "deleted_at": _instant(row["deleted_at"]),
        "status": row["status"],
        "workspace": row["workspace_id"],
        "application": row["app_id"],
        "installed_by": row["installed_by_id"],
        "app_bot": row["bot_user_id"],
        "webhook": row["webhook_id"],
        "created_by": row["created_by_id"],
        "updated_by": row["updated_by_id"],
    }


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


_i = installations.c
_live = live(installations)
_workspace = (
    workspaces.c.name.label("workspace_name"),
    workspaces.c.slug.label("workspace_slug"),
    workspaces.c.logo_url.label("workspace_logo_url"),
)
_app = tuple(
    apps.c[name].label(f"app_{name}")
    for name in ("name", "slug", "client_id", "logo_url", "short_description", "is_mentionable")
)
_LIVE = Statement(
    sa.select(installations).where(tenant(installations), _i.app_id == sa.bindparam("app_id"), _live),
    InstallationRow,
)
_OF_APP = Statement(
    sa.select(installations).where(_i.app_id == sa.bindparam("app_id"), _live), InstallationRow
)
_OF_WORKSPACE = Statement(
    sa.select(installations, *_app)
    .join_from(installations, apps, apps.c.id == _i.app_id)
    .where(tenant(installations), _live)
    .order_by(apps.c.name, _i.id),
    InstallationAndApp,
)
_DESCRIBED = Statement(
    sa.select(installations, *_workspace)
    .join_from(installations, workspaces, workspaces.c.id == _i.workspace_id)
    .where(_i.id == sa.bindparam("id"), _live),
    InstallationAndWorkspace,
)
