"""An app's webhook deliveries over all its installations: the log, redelivery, samples, and re-enabling endpoints.

An app has an endpoint in each workspace that installed it, so one log for its developer spans many endpoints.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.apps.authors import require_author
from airside.db.base import IdList, Row, TenantKey
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.db.text_rules import is_id
from airside.errors import Invalid, NotFound, Refused
from airside.identity.users import get_user
from airside.installations.tables import installations
from airside.runtime.site import Site
from airside.webhooks.deliveries import (
    PAGE,
    Notice,
    Search,
    find_delivery,
    list_deliveries,
    redeliver_selected,
    redeliver_since,
    require_listening,
)
from airside.webhooks.endpoints import NO_URL, NOT_LISTENING, enable_endpoint, list_endpoints_of
from airside.webhooks.samples import send_ping, send_sample
from airside.webhooks.subscriptions import find_unknown
from airside.webhooks.tables import EndpointRow, webhook_deliveries, webhook_endpoints

MAX_SELECTED = 1000  # deliveries per redelivery request


async def list_app_endpoints(reader: Reader, app_id: str) -> list[EndpointRow]:
    """The endpoints of all installations the app ever had, so that its log includes uninstalled ones."""
    rows = await reader.find_all(installations, app_id=app_id)
    return await list_endpoints_of(reader, [row["id"] for row in rows])


async def list_app_deliveries(
    reader: Reader,
    app_id: str,
    *,
    search: Search | None = None,
    workspace_id: str | None = None,
    limit: int = PAGE,
    before: str | None = None,
) -> list[Notice]:
    """The app's deliveries that match `search`, newest first. `workspace_id`
    limits them to one workspace's installation."""
    endpoints = await list_app_endpoints(reader, app_id)
    if workspace_id is not None:
        endpoints = [endpoint for endpoint in endpoints if endpoint["workspace_id"] == workspace_id]
    return await list_deliveries(reader, endpoints, limit=limit, before=before, search=search)


async def get_app_delivery(reader: Reader, app_id: str, delivery_id: str) -> Notice:
    """Raises NotFound, also for another app's delivery."""
    endpoints = await list_app_endpoints(reader, app_id)
    if is_id(delivery_id):
        for delivery in await _locate(reader, endpoints, [delivery_id]):
            found = await find_delivery(reader, delivery["workspace_id"], delivery_id)
            if found is not None:
                return found
    raise NotFound("There is no such delivery.")


async def redeliver_to_app(site: Site, app: Row, by_user_id: str, ids: Iterable[str]) -> int:
    """Redeliver these, with their event ids; returns how many. Another app's deliveries are skipped, as are those
    of endpoints that are disabled or gone.

    Raises Invalid for too many, Forbidden, and Refused when none can be sent."""
    ids = [one.lower() for one in ids if is_id(one.lower())]
    if len(ids) > MAX_SELECTED:
        raise Invalid({"deliveries": [f"Select at most {MAX_SELECTED}."]})
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        endpoints = {row["id"]: row for row in await list_app_endpoints(tx, app["id"])}
        located = await _locate(tx, endpoints.values(), ids)
        selected = [endpoints[one] for one in sorted({row["endpoint_id"] for row in located})]
        what: dict[str, Any] = {"ids": ids, "now": site.clock.now()}
        listening = await _list_listening(tx, selected)
        return sum([await redeliver_selected(tx, site.wakeups, endpoint=one, **what) for one in listening])


async def redeliver_to_app_since(
    site: Site, app: Row, by_user_id: str, since: datetime, workspace_id: str | None = None
) -> int:
    """Redeliver everything undelivered since then, in one workspace or in all; returns how many.

    Raises Forbidden, and Refused when no endpoint is active."""
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        listening = await _list_listening(tx, await _list_live(tx, app["id"], workspace_id))
    return sum([await redeliver_since(site, endpoint=one, since=since) for one in listening])


