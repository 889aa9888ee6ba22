"""Listeners: computers that receive an app's webhooks through `airside listen`, kept by name while disconnected.

A listener has an ordinary endpoint in each workspace that installed the app, so fan-out, permissions and the log
treat it like any other. Only the transport differs: nothing can be posted to a laptop, so a delivery waits
(`forward_at`) until the laptop fetches it; see forward.py.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypedDict

import sqlalchemy as sa

from airside.db.base import Id, IdList, Instant, TenantKey, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.runtime.site import Site
from airside.webhooks.endpoints import NOT_LISTENING, SWITCHED_ON, create_endpoint, disable_endpoint
from airside.webhooks.tables import (
    EndpointRow,
    ListenerRow,
    webhook_deliveries,
    webhook_endpoints,
    webhook_listeners,
)

KEPT = timedelta(days=5)  # after its last request; as long as a failing endpoint is tried
TOUCH_EVERY = timedelta(seconds=10)  # `seen_at` is written no more often


def wake_up_of(listener_id: str) -> str:
    """The wake-up for when a delivery may be due for it."""
    return f"webhooks.forward.{listener_id}"


def spell_url(name: str) -> str:
    """The URL of its endpoints: one that nothing can be posted to, even by mistake."""
    return f"listen:{name}"


class _Resumed(TypedDict):
    """The columns of a listener that each run of the command sets."""

    forward_to: str
    event_names: list[str] | None
    session: str
    seen_at: datetime
    ended_at: datetime | None


class Place(TypedDict):
    """The query parameters that select the rows of some endpoints."""

    workspace_ids: list[str]
    endpoint_ids: list[str]


async def put_listener(
    tx: Transaction,
    *,
    workspace_id: str,
    app_id: str,
    user_id: str,
    name: str,
    forward_to: str,
    event_names: list[str] | None,
    session: str,
    now: datetime,
) -> ListenerRow:
    """Create or resume the user's listener of this name. Its pending deliveries go to `session` from now on,
    including those that an earlier session was handed and didn't report on."""
    keys = {"workspace_id": workspace_id, "app_id": app_id, "user_id": user_id, "name": name}
    changes: _Resumed = {
        "forward_to": forward_to,
        "event_names": event_names,
        "session": session,
        "seen_at": now,
        "ended_at": None,
    }
    found = await tx.find(webhook_listeners, **keys)
    if found is None:
        row: ListenerRow = {
            "workspace_id": workspace_id,
            "id": new_id(),
            "app_id": app_id,
            "user_id": user_id,
            "name": name,
            **changes,
            "created_at": now,
        }
        await tx.insert(webhook_listeners, row)
        return row
    await tx.update(webhook_listeners, changes, workspace_id=workspace_id, id=found["id"])
    if found["session"] != session:
        await tx.execute(_RELEASE, **await _places(tx, found["id"]))
    return {**found, **changes}


async def listen_in(
    tx: Transaction,
    listener: ListenerRow,
    *,
    workspace_id: str,
    installation_id: str,
    event_names: list[str] | None,
    now: datetime,
    **registration: Any,
) -> None:
    """Subscribe the listener to one installation; the caller then copies the installation's limits (reach.py).

    `registration`: further arguments of `create_endpoint`, from the app's registration."""
    found = await tx.fetch_one(_ENDPOINT_IN, listener_id=listener["id"], installation_id=installation_id)
    if found is not None:
        changes = SWITCHED_ON | {"event_names": event_names, "updated_at": now}
        await tx.update(webhook_endpoints, changes, workspace_id=workspace_id, id=found["id"])
        return
    await create_endpoint(
        tx,
        workspace_id=workspace_id,
        installation_id=installation_id,
        listener_id=listener["id"],
        url=spell_url(listener["name"]),
        by_user_id=listener["user_id"],
        event_names=event_names,
        now=now,
        **registration,
    )


async def find_listener(reader: Reader, workspace_id: str, listener_id: str) -> ListenerRow | None:
    """Also one that has ended."""
    return await reader.find(webhook_listeners, workspace_id=workspace_id, id=listener_id)


