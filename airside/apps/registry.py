"""Registers and finds apps."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.apps.authors import require_author, require_may_register
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
from airside.runtime.site import Site
from airside.system.credentials import WEBHOOK_SECRET, new_credential
from airside.webhooks.destinations import check_destination
from airside.webhooks.signing import SECRET

SLUG_LENGTH = 48  # characters
NOT_REPLACED: Row = {"previous_webhook_secret_sealed": None, "previous_webhook_secret_until": None}


class NewApp(msgspec.Struct, frozen=True):
    """A new app with its secrets, which are shown once."""

    app: Row
    client_secret: str  # empty for a public app, which can't keep one
    webhook_secret: str


async def create_app(site: Site, *, workspace_id: str, by_user_id: str, fields: Mapping[str, Any]) -> NewApp:
    """Register an app; `fields` are the columns of `fields.CHECKS`. Raises Invalid and Forbidden."""
    checked = check_fields(fields, whole=True)
    await check_webhook(site, checked)
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


async def lock_app(tx: Transaction, app_id: str, by_user_id: str) -> Row:
    """A registered app, locked for a change by a user who manages it. Raises NotFound and Forbidden."""
    app = await tx.lock(apps, id=app_id) if is_id(app_id) else None
    if app is None or app["deleted_at"] is not None or app["workspace_id"] is None:
        raise NotFound("There is no such app.")
    await require_author(tx, app, by_user_id)
    return app


async def check_webhook(site: Site, checked: Mapping[str, Any]) -> None:
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
        await audit_app(tx, app, "app.created", by, at, shown)
        await audit_app(tx, app, "webhook_secret.created", by, at)
        if app["client_type"] == PUBLIC:
            return ""
        return await insert_secret(tx, site, app, by, "Client secret")


async def audit_app(
    tx: Transaction, app: Row, action: str, by: str, at: datetime, details: dict[str, Any] | None = None
) -> None:
    """Audit an action on the app's registration or secrets."""
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
