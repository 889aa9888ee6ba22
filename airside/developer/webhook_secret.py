"""The secret that signs an app's webhooks: replacing it, ending the replaced one, and showing it."""

from datetime import datetime

from airside.apps.registry import NOT_REPLACED, audit_app, lock_app
from airside.db.base import Row
from airside.db.database import Transaction
from airside.developer.deliveries import list_app_endpoints
from airside.developer.registration import store_changes
from airside.errors import Refused
from airside.runtime.site import Site
from airside.system.credentials import WEBHOOK_SECRET, new_credential
from airside.webhooks.signing import SECRET, sign_on


async def renew_webhook_secret(site: Site, app_id: str, by_user_id: str) -> str:
    """Rotate the webhook secret; returns the new one. The old one still signs for a day, or until
    `switch_webhook_secret`."""
    secret = new_credential(WEBHOOK_SECRET)
    async with site.db.transaction() as tx:
        app = await lock_app(tx, app_id, by_user_id)
        sealed: Row = {"webhook_secret_sealed": site.sealer.seal(secret, SECRET)}
        sealed |= await _keep_signing(tx, app, site.clock.now())
        app = await store_changes(tx, site, app_id, by_user_id, sealed)
        await audit_app(tx, app, "webhook_secret.replaced", app["updated_by_id"], app["updated_at"])
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
        await lock_app(tx, app_id, by_user_id)
        app = await store_changes(tx, site, app_id, by_user_id, NOT_REPLACED)
        await audit_app(tx, app, "webhook_secret.switched", by_user_id, site.clock.now())


async def reveal_webhook_secret(site: Site, app_id: str, by_user_id: str) -> str:
    """The current webhook secret; the access is audited. Raises Forbidden, NotFound, and Refused when it was sealed
    with a key that this instance no longer has."""
    async with site.db.transaction() as tx:
        app = await lock_app(tx, app_id, by_user_id)
        try:
            secret = site.sealer.unseal(app["webhook_secret_sealed"], SECRET)
        except ValueError:
            raise Refused("It was sealed with another AIRSIDE_SECRET_KEY. Replace it.") from None
        await audit_app(tx, app, "webhook_secret.revealed", by_user_id, site.clock.now())
    return secret
