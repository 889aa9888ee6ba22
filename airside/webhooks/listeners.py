"""Computers that hear an app's webhooks through `airside listen`, known by name, also while they are away.

A listener hears through an endpoint in each workspace that installed the app, made like any other, so what it is
told, what is kept from it and what the log shows is decided where it is for all. Only the way is another: nothing
can be posted to a laptop, so a delivery waits (`forward_at`) until the laptop asks for it; see forward.py.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, IdList, Instant, Row, new_id
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.runtime.site import Site
from airside.webhooks.endpoints import NOT_LISTENING, SWITCHED_ON, create_endpoint, disable_endpoint
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints, webhook_listeners

KEPT = timedelta(days=5)  # after its last sign of life; as long as an endpoint that fails is tried
TOUCH_EVERY = timedelta(seconds=10)  # `seen_at` is written no more often


def wake_up_of(listener_id: str) -> str:
    """The wake-up when something may be due for it."""
    return f"webhooks.forward.{listener_id}"


def spell_url(name: str) -> str:
    """What stands as URL of its endpoints: an address that nothing can be posted to, by mistake either."""
    return f"listen:{name}"


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
) -> Row:
    """The person's listener of this name, made or taken up again; what waits for it is handed to `session` from
    now on, also what an earlier session left unanswered."""
    keys = {"workspace_id": workspace_id, "app_id": app_id, "user_id": user_id, "name": name}
    told = {"forward_to": forward_to, "event_names": event_names, "session": session}
    told |= {"seen_at": now, "ended_at": None}
    found = await tx.find(webhook_listeners, **keys)
    if found is None:
        row = {"id": new_id(), **keys, **told, "created_at": now}
        await tx.insert(webhook_listeners, row)
        return row
    await tx.update(webhook_listeners, told, workspace_id=workspace_id, id=found["id"])
    if found["session"] != session:
        await tx.execute(_RELEASE, **await _places(tx, found["id"]))
    return found | told


async def listen_in(
    tx: Transaction,
    listener: Row,
    *,
    workspace_id: str,
    installation_id: str,
    event_names: list[str] | None,
    now: datetime,
    **told: Any,
) -> None:
    """Make the listener hear one installation; what limits this one has to be carried over afterwards.

    `told` is what the app's registration says, as `create_endpoint` takes it."""
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
        **told,
    )


async def find_listener(reader: Reader, workspace_id: str, listener_id: str) -> Row | None:
    """Also one that has ended."""
    return await reader.find(webhook_listeners, workspace_id=workspace_id, id=listener_id)


async def list_listeners(reader: Reader, workspace_id: str, app_id: str) -> list[Row]:
    """Those of an app that haven't ended, oldest first."""
    return await reader.fetch_all(_LIVE, workspace_id=workspace_id, app_id=app_id)


async def list_endpoints_of_listener(reader: Reader, listener_id: str) -> list[Row]:
    """Through which it hears and heard."""
    return await reader.fetch_all(_ENDPOINTS, listener_id=listener_id)


async def count_waiting(reader: Reader, listener_id: str) -> int:
    """How much waits for it, due or not."""
    return await reader.fetch_value(_COUNT, **await _places(reader, listener_id)) or 0


async def touch_listener(tx: Transaction, listener: Row, now: datetime) -> None:
    """Note a sign of life."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"seen_at": now}, **keys)


async def leave_session(tx: Transaction, listener: Row) -> None:
    """Hand its session nothing more; what it left unanswered is for the next one, at once."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"session": new_id()}, **keys)
    await tx.execute(_RELEASE, **await _places(tx, listener["id"]))


async def end_listener(tx: Transaction, listener: Row, now: datetime) -> None:
    """Nothing more is kept for it, and what waits is cancelled; the log stays, and it may come back."""
    keys = {"workspace_id": listener["workspace_id"], "id": listener["id"]}
    await tx.update(webhook_listeners, {"ended_at": now}, **keys)
    for endpoint in await list_endpoints_of_listener(tx, listener["id"]):
        if endpoint["deleted_at"] is None:
            await disable_endpoint(tx, endpoint["workspace_id"], endpoint["id"], NOT_LISTENING, now)


async def end_forgotten(site: Site) -> int:
    """End those that nobody has come back to; how many."""
    now = site.clock.now()
    forgotten = await site.db.fetch_all(_FORGOTTEN, before=now - KEPT)
    for listener in forgotten:
        async with site.db.transaction() as tx:
            await end_listener(tx, listener, now)
    return len(forgotten)


async def _places(reader: Reader, listener_id: str) -> dict[str, list[str]]:
    return places_of(await list_endpoints_of_listener(reader, listener_id))


def places_of(endpoints: Iterable[Row]) -> dict[str, list[str]]:
    """The parameters that name these endpoints' rows."""
    endpoints = list(endpoints)
    return {
        "workspace_ids": list({endpoint["workspace_id"] for endpoint in endpoints}),
        "endpoint_ids": [endpoint["id"] for endpoint in endpoints],
    }


_l, _e, _d = webhook_listeners.c, webhook_endpoints.c, webhook_deliveries.c
_of_listener = _e.listener_id == sa.bindparam("listener_id", type_=Id())
_ENDPOINTS = Statement(sa.select(webhook_endpoints).where(_of_listener).order_by(_e.id))
_ENDPOINT_IN = Statement(
    sa.select(_e.id).where(
        _of_listener,
        _e.installation_id == sa.bindparam("installation_id", type_=Id()),
        _e.deleted_at.is_(None),
    )
)
_LIVE = Statement(
    sa.select(webhook_listeners)
    .where(
        _l.workspace_id == sa.bindparam("workspace_id", type_=Id()),
        _l.app_id == sa.bindparam("app_id", type_=Id()),
        _l.ended_at.is_(None),
    )
    .order_by(_l.id)
)
_FORGOTTEN = Statement(
    sa.select(webhook_listeners).where(
        _l.ended_at.is_(None), _l.seen_at < sa.bindparam("before", type_=Instant())
    )
)
_waits = (
    any_of(_d.workspace_id, "workspace_ids", IdList()),
    any_of(_d.endpoint_id, "endpoint_ids", IdList()),
    _d.forward_at.is_not(None),
)
_COUNT = Statement(sa.select(sa.func.count().label("count")).select_from(webhook_deliveries).where(*_waits))
_RELEASE = Statement(  # of a window at most, whatever waits behind it
    sa.update(webhook_deliveries).where(*_waits, _d.leased_until.is_not(None)).values(leased_until=None)
)
