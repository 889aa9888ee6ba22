"""An installation's webhook endpoints, synchronized with the app's registration and the installation."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.apps.scopes import readable_scopes
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.identity.users import get_user
from airside.installations.tables import SUSPENDED, InstallationRow, installations
from airside.runtime.site import Site
from airside.webhooks.endpoints import create_endpoint, find_endpoint, update_endpoints_of
from airside.webhooks.listeners import list_listeners, listen_in
from airside.webhooks.reach import limit_endpoints_of
from airside.webhooks.samples import send_ping
from airside.webhooks.subscriptions import OF_AGENTS
from airside.webhooks.tables import ListenerRow


async def create_app_endpoints(
    tx: Transaction,
    app: Row,
    workspace_id: str,
    installation_id: str,
    bot_user_id: str,
    by_user_id: str,
    now: datetime,
) -> str | None:
    """Create the installation's endpoint and return its id; None for an app without a webhook URL. Also creates
    endpoints for the app's `airside listen` listeners."""
    for listener in await _list_listeners(tx, app):
        await _create_endpoints(tx, app, listener, workspace_id, installation_id, bot_user_id, now)
    if app["webhook_url"] is None:
        return None
    return await create_endpoint(
        tx,
        workspace_id=workspace_id,
        installation_id=installation_id,
        url=app["webhook_url"],
        by_user_id=by_user_id,
        event_names=app["webhook_event_names"],
        now=now,
        **_registered_settings(app, bot_user_id),
    )


async def create_installation_endpoint(
    tx: Transaction, app: Row, installation: InstallationRow, by_user_id: str, now: datetime
) -> None:
    """Ensure that a live installation has its endpoints: for the app's webhook URL and for its listeners."""
    workspace_id, bot_user_id = installation["workspace_id"], installation["bot_user_id"]
    if installation["webhook_id"] is None:
        endpoint_id = await create_app_endpoints(
            tx, app, workspace_id, installation["id"], bot_user_id, by_user_id, now
        )
        await tx.update(installations, {"webhook_id": endpoint_id}, id=installation["id"])
    else:
        for listener in await _list_listeners(tx, app):
            await _create_endpoints(tx, app, listener, workspace_id, installation["id"], bot_user_id, now)
    await apply_installation(tx, installation)


async def _create_endpoints(
    tx: Transaction,
    app: Row,
    listener: ListenerRow,
    workspace_id: str,
    installation_id: str,
    bot_user_id: str,
    now: datetime,
) -> None:
    chosen, inherited = listener["event_names"], app["webhook_event_names"]
    if chosen is None and inherited is not None:
        chosen = [*inherited, *OF_AGENTS]
    await listen_in(
        tx,
        listener,
        workspace_id=workspace_id,
        installation_id=installation_id,
        event_names=chosen,
        now=now,
        **_registered_settings(app, bot_user_id),
    )


def _registered_settings(app: Row, bot_user_id: str) -> dict[str, Any]:
    """The endpoint columns that come from the app's registration."""
    return {
        "version": app["webhook_version"],
        "content_type": app["webhook_content_type"],
        "title": app["name"],
        **_signing(app),
        "ignored_actor_id": _ignored_by(app, bot_user_id),
    }


def _signing(app: Row) -> dict[str, Any]:
    """The signing secrets, the same for all endpoints of an app, also for those created after a replacement."""
    return {
        "secret_sealed": app["webhook_secret_sealed"],
        "previous_secret_sealed": app["previous_webhook_secret_sealed"],
        "previous_secret_until": app["previous_webhook_secret_until"],
    }


async def _list_listeners(tx: Transaction, app: Row) -> list[ListenerRow]:
    if app["workspace_id"] is None:  # no workspace registered it, so it has no developer
        return []
    return await list_listeners(tx, app["workspace_id"], app["id"])


async def apply_registration(tx: Transaction, app: Row, by_user_id: str, now: datetime) -> None:
    """Apply a changed webhook URL, version, event selection or secret to every live installation of the app."""
    for installation in await tx.fetch_all(_LIVE_OF_APP, app_id=app["id"]):
        await update_endpoints_of(
            tx,
            installation["id"],
            url=app["webhook_url"],
            version=app["webhook_version"],
            now=now,
            ignored_actor_id=_ignored_by(app, installation["bot_user_id"]),
            content_type=app["webhook_content_type"],
            event_names=app["webhook_event_names"],
            **_signing(app),
        )
        await create_installation_endpoint(tx, app, installation, by_user_id, now)


async def ping_app(tx: Transaction, site: Site, app: Row, by_user_id: str) -> None:
    """Send one ping to a webhook URL that was just saved, for the app's own workspace or its first installation."""
    living = await tx.fetch_all(_LIVE_OF_APP, app_id=app["id"])
    living.sort(key=lambda row: (row["workspace_id"] != app["workspace_id"], row["id"]))
    for installation in living:
        endpoint = await find_endpoint(tx, installation["workspace_id"], installation["webhook_id"] or "")
        if endpoint is not None:
            by, now = await get_user(tx, by_user_id), site.clock.now()
            await send_ping(tx, site.wakeups, endpoint=endpoint, by=by, now=now)
            return


def _ignored_by(app: Row, bot_user_id: str) -> str | None:
    """The actor whose events are skipped: the app's own bot, to prevent infinite loops, unless the app opted in."""
    return None if app["receives_own_events"] else bot_user_id


async def apply_installation(tx: Transaction, installation: InstallationRow) -> None:
    """Apply the installation's scopes, projects and suspension to its endpoints."""
    await limit_endpoints_of(
        tx,
        installation["id"],
        readable_scopes=readable_scopes(installation["scopes"]),
        project_ids=installation["project_ids"],
        is_suspended=installation["status"] == SUSPENDED,
    )


_LIVE_OF_APP = Statement(
    sa.select(installations).where(installations.c.app_id == sa.bindparam("app_id"), live(installations)),
    InstallationRow,
)
