"""Changes an app's registration, and applies the change to the workspaces that installed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airside.apps.fields import check_fields
from airside.apps.registry import audit_app, check_webhook, lock_app
from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.database import Transaction
from airside.errors import Invalid, Refused
from airside.installations.listening import apply_registration, ping_app
from airside.installations.rename import rename_bots
from airside.installations.scope_requests import request_gained_scopes
from airside.runtime.site import Site

FOLLOWED = (
    "webhook_url",
    "webhook_version",
    "webhook_content_type",
    "webhook_event_names",
    "webhook_secret_sealed",
    "previous_webhook_secret_sealed",
    "receives_own_events",
)
SHOWN = ("name", "logo_url")  # by the app's account in each workspace
PINGED = ("webhook_url", "webhook_version", "webhook_content_type")  # a change of any of these sends a ping


async def update_app(
    site: Site, app_id: str, by_user_id: str, changes: Mapping[str, Any], *, as_of: datetime | None = None
) -> Row:
    """Change some fields; absent ones stay unchanged. A changed webhook is applied to every installation, and
    additional scopes are requested from each workspace's admins.

    `as_of`: the app's `updated_at` on which the changes are based (optimistic locking). Raises Invalid, Forbidden,
    NotFound, and Refused when the app has changed since then."""
    checked = check_fields(changes, whole=False)
    if "client_type" in checked:  # existing secrets and tokens depend on it
        raise Invalid({"client_type": ["This can't be changed. Register another app."]})
    await check_webhook(site, checked)
    async with site.db.transaction() as tx:
        before = await lock_app(tx, app_id, by_user_id)
        if as_of is not None and before["updated_at"] != as_of:
            raise Refused("The app has been changed meanwhile. Look at the difference again.")
        app = await store_changes(tx, site, app_id, by_user_id, checked)
        if app["webhook_url"] is not None and any(app[name] != before[name] for name in PINGED):
            await ping_app(tx, site, app, by_user_id)
        if app["name"] != before["name"]:
            await rename_bots(tx, app, app["updated_at"])
        if any(app[name] != before[name] for name in SHOWN):
            await site.app_accounts.app_changed(tx, app["id"], app["updated_at"])
        await _audit_changes(tx, before, app, list(checked))
        await request_gained_scopes(tx, site, before, app)
        return app


async def store_changes(tx: Transaction, site: Site, app_id: str, by_user_id: str, changes: Row) -> Row:
    """Store changed columns of the locked app, and apply those of its webhook to every installation."""
    stamps = {"updated_at": site.clock.now(), "updated_by_id": by_user_id}
    await tx.update(apps, changes | stamps, id=app_id)
    tx.on_commit(lambda: site.wakeups.announce(f"app:{app_id}"))
    app = await tx.find(apps, id=app_id)
    assert app is not None  # it is locked
    if not changes.keys().isdisjoint(FOLLOWED):
        await apply_registration(tx, app, by_user_id, site.clock.now())
    return app


async def _audit_changes(tx: Transaction, before: Row, after: Row, fields: list[str]) -> None:
    """Audit the fields whose values differ."""
    changes = {name: [before[name], after[name]] for name in fields if before[name] != after[name]}
    if changes:
        await audit_app(
            tx, after, "app.updated", after["updated_by_id"], after["updated_at"], {"changes": changes}
        )
