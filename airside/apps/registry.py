"""Registers, changes and finds apps."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.apps.authors import require_author, require_may_register
from airside.apps.deliveries import list_app_endpoints
from airside.apps.fields import check_fields
from airside.apps.secrets import insert_secret
from airside.apps.tables import PUBLIC, WORKSPACE, apps
from airside.audit.record import record_audit
from airside.db.base import Row, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.db.text_rules import is_id, is_storable
from airside.errors import Invalid, NotFound, Refused
from airside.installations.listening import follow_registration, ping_app
from airside.installations.rename import rename_bots
from airside.installations.scope_requests import follow_ceiling
from airside.runtime.credentials import WEBHOOK_SECRET, new_credential
from airside.runtime.site import Site
from airside.webhooks.destinations import check_destination
from airside.webhooks.signing import SECRET, sign_on

SLUG_LENGTH = 48  # characters
FOLLOWED = (
    "webhook_url",
    "webhook_version",
    "webhook_content_type",
    "webhook_event_names",
    "webhook_secret_sealed",
    "previous_webhook_secret_sealed",
    "receives_own_events",
)

PINGED = (
    "webhook_url",
    "webhook_version",
    "webhook_content_type",
)  # a change of any of these sends a ping
NOT_REPLACED: Row = {"previous_webhook_secret_sealed": None, "previous_webhook_secret_until": None}


class NewApp(msgspec.Struct, frozen=True):
    """A new app with its secrets, which are shown once."""

    app: Row
    client_secret: str  # empty for a public app, which can't keep one
    webhook_secret: str


async def create_app(site: Site, *, workspace_id: str, by_user_id: str, fields: Mapping[str, Any]) -> NewApp:
    """Register an app; `fields` are the columns of `fields.CHECKS`. Raises Invalid and Forbidden."""
    checked = check_fields(fields, whole=True)
    await _check_webhook(site, checked)
    webhook_secret = new_credential(WEBHOOK_SECRET)
    now = site.clock.now()
    app: Row = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "registration": WORKSPACE,
        "document_expires_at": None,
        "listed_at": None,
        "client_id": str(uuid.uuid4()),
        **checked,
        "webhook_secret_sealed": site.sealer.seal(webhook_secret, SECRET),
        **NOT_REPLACED,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": by_user_id,
        "updated_by_id": by_user_id,
    }
    slug = slug_of(app["name"])
    try:
        client_secret = await _insert_app(site, app | {"slug": slug})
    except UniqueViolation:  # the slug is taken
        slug = f"{slug}-{uuid.uuid4().hex[:8]}"
        client_secret = await _insert_app(site, app | {"slug": slug})
    return NewApp(app | {"slug": slug}, client_secret, webhook_secret)


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
    await _check_webhook(site, checked)
    async with site.db.transaction() as tx:
        before = await _lock_app(tx, app_id, by_user_id)
        if as_of is not None and before["updated_at"] != as_of:
            raise Refused("The app has been changed meanwhile. Look at the difference again.")
        app = await _store_changes(tx, site, app_id, by_user_id, checked)
        if app["webhook_url"] is not None and any(app[name] != before[name] for name in PINGED):
            await ping_app(tx, site, app, by_user_id)
        if app["name"] != before["name"]:
            await rename_bots(tx, app, app["updated_at"])
        await _audit_changes(tx, before, app, list(checked))
        await follow_ceiling(tx, site, before, app)
        return app


async def renew_webhook_secret(site: Site, app_id: str, by_user_id: str) -> str:
    """Rotate the webhook secret; returns the new one. The old one still signs for a day, or until
    `switch_webhook_secret`."""
    secret = new_credential(WEBHOOK_SECRET)
    async with site.db.transaction() as tx:
        app = await _lock_app(tx, app_id, by_user_id)
        sealed: Row = {"webhook_secret_sealed": site.sealer.seal(secret, SECRET)}
        sealed |= await _keep_signing(tx, app, site.clock.now())
        app = await _store_changes(tx, site, app_id, by_user_id, sealed)
        await _audit(tx, app, "webhook_secret.replaced", app["updated_by_id"], app["updated_at"])
    return secret


async def _keep_signing(tx: Transaction, app: Row, now: datetime) -> Row:
    """The columns with which a replaced secret keeps signing. Without a live endpoint there is no need."""
    if all(endpoint["deleted_at"] is not None for endpoint in await list_app_endpoints(tx, app["id"])):
        return NOT_REPLACED
    present, previous = app["webhook_secret_sealed"], app["previous_webhook_secret_sealed"]
    earlier, until = sign_on(present, previous, app["previous_webhook_secret_until"], now)
    return {"previous_webhook_secret_sealed": earlier, "previous_webhook_secret_until": until}


async def switch_webhook_secret(site: Site, app_id: str, by_user_id: str) -> None:
    """Stop signing with the replaced secret: the app's server has the new one. Raises Forbidden and NotFound."""
    async with site.db.transaction() as tx:
        await _lock_app(tx, app_id, by_user_id)
        app = await _store_changes(tx, site, app_id, by_user_id, NOT_REPLACED)
        await _audit(tx, app, "webhook_secret.switched", by_user_id, site.clock.now())


