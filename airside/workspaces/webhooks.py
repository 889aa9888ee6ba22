"""A workspace's own webhooks: create, change and delete them, and reveal and rotate their secrets.

Delivery is in airside/webhooks; here are validation, permissions and the audit log.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from airside.audit.record import record_audit
from airside.db.base import Row, is_uuid
from airside.db.database import Reader, Transaction
from airside.db.text_rules import is_one_line
from airside.errors import Invalid, NotFound, Refused
from airside.identity.users import get_user
from airside.runtime.site import Site
from airside.system.credentials import WEBHOOK_SECRET, new_credential
from airside.webhooks.cancel import cancel_deliveries
from airside.webhooks.deliver import FORM
from airside.webhooks.destinations import check_destination
from airside.webhooks.endpoints import (
    OFF,
    SWITCHED_ON,
    create_endpoint,
    end_endpoint,
    find_endpoint,
    list_endpoints,
)
from airside.webhooks.filters import check_filter
from airside.webhooks.samples import send_ping, send_sample
from airside.webhooks.signing import SECRET, sign_on
from airside.webhooks.subscriptions import find_unknown
from airside.webhooks.tables import EndpointRow, webhook_endpoints
from airside.workspaces.members import require_admin

VERSIONS = ("v1", "v2")
CONTENT_TYPES = ("application/json", FORM)
TITLE_LENGTH = 80  # characters
PINGED = ("url", "version", "content_type", "is_active")  # a change of any of these sends a ping
MAX_WEBHOOKS = 100  # per workspace: each adds a delivery to every event


class NewWebhook(msgspec.Struct, frozen=True):
    """A new webhook with its secret, which later is revealed only after the password is entered."""

    webhook: EndpointRow
    secret: str


async def list_webhooks(reader: Reader, workspace_id: str) -> list[EndpointRow]:
    """The workspace's own webhooks, oldest first, without those of installed apps."""
    found = await list_endpoints(reader, workspace_id)
    return [endpoint for endpoint in found if endpoint["installation_id"] is None]


async def get_webhook(reader: Reader, workspace_id: str, webhook_id: str) -> EndpointRow:
    """Raises NotFound, also for another workspace's or an app's webhook."""
    found = await find_endpoint(reader, workspace_id, webhook_id) if is_uuid(webhook_id) else None
    if found is None or found["installation_id"] is not None:
        raise NotFound
    return found


async def create_webhook(
    site: Site, workspace_id: str, by_user_id: str, fields: Mapping[str, Any]
) -> NewWebhook:
    """Create a webhook and ping it. `fields` are columns of webhook_endpoints. Raises Invalid, Forbidden and
    Refused."""
    given = {"title": "", "version": "v1", **fields}
    given = await _check(site, {"url": "", **given})
    secret, now = new_credential(WEBHOOK_SECRET), site.clock.now()
    is_active = given.pop("is_active", True)
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        if len(await list_webhooks(tx, workspace_id)) >= MAX_WEBHOOKS:
            raise Refused(f"A workspace has at most {MAX_WEBHOOKS} webhooks.")
        webhook_id = await create_endpoint(
            tx,
            workspace_id=workspace_id,
            installation_id=None,
            secret_sealed=site.sealer.seal(secret, SECRET),
            by_user_id=by_user_id,
            now=now,
            is_active=is_active,
            disabled_reason=None if is_active else OFF,
            **given,
        )
        webhook = await get_webhook(tx, workspace_id, webhook_id)
        await send_ping(tx, site.wakeups, endpoint=webhook, by=await get_user(tx, by_user_id), now=now)
        await _record(tx, "webhook.created", webhook, by_user_id, now)
    return NewWebhook(webhook, secret)


async def update_webhook(
    site: Site, workspace_id: str, webhook_id: str, by_user_id: str, changes: Mapping[str, Any]
) -> EndpointRow:
    """Change some columns; pings an active webhook if one of PINGED changed. Values that it has already change
    nothing. Raises Invalid, Forbidden and NotFound."""
    checked = await _check(site, changes)
    now = site.clock.now()
    async with site.db.transaction() as tx:
        before = await _lock(tx, workspace_id, webhook_id, by_user_id)
        changed = [name for name, value in checked.items() if value != before[name]]
        if not changed:
            return before
        columns = {**checked, "updated_at": now, "updated_by_id": by_user_id}
        columns |= _as_switched(before, checked)
        await tx.update(webhook_endpoints, columns, workspace_id=workspace_id, id=webhook_id)
        if columns.get("is_active") is False:
            await cancel_deliveries(tx, workspace_id, webhook_id, now)
        after = cast(EndpointRow, {**before, **columns})
        if any(after[name] != before[name] for name in PINGED) and after["is_active"]:
            await send_ping(tx, site.wakeups, endpoint=after, by=await get_user(tx, by_user_id), now=now)
        await _record(tx, "webhook.updated", after, by_user_id, now, changed=changed)
    return after