async def send_app_sample(
    site: Site, app: Row, by_user_id: str, name: str, workspace_id: str | None = None
) -> list[str]:
    """Send a sample event to all endpoints of the app in one workspace, by default the first that installed it;
    returns the events' ids.

    Raises Invalid for an unknown event name, Forbidden, and Refused when the app has no endpoint there."""
    if find_unknown([name]):
        raise Invalid({"event": [f'"{name[:60]}" is not a valid choice.']})
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        live = await _list_live(tx, app["id"], workspace_id)
        if not live:
            raise Refused("The app is installed nowhere, or has no webhook URL.")
        by, now = await get_user(tx, by_user_id), site.clock.now()
        where = live[0]["workspace_id"]
        return [
            await send_sample(tx, site.wakeups, endpoint=endpoint, name=name, by=by, now=now)
            for endpoint in live
            if endpoint["workspace_id"] == where
        ]


async def switch_on_app_endpoint(site: Site, app: Row, by_user_id: str, endpoint_id: str) -> None:
    """Re-enable an endpoint that was disabled after failures or a 410 response; missed deliveries are redelivered
    only on request.

    Raises NotFound, Forbidden, and Refused for an app without a URL."""
    if app["webhook_url"] is None:
        raise Refused("The app has no webhook URL.")
    now = site.clock.now()
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        live = {row["id"]: row for row in await _list_live(tx, app["id"], None)}
        endpoint = live.get(endpoint_id)
        if endpoint is None or endpoint["listener_id"] is not None:
            raise NotFound("There is no such webhook.")
        if endpoint["is_active"]:
            return
        await tx.lock(webhook_endpoints, workspace_id=endpoint["workspace_id"], id=endpoint_id)
        await enable_endpoint(tx, endpoint["workspace_id"], endpoint_id, now)
        by = await get_user(tx, by_user_id)
        await send_ping(tx, site.wakeups, endpoint=endpoint, by=by, now=now)


async def _list_live(reader: Reader, app_id: str, workspace_id: str | None) -> list[EndpointRow]:
    """The endpoints of the app's live installations, enabled or disabled, oldest first, without those that have no
    URL or no listener."""
    return [
        endpoint
        for endpoint in await list_app_endpoints(reader, app_id)
        if endpoint["deleted_at"] is None
        and endpoint["disabled_reason"] not in (NOT_LISTENING, NO_URL)
        and workspace_id in (None, endpoint["workspace_id"])
    ]


async def _list_listening(tx: Transaction, endpoints: list[EndpointRow]) -> list[EndpointRow]:
    """The endpoints that can receive deliveries. Raises Refused if `endpoints` isn't empty and none of them can."""
    listening: list[EndpointRow] = []
    refusal: Refused | None = None
    for endpoint in endpoints:
        try:
            await require_listening(tx, endpoint["workspace_id"], endpoint["id"])
            listening.append(endpoint)
        except Refused as refused:
            refusal = refused
    if refusal is not None and not listening:
        raise refusal
    return listening


async def _locate(reader: Reader, endpoints: Iterable[TenantKey], ids: list[str]) -> list[Row]:
    """`workspace_id` and `endpoint_id` of those of these deliveries that belong to one of the endpoints."""
    endpoints = list(endpoints)
    if not endpoints or not ids:
        return []
    return await reader.fetch_all(
        _LOCATE,
        ids=ids,
        workspace_ids=list({endpoint["workspace_id"] for endpoint in endpoints}),
        endpoint_ids=[endpoint["id"] for endpoint in endpoints],
    )


_d = webhook_deliveries.c
_LOCATE = Statement(
    sa.select(_d.workspace_id, _d.endpoint_id).where(
        any_of(_d.workspace_id, "workspace_ids", IdList()),
        any_of(_d.endpoint_id, "endpoint_ids", IdList()),
        any_of(_d.id, "ids", IdList()),
    )
)
