"""Installs an app in a workspace: once, with a bot user that is a member and can't sign in."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.apps.policy import check_installable
from airside.apps.scopes import Grant, ceiling_of, join_scopes
from airside.apps.tables import BUILT_IN, apps
from airside.audit.record import record_audit
from airside.db.base import Row, new_id
from airside.db.conditions import tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.events.outbox import NewEvent, compare, record_event
from airside.identity.tables import users
from airside.identity.users import actor_of, create_bot, get_user
from airside.installations.listening import (
    apply_installation,
    apply_registration,
    create_app_endpoints,
)
from airside.installations.read import find_installation
from airside.installations.tables import INSTALLED, InstallationChanges, InstallationRow, installations
from airside.runtime.site import Site
from airside.workspaces.members import put_member, require_admin
from airside.workspaces.tables import workspaces


async def install_app(
    site: Site,
    app: Row,
    workspace_id: str,
    by_user_id: str,
    scopes: Grant | None = None,
    project_ids: list[str] | None = None,
) -> InstallationRow:
    """The app's installation in the workspace. An existing installation gets the additional scopes.

    `scopes` None grants all scopes the app is registered for; `project_ids` None allows every project, and is
    ignored for an existing installation. Raises Forbidden for a non-admin, and for an app that the workspace's
    policy blocks."""
    async with site.db.transaction() as tx:
        return await put_installation(tx, site, app, workspace_id, by_user_id, scopes, project_ids)


async def put_installation(
    tx: Transaction,
    site: Site,
    app: Row,
    workspace_id: str,
    by_user_id: str,
    scopes: Grant | None = None,
    project_ids: list[str] | None = None,
) -> InstallationRow:
    """As `install_app`, within the caller's transaction."""
    registered = await tx.lock(apps, id=app["id"])  # before the workspace, the lock order of deleting an app
    await tx.lock(workspaces, id=workspace_id)  # so that two concurrent installs create one installation
    await require_admin(tx, workspace_id, by_user_id)
    if registered is None or registered["deleted_at"] is not None or registered["registration"] == BUILT_IN:
        raise NotFound("There is no such app.")
    by = await get_user(tx, by_user_id)
    granted = join_scopes(ceiling_of(registered["scopes"]) if scopes is None else scopes, [])
    existing = await find_installation(tx, workspace_id, app["id"])
    if existing is None:
        await check_installable(tx, workspace_id, registered)
        return await _create(tx, site, registered, workspace_id, by, granted, project_ids)
    existing = await _mend_bot(tx, site, existing, registered, by)
    return await widen_installation(tx, site, existing, by, granted)


async def _mend_bot(
    tx: Transaction, site: Site, installation: InstallationRow, app: Row, by: Row
) -> InstallationRow:
    """After a repair the app may act as another account, and be a member again."""
    workspace_id = installation["workspace_id"]
    bot = await site.app_accounts.take_bot(tx, app, workspace_id)
    if bot is None:
        return installation
    await put_member(tx, site, workspace_id, bot, site.app_accounts.bot_role, by=by)
    if bot["id"] == installation["bot_user_id"]:
        return installation
    changes: InstallationChanges = {"bot_user_id": bot["id"], "updated_at": site.clock.now()}
    await tx.update(installations, changes, id=installation["id"])
    await apply_registration(tx, app, by["id"], site.clock.now())
    return {**installation, **changes}


async def _create(
    tx: Transaction,
    site: Site,
    app: Row,
    workspace_id: str,
    by: Row,
    granted: Grant,
    project_ids: list[str] | None,
) -> InstallationRow:
    now, installation_id = site.clock.now(), new_id()
    bot = await site.app_accounts.take_bot(tx, app, workspace_id)
    if bot is None:
        bot = await _reuse_bot(tx, app, workspace_id, now)
    await put_member(tx, site, workspace_id, bot, site.app_accounts.bot_role, by=by)
    row: InstallationRow = {
        "id": installation_id,
        "workspace_id": workspace_id,
        "app_id": app["id"],
        "bot_user_id": bot["id"],
        "installed_by_id": by["id"],
        "status": INSTALLED,
        "webhook_id": await create_app_endpoints(
            tx, app, workspace_id, installation_id, bot["id"], by["id"], now
        ),
        "scopes": granted,
        "project_ids": project_ids,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": by["id"],
        "updated_by_id": by["id"],
    }
    await tx.insert(installations, row)
    await apply_installation(tx, row)
    await record_installation(tx, site, "app.installed", row, by)
    return row


async def widen_installation(
    tx: Transaction, site: Site, installation: InstallationRow, by: Row, granted: Grant
) -> InstallationRow:
    """Grant additional scopes, within the caller's transaction; existing tokens keep their scopes."""
    scopes = join_scopes(installation["scopes"], granted)
    if set(scopes) == set(installation["scopes"]):
        return installation
    changes: InstallationChanges = {
        "scopes": scopes,
        "updated_at": site.clock.now(),
        "updated_by_id": by["id"],
    }
    await tx.update(installations, changes, id=installation["id"])
    widened: InstallationRow = {**installation, **changes}
    await apply_installation(tx, widened)
    await record_installation(tx, site, "app.scopes_changed", widened, by, was=installation)
    return widened


async def _reuse_bot(tx: Transaction, app: Row, workspace_id: str, now: datetime) -> Row:
    """The bot of the app's previous installation here, so that it remains its records' author; else a new one."""
    bot_id = await tx.fetch_value(_FORMER_BOT, workspace_id=workspace_id, app_id=app["id"])
    if bot_id is None:
        return await create_bot(tx, app["name"], now)
    changes = {"display_name": app["name"], "is_active": True, "updated_at": now}
    await tx.update(users, changes, id=bot_id)
    return await get_user(tx, bot_id)


async def record_installation(
    tx: Transaction,
    site: Site,
    name: str,
    installation: InstallationRow,
    by: Row,
    was: InstallationRow | None = None,
) -> None:
    """Record the event and the audit row of a change to an installation."""
    shown = _show(installation)
    is_gone = name == "app.uninstalled"
    event = NewEvent(
        workspace_id=installation["workspace_id"],
        name=name,
        entity_id=installation["id"],
        actor_id=by["id"],
        actor=actor_of(by),
        at=site.clock.now(),
        data={"id": installation["id"]} if is_gone else shown,
        data_v2={} if is_gone else shown,
        previous=shown if is_gone else {},
    )
    if was is not None:
        event.previous, event.changes = compare(_show(was), shown)
    await record_event(tx, site.wakeups, event)
    await record_audit(
        tx,
        name,
        event.at,
        workspace_id=installation["workspace_id"],
        actor_id=by["id"],
        app_id=installation["app_id"],
        target=("installation", installation["id"]),
        details={"scopes": installation["scopes"], "projects": installation["project_ids"]}
        | ({} if was is None else {"was": event.previous}),
    )


def _show(installation: InstallationRow) -> dict[str, Any]:
    return {
        "id": installation["id"],
        "workspace": installation["workspace_id"],
        "application": installation["app_id"],
        "status": installation["status"],
        "installed_by": installation["installed_by_id"],
        "app_bot": installation["bot_user_id"],
        "scopes": installation["scopes"],
        "projects": installation["project_ids"],  # null: all
    }


_FORMER_BOT = Statement(
    sa.select(installations.c.bot_user_id)
    .where(
        tenant(installations),
        installations.c.app_id == sa.bindparam("app_id"),
    )
    .order_by(installations.c.id.desc())
    .limit(1)
)