async def list_listeners(reader: Reader, workspace_id: str, app_id: str) -> list[ListenerRow]:
    """An app's listeners that haven't ended, oldest first."""
    return await reader.fetch_all(_LIVE, workspace_id=workspace_id, app_id=app_id)


async def list_endpoints_of_listener(reader: Reader, listener_id: str) -> list[EndpointRow]:
    """All its endpoints, deleted ones too."""
    return await reader.fetch_all(_ENDPOINTS, listener_id=listener_id)


async def count_waiting(reader: Reader, listener_id: str) -> int:
    """The number of its pending deliveries, due or not."""
    return await reader.fetch_value(_COUNT, **await _places(reader, listener_id)) or 0


async def touch_listener(tx: Transaction, listener: ListenerRow, now: datetime) -> None:
    """Update when it was last seen."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"seen_at": now}, **keys)


async def leave_session(tx: Transaction, listener: ListenerRow) -> None:
    """End its session; deliveries that were handed over and not reported on go to the next session at once."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"session": new_id()}, **keys)
    await tx.execute(_RELEASE, **await _places(tx, listener["id"]))


async def end_listener(tx: Transaction, listener: ListenerRow, now: datetime) -> None:
    """Disable its endpoints and cancel its pending deliveries; the log is kept, and it can be resumed."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"ended_at": now}, **keys)
    for endpoint in await list_endpoints_of_listener(tx, listener["id"]):
        if endpoint["deleted_at"] is None:
            await disable_endpoint(tx, endpoint["workspace_id"], endpoint["id"], NOT_LISTENING, now)


async def end_forgotten(site: Site) -> int:
    """End the listeners that haven't been seen for KEPT; returns how many."""
    now = site.clock.now()
    forgotten = await site.db.fetch_all(_FORGOTTEN, before=now - KEPT)
    for listener in forgotten:
        async with site.db.transaction() as tx:
            await end_listener(tx, listener, now)
    return len(forgotten)


async def _places(reader: Reader, listener_id: str) -> Place:
    return places_of(await list_endpoints_of_listener(reader, listener_id))


def places_of(endpoints: Iterable[TenantKey]) -> Place:
    endpoints = list(endpoints)
    return {
        "workspace_ids": list({endpoint["workspace_id"] for endpoint in endpoints}),
        "endpoint_ids": [endpoint["id"] for endpoint in endpoints],
    }


_l, _e, _d = webhook_listeners.c, webhook_endpoints.c, webhook_deliveries.c
_of_listener = _e.listener_id == sa.bindparam("listener_id", type_=Id())
_ENDPOINTS = Statement(sa.select(webhook_endpoints).where(_of_listener).order_by(_e.id), EndpointRow)
_ENDPOINT_IN = Statement(
    sa.select(_e.id).where(
        _of_listener,
        _e.installation_id == sa.bindparam("installation_id", type_=Id()),
        live(webhook_endpoints),
    )
)
_LIVE = Statement(
    sa.select(webhook_listeners)
    .where(
        tenant(webhook_listeners),
        _l.app_id == sa.bindparam("app_id", type_=Id()),
        _l.ended_at.is_(None),
    )
    .order_by(_l.id),
    ListenerRow,
)
_FORGOTTEN = Statement(
    sa.select(webhook_listeners).where(
        _l.ended_at.is_(None), _l.seen_at < sa.bindparam("before", type_=Instant())
    ),
    ListenerRow,
)
_waits = (
    any_of(_d.workspace_id, "workspace_ids", IdList()),
    any_of(_d.endpoint_id, "endpoint_ids", IdList()),
    _d.forward_at.is_not(None),
)
_COUNT = Statement(sa.select(sa.func.count().label("count")).select_from(webhook_deliveries).where(*_waits))
_RELEASE = Statement(  # leased rows only: at most a window of them
    sa.update(webhook_deliveries).where(*_waits, _d.leased_until.is_not(None)).values(leased_until=None)
)
