"""Webhook endpoints: an installed app's webhook URL, or a webhook of the workspace itself."""

from datetime import datetime
from typing import Any, TypedDict

import sqlalchemy as sa

from airside.db.base import Id, IdList, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.webhooks.cancel import cancel_deliveries
from airside.webhooks.tables import EndpointRow, webhook_endpoints

NO_URL = "no_url"  # disabled_reason: the app has no webhook URL any more
GONE = "gone"  # disabled_reason: it responded 410
FAILING = "failing"  # disabled_reason: it failed for five days; events are recorded as missed from then on
OFF = "off"  # disabled_reason: somebody disabled it
NOT_LISTENING = "not_listening"  # disabled_reason: `airside listen` hasn't been run there for too long


async def create_endpoint(
    tx: Transaction,
    *,
    workspace_id: str,
    installation_id: str | None,
    url: str,
    version: str,
    secret_sealed: str,
    title: str,
    by_user_id: str | None,
    now: datetime,
    ignored_actor_id: str | None = None,
    **choices: Any,
) -> str:
    """Create an enabled endpoint; returns its id. The secret is sealed for `signing.SECRET`.

    `ignored_actor_id`: this user's changes aren't sent. `choices`: further columns."""
    endpoint_id = new_id()
    row = {
        "workspace_id": workspace_id,
        "id": endpoint_id,
        "installation_id": installation_id,
        "title": title,
        "url": url,
        "version": version,
        "secret_sealed": secret_sealed,
        "ignored_actor_id": ignored_actor_id,
        "is_active": True,
        **choices,
        "created_at": now,
        "updated_at": now,
        "created_by_id": by_user_id,
        "updated_by_id": by_user_id,
    }
    await tx.insert(webhook_endpoints, row)
    return endpoint_id


async def update_endpoints_of(
    tx: Transaction,
    installation_id: str,
    *,
    url: str | None,
    version: str,
    now: datetime,
    ignored_actor_id: str | None = None,
    **choices: Any,
) -> int:
    """Copy an app's changed registration to its live endpoints; returns how many there were. `choices` are further
    columns, such as the secrets.

    It creates none. Without a URL they are disabled and their pending deliveries cancelled. A new URL enables an
    endpoint again, even if it was disabled for failures of the old URL. Endpoints of `airside listen` are not
    affected by the URL."""
    endpoints = await tx.fetch_all(_LIVE_OF_INSTALLATION, installation_id=installation_id)
    for endpoint in endpoints:
        own = endpoint["listener_id"] is not None
        chosen = {name: value for name, value in choices.items() if not (own and name == "event_names")}
        changes = {"version": version, "ignored_actor_id": ignored_actor_id, **chosen, "updated_at": now}
        if not own:
            changes |= _as_listening(endpoint, url)
        keys = {"workspace_id": endpoint["workspace_id"], "id": endpoint["id"]}
        await tx.update(webhook_endpoints, changes, **keys)
        if url is None and endpoint["listener_id"] is None:
            await cancel_deliveries(tx, endpoint["workspace_id"], endpoint["id"], now)
    return len(endpoints)


def _as_listening(endpoint: EndpointRow, url: str | None) -> Row:
    if url is None:
        return {"url": endpoint["url"], "is_active": False, "disabled_reason": NO_URL}
    if url != endpoint["url"] or endpoint["disabled_reason"] == NO_URL:
        return {"url": url} | SWITCHED_ON
    return {}


async def end_endpoint(tx: Transaction, workspace_id: str, endpoint_id: str, now: datetime) -> None:
    """Delete the endpoint: nothing more is sent to it, and its pending deliveries are cancelled."""
    changes = {"is_active": False, "deleted_at": now, "updated_at": now}
    await tx.update(webhook_endpoints, changes, workspace_id=workspace_id, id=endpoint_id)
    await cancel_deliveries(tx, workspace_id, endpoint_id, now)


async def end_endpoints_of(tx: Transaction, installation_id: str, now: datetime) -> None:
    """Delete all endpoints of this installation."""
    for endpoint in await tx.fetch_all(_LIVE_OF_INSTALLATION, installation_id=installation_id):
        await end_endpoint(tx, endpoint["workspace_id"], endpoint["id"], now)


async def cancel_deliveries_of(tx: Transaction, installation_id: str, now: datetime) -> None:
    """Cancel every pending delivery of this installation."""
    for endpoint in await tx.fetch_all(_LIVE_OF_INSTALLATION, installation_id=installation_id):
        await cancel_deliveries(tx, endpoint["workspace_id"], endpoint["id"], now)


async def disable_endpoint(
    tx: Transaction, workspace_id: str, endpoint_id: str, reason: str, now: datetime
) -> None:
    """Disable it until it is enabled again; its pending deliveries are cancelled, and can be redelivered."""
    changes = {"is_active": False, "disabled_reason": reason, "updated_at": now}
    await tx.update(webhook_endpoints, changes, workspace_id=workspace_id, id=endpoint_id)
    await cancel_deliveries(tx, workspace_id, endpoint_id, now)


async def enable_endpoint(tx: Transaction, workspace_id: str, endpoint_id: str, now: datetime) -> None:
    """Enable it and reset its failure history; the deliveries that it missed can be redelivered."""
    changes = SWITCHED_ON | {"updated_at": now}
    await tx.update(webhook_endpoints, changes, workspace_id=workspace_id, id=endpoint_id)


class Switched(TypedDict):
    """What `receives_lifecycle_events` reads of an endpoint."""

    disabled_reason: str | None


def receives_lifecycle_events(endpoint: Switched) -> bool:
    """Whether the endpoint receives the events of its own installation, including `app.suspended` and
    `app.uninstalled`; not when it was disabled."""
    return endpoint["disabled_reason"] is None


async def find_endpoint(reader: Reader, workspace_id: str, endpoint_id: str) -> EndpointRow | None:
    """The endpoint unless it has been deleted; a disabled one is found."""
    return await reader.fetch_one(_ONE, workspace_id=workspace_id, id=endpoint_id)


async def list_endpoints(reader: Reader, workspace_id: str) -> list[EndpointRow]:
    """All of a workspace that haven't been deleted, oldest first."""
    return await reader.fetch_all(_OF_WORKSPACE, workspace_id=workspace_id)


async def list_endpoints_of(reader: Reader, installation_ids: list[str]) -> list[EndpointRow]:
    """All endpoints of these installations, deleted ones too, since their deliveries are still shown."""
    return await reader.fetch_all(_OF_INSTALLATIONS, installation_ids=installation_ids)


HEALTHY: Row = {"first_failure_at": None, "warned_percent": 0, "warned_at": None}
SWITCHED_ON: Row = {"is_active": True, "disabled_reason": None, **HEALTHY}

_e = webhook_endpoints.c
_workspace = tenant(webhook_endpoints)
_not_ended = live(webhook_endpoints)
_ONE = Statement(
    sa.select(webhook_endpoints).where(_workspace, _e.id == sa.bindparam("id"), _not_ended), EndpointRow
)
_OF_WORKSPACE = Statement(
    sa.select(webhook_endpoints).where(_workspace, _not_ended).order_by(_e.id), EndpointRow
)
_OF_INSTALLATIONS = Statement(
    sa.select(webhook_endpoints)
    .where(any_of(_e.installation_id, "installation_ids", IdList()))
    .order_by(_e.id),
    EndpointRow,
)
_LIVE_OF_INSTALLATION = Statement(
    sa.select(webhook_endpoints).where(
        _e.installation_id == sa.bindparam("installation_id", type_=Id()), _not_ended
    ),
    EndpointRow,
)
