"""An installation's webhook: made when its app has a webhook URL, and kept in step with the registration."""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.installations.tables import installations
from airside.webhooks.endpoints import create_endpoint, update_endpoints_of


async def start_listening(
    tx: Transaction, app: Row, workspace_id: str, installation_id: str, by_user_id: str, now: datetime
) -> str | None:
    """The id of a new endpoint; None for an app without a webhook URL."""
    if app["webhook_url"] is None:
        return None
    return await create_endpoint(
        tx,
        workspace_id=workspace_id,
        installation_id=installation_id,
        url=app["webhook_url"],
        version=app["webhook_version"],
        secret_sealed=app["webhook_secret_sealed"],
        title=app["name"],
        by_user_id=by_user_id,
        now=now,
    )


async def follow_registration(tx: Transaction, app: Row, by_user_id: str, now: datetime) -> None:
    """Carry a changed webhook URL, version or secret over to every live installation of the app."""
    for installation in await tx.fetch_all(_LIVE_OF_APP, app_id=app["id"]):
        if installation["webhook_id"] is None:
            endpoint_id = await start_listening(
                tx, app, installation["workspace_id"], installation["id"], by_user_id, now
            )
            await tx.update(installations, {"webhook_id": endpoint_id}, id=installation["id"])
            continue
        await update_endpoints_of(
            tx,
            installation["id"],
            url=app["webhook_url"],
            version=app["webhook_version"],
            secret_sealed=app["webhook_secret_sealed"],
            now=now,
        )


_LIVE_OF_APP = Statement(
    sa.select(installations).where(
        installations.c.app_id == sa.bindparam("app_id"), installations.c.deleted_at.is_(None)
    )
)