async def reveal_webhook_secret(site: Site, app_id: str, by_user_id: str) -> str:
    """The current webhook secret; the access is audited. Raises Forbidden, NotFound, and Refused when it was sealed
    with a key that this instance no longer has."""
    async with site.db.transaction() as tx:
        app = await _lock_app(tx, app_id, by_user_id)
        try:
            secret = site.sealer.unseal(app["webhook_secret_sealed"], SECRET)
        except ValueError:
            raise Refused("It was sealed with another AIRSIDE_SECRET_KEY. Replace it.") from None
        await _audit(tx, app, "webhook_secret.revealed", by_user_id, site.clock.now())
    return secret


async def find_app(reader: Reader, client_id: str) -> Row | None:
    """The app with this client id."""
    return await reader.fetch_one(_BY_CLIENT_ID, client_id=client_id) if is_storable(client_id) else None


async def get_app(reader: Reader, workspace_id: str, app_id: str) -> Row:
    """The app with this id, in the workspace that registered it. Raises NotFound."""
    found = await reader.fetch_one(_BY_ID, id=app_id) if is_id(app_id) else None
    if found is None or found["workspace_id"] != workspace_id:
        raise NotFound("There is no such app.")
    return found


async def list_apps(reader: Reader, workspace_id: str) -> list[Row]:
    """The apps that the workspace registered, by name."""
    return await reader.fetch_all(_OF_WORKSPACE, workspace_id=workspace_id)


async def _lock_app(tx: Transaction, app_id: str, by_user_id: str) -> Row:
    app = await tx.lock(apps, id=app_id) if is_id(app_id) else None
    if app is None or app["deleted_at"] is not None or app["workspace_id"] is None:
        raise NotFound("There is no such app.")
    await require_author(tx, app, by_user_id)
    return app


async def _store_changes(tx: Transaction, site: Site, app_id: str, by_user_id: str, changes: Row) -> Row:
    stamps = {"updated_at": site.clock.now(), "updated_by_id": by_user_id}
    await tx.update(apps, changes | stamps, id=app_id)
    tx.on_commit(lambda: site.wakeups.announce(f"app:{app_id}"))
    app = await tx.find(apps, id=app_id)
    assert app is not None  # it is locked
    if not changes.keys().isdisjoint(FOLLOWED):
        await follow_registration(tx, app, by_user_id, site.clock.now())
    return app


async def _check_webhook(site: Site, checked: Mapping[str, Any]) -> None:
    """Validate the webhook URL early; every delivery checks it again. Resolves DNS, so call it before the
    transaction."""
    url = checked.get("webhook_url")
    if url is None:
        return
    try:
        await check_destination(site.settings, url)
    except Refused as refusal:
        raise Invalid({"webhook_url": [refusal.sentence]}) from None


async def _insert_app(site: Site, app: Row) -> str:
    async with site.db.transaction() as tx:
        await require_may_register(tx, app["workspace_id"], app["created_by_id"])
        await tx.insert(apps, app)
        by, at = app["created_by_id"], app["created_at"]
        fields = ("name", "client_type", "scopes", "redirect_uris", "webhook_url")
        shown = {name: app[name] for name in fields}
        await _audit(tx, app, "app.created", by, at, shown)
        await _audit(tx, app, "webhook_secret.created", by, at)
        if app["client_type"] == PUBLIC:
            return ""
        return await insert_secret(tx, site, app, by, "Client secret")


async def _audit_changes(tx: Transaction, before: Row, after: Row, fields: list[str]) -> None:
    """Audit the fields whose values differ."""
    changes = {name: [before[name], after[name]] for name in fields if before[name] != after[name]}
    if changes:
        await _audit(
            tx, after, "app.updated", after["updated_by_id"], after["updated_at"], {"changes": changes}
        )


async def _audit(
    tx: Transaction, app: Row, action: str, by: str, at: datetime, details: dict[str, Any] | None = None
) -> None:
    await record_audit(
        tx,
        action,
        at,
        workspace_id=app["workspace_id"],
        actor_id=by,
        app_id=app["id"],
        target=("app", app["id"]),
        details=details,
    )


def slug_of(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:SLUG_LENGTH].strip("-") or "app"


_live = live(apps)
_BY_CLIENT_ID = Statement(sa.select(apps).where(apps.c.client_id == sa.bindparam("client_id"), _live))
_BY_ID = Statement(sa.select(apps).where(apps.c.id == sa.bindparam("id"), _live))
_OF_WORKSPACE = Statement(sa.select(apps).where(tenant(apps), _live).order_by(apps.c.name, apps.c.id))
