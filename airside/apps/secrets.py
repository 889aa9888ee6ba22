"""Client secrets: shown once; two may be live at a time, for rotation without downtime."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from airside.apps.authors import require_author
from airside.apps.tables import PUBLIC, app_secrets, apps
from airside.audit.record import APP, PERSON, record_audit
from airside.db.base import Row, new_id
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_one_line
from airside.errors import Invalid, NotFound, Refused
from airside.runtime.site import Site
from airside.system.credentials import CLIENT_SECRET, hash_credential, new_credential

MAX_LIVE = 2
NAME_LENGTH = 80  # characters
TOUCH_EVERY = timedelta(minutes=1)  # `last_used_at` is written at most this often


async def add_client_secret(site: Site, app: Row, by_user_id: str, name: str = "") -> str:
    """Create a further secret, which is shown once. Raises Refused when there are two."""
    if len(name) > NAME_LENGTH or not is_one_line(name):
        raise Invalid({"name": [f"Use at most {NAME_LENGTH} characters, without line breaks."]})
    if app["client_type"] == PUBLIC:
        raise Refused("A public app can't keep a secret, so it has none.")
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        await tx.lock(apps, id=app["id"])
        if len(await list_client_secrets(tx, app["id"])) >= MAX_LIVE:
            raise Refused("An app has two secrets at most. End one of them first.")
        return await insert_secret(tx, site, app, by_user_id, name.strip() or "Client secret")


async def end_client_secret(site: Site, app: Row, by_user_id: str, secret_id: str) -> None:
    """Revoke a secret at once. Raises NotFound, and Refused for the last one."""
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        await tx.lock(apps, id=app["id"])
        live = await list_client_secrets(tx, app["id"])
        ended = next((secret for secret in live if secret["id"] == secret_id.lower()), None)
        if ended is None:
            raise NotFound("There is no such client secret.")
        if len(live) == 1:
            raise Refused("This is the app's only secret. Make a second one first.")
        now = site.clock.now()
        await tx.update(app_secrets, {"ended_at": now}, id=ended["id"])
        await _audit(tx, app, "client_secret.ended", by_user_id, now, ended)


async def list_client_secrets(reader: Reader, app_id: str) -> list[Row]:
    """The app's live secrets, oldest first: id, name, last_four, created_at, created_by_id, last_used_at."""
    return await reader.fetch_all(_LIVE_SECRETS, app_id=app_id)


async def insert_secret(tx: Transaction, site: Site, app: Row, by_user_id: str | None, name: str) -> str:
    """Create a secret within the caller's transaction; returns it. Only its hash is stored."""
    secret = new_credential(CLIENT_SECRET)
    now = site.clock.now()
    row: Row = {
        "id": new_id(),
        "app_id": app["id"],
        "name": name,
        "secret_hash": hash_credential(secret),
        "last_four": secret[-4:],
        "created_at": now,
        "created_by_id": by_user_id,
    }
    await tx.insert(app_secrets, row)
    await _audit(tx, app, "client_secret.created", by_user_id, now, row)
    return secret


async def _audit(
    tx: Transaction, app: Row, action: str, by_user_id: str | None, at: datetime, secret: Row
) -> None:
    await record_audit(
        tx,
        action,
        at,
        workspace_id=app["workspace_id"],
        actor_id=by_user_id,
        actor_kind=PERSON if by_user_id else APP,
        app_id=app["id"],
        target=("client_secret", secret["id"]),
        details={"name": secret["name"], "last_four": secret["last_four"]},
    )


async def touch_secret(tx: Transaction, site: Site, secret_id: str) -> None:
    """Store that the secret was used now, and refresh the app's page."""
    await tx.update(app_secrets, {"last_used_at": site.clock.now()}, id=secret_id)
    secret = await tx.find(app_secrets, id=secret_id)
    if secret is not None:
        tx.on_commit(lambda: site.wakeups.announce(f"app:{secret['app_id']}"))


def is_touch_due(site: Site, last_used_at: datetime | None) -> bool:
    return last_used_at is None or site.clock.now() - last_used_at >= TOUCH_EVERY


_LIVE_SECRETS = Statement(
    sa.select(
        *(column for column in app_secrets.c if column.name not in ("secret_hash", "ended_at", "app_id"))
    )
    .where(app_secrets.c.app_id == sa.bindparam("app_id"), app_secrets.c.ended_at.is_(None))
    .order_by(app_secrets.c.id)
)
