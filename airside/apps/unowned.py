"""Apps without a workspace: registered dynamically, by a metadata document, or built in.

No admin vouches for them, so no user can change them, they never get bot tokens, and self-registered ones that are
never installed are purged.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airside.apps.fields import check_fields
from airside.apps.registry import slug_of
from airside.apps.tables import BUILT_IN, DOCUMENT, DYNAMIC, apps
from airside.audit.record import APP, record_audit
from airside.db.base import Row, new_id
from airside.db.conditions import live
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.runtime.site import Site
from airside.system.credentials import WEBHOOK_SECRET, new_credential
from airside.webhooks.signing import SECRET


def new_unowned_app(site: Site, registration: str, client_id: str, fields: Mapping[str, Any]) -> Row:
    """A row to insert. Raises Invalid like any registration."""
    now, webhook_secret = site.clock.now(), new_credential(WEBHOOK_SECRET)
    checked = check_fields(fields, whole=True, is_built_in=registration == BUILT_IN)
    return {
        "id": new_id(),
        "workspace_id": None,
        "registration": registration,
        "document_expires_at": None,
        "listed_at": None,
        "client_id": client_id,
        **checked,
        # With a random suffix, so that it never takes the slug of an app that an admin registers.
        "slug": f"{slug_of(checked['name'])}-{uuid.uuid4().hex[:8]}",
        "webhook_secret_sealed": site.sealer.seal(webhook_secret, SECRET),
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": None,
        "updated_by_id": None,
    }


async def insert_unowned(tx: Transaction, app: Row) -> None:
    """Insert the new row, and audit the metadata that the client claims."""
    await tx.insert(apps, app)
    shown = {
        name: app[name] for name in ("name", "client_type", "registration", "client_id", "redirect_uris")
    }
    await record_audit(
        tx,
        "app.created",
        app["created_at"],
        actor_kind=APP,
        app_id=app["id"],
        target=("app", app["id"]),
        details=shown,
    )


async def count_unowned(reader: Reader) -> int:
    """How many clients are self-registered, dynamically or by a metadata document."""
    return await reader.fetch_value(_COUNT) or 0


IS_SELF_REGISTERED = apps.c.registration.in_(
    [sa.literal_column(f"'{DYNAMIC}'"), sa.literal_column(f"'{DOCUMENT}'")]
)
_COUNT = Statement(
    sa.select(sa.func.count().label("count")).select_from(apps).where(IS_SELF_REGISTERED, live(apps))
)