async def delete_webhook(site: Site, workspace_id: str, webhook_id: str, by_user_id: str) -> None:
    """Nothing more is sent; the log is kept for the usual retention period. Raises Forbidden and NotFound."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        webhook = await _lock(tx, workspace_id, webhook_id, by_user_id)
        await end_endpoint(tx, workspace_id, webhook_id, now)
        await _record(tx, "webhook.deleted", webhook, by_user_id, now)


async def replace_secret(site: Site, workspace_id: str, webhook_id: str, by_user_id: str) -> str:
    """Rotate the secret; returns the new one. The old one still signs for a day, or until `switch_secret`.

    Raises Forbidden and NotFound."""
    secret, now = new_credential(WEBHOOK_SECRET), site.clock.now()
    async with site.db.transaction() as tx:
        webhook = await _lock(tx, workspace_id, webhook_id, by_user_id)
        earlier, until = sign_on(
            webhook["secret_sealed"], webhook["previous_secret_sealed"], webhook["previous_secret_until"], now
        )
        columns: Row = {"previous_secret_sealed": earlier, "previous_secret_until": until}
        columns |= {"secret_sealed": site.sealer.seal(secret, SECRET), "updated_at": now}
        await tx.update(webhook_endpoints, columns, workspace_id=workspace_id, id=webhook_id)
        await _record(tx, "webhook_secret.replaced", webhook, by_user_id, now)
    return secret


async def switch_secret(site: Site, workspace_id: str, webhook_id: str, by_user_id: str) -> None:
    """Stop signing with the replaced secret: the receiver has the new one. Raises Forbidden and NotFound."""
    async with site.db.transaction() as tx:
        webhook = await _lock(tx, workspace_id, webhook_id, by_user_id)
        columns: Row = {"previous_secret_sealed": None, "previous_secret_until": None}
        await tx.update(webhook_endpoints, columns, workspace_id=workspace_id, id=webhook_id)
        await _record(tx, "webhook_secret.switched", webhook, by_user_id, site.clock.now())


async def reveal_secret(site: Site, workspace_id: str, webhook_id: str, by_user_id: str) -> str:
    """The current secret; the access is audited. The caller has checked the user's password."""
    async with site.db.transaction() as tx:
        webhook = await _lock(tx, workspace_id, webhook_id, by_user_id)
        await _record(tx, "webhook_secret.revealed", webhook, by_user_id, site.clock.now())
    return site.sealer.unseal(webhook["secret_sealed"], SECRET)


async def try_webhook(site: Site, workspace_id: str, webhook_id: str, by_user_id: str, name: str) -> str:
    """Send a sample event; returns its id. Raises Invalid for an unknown event name, Forbidden and NotFound."""
    if find_unknown([name]):
        raise Invalid({"event": [f'"{name[:60]}" is not a valid choice.']})
    async with site.db.transaction() as tx:
        webhook, by = await _lock(tx, workspace_id, webhook_id, by_user_id), await get_user(tx, by_user_id)
        now = site.clock.now()
        return await send_sample(tx, site.wakeups, endpoint=webhook, name=name, by=by, now=now)


async def _lock(tx: Transaction, workspace_id: str, webhook_id: str, by_user_id: str) -> EndpointRow:
    await require_admin(tx, workspace_id, by_user_id)
    await tx.lock(webhook_endpoints, workspace_id=workspace_id, id=webhook_id)
    return await get_webhook(tx, workspace_id, webhook_id)


def _as_switched(before: EndpointRow, changes: Mapping[str, Any]) -> Row:
    if "is_active" not in changes or changes["is_active"] == before["is_active"]:
        return {}
    return SWITCHED_ON if changes["is_active"] else {"disabled_reason": OFF}


async def _check(site: Site, given: Mapping[str, Any]) -> dict[str, Any]:
    """The validated columns. Resolves DNS, so call it before the transaction. Raises Invalid by column."""
    wrong: dict[str, Any] = {}
    checked = dict(given)
    if "title" in given and not (is_one_line(given["title"]) and len(given["title"]) <= TITLE_LENGTH):
        wrong["title"] = [f"Use at most {TITLE_LENGTH} characters, without line breaks."]
    if "version" in given and given["version"] not in VERSIONS:
        wrong["version"] = ["The version is v1 or v2."]
    if "content_type" in given and given["content_type"] not in CONTENT_TYPES:
        wrong["content_type"] = [f"Use {' or '.join(CONTENT_TYPES)}."]
    if given.get("event_names") is not None:
        wrong |= _check_names(given["event_names"])
    if "filter_pql" in given:
        try:
            checked["filter_pql"] = check_filter(given["filter_pql"])
        except Invalid as error:
            wrong["filter_pql"] = error.fields["pql"]
    if "url" in given:
        try:
            await check_destination(site.settings, given["url"])
        except Refused as refusal:
            wrong["url"] = [refusal.sentence if given["url"] else "Enter a URL."]
    if wrong:
        raise Invalid(wrong)
    return checked


def _check_names(names: list[str]) -> dict[str, Any]:
    if not names:
        return {"event_names": ["Choose at least one event."]}
    unknown = find_unknown(names)
    return {"event_names": [f"There is no event {unknown[0][:60]}."]} if unknown else {}


async def _record(
    tx: Transaction, action: str, webhook: EndpointRow, by_user_id: str, now: datetime, **details: Any
) -> None:
    await record_audit(
        tx,
        action,
        now,
        workspace_id=webhook["workspace_id"],
        actor_id=by_user_id,
        target=("webhook", webhook["id"]),
        details={"title": webhook["title"], **details},
    )
