"""An app's usage per hour: its API requests, flushed to the database every few seconds, and its deliveries."""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from airside.db.away import DatabaseAway
from airside.db.base import IdList, Instant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of, hour_of
from airside.developer.deliveries import list_app_endpoints
from airside.developer.tables import app_usage
from airside.installations.tables import installations
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries

FLUSH_SECONDS = 10.0
KEEP = timedelta(days=90)

_log = structlog.get_logger("airside.apps")


class Hour(NamedTuple):
    """Usage in one hour of UTC; `undelivered` counts deliveries that are failed, cancelled or missed."""

    at: datetime
    requests: int = 0
    errors: int = 0
    delivered: int = 0
    undelivered: int = 0


async def keep_usage(site: Site, stop: asyncio.Event) -> None:
    """Flush this process's counts periodically, until `stop` is set."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await stop.wait()
        except TimeoutError:
            pass
        await flush_usage(site)


async def flush_usage(site: Site) -> None:
    """Add the counts to the current hour. While the database is unreachable, they stay in memory."""
    taken = site.app_calls.take()
    if not taken:
        return
    hour = floor_hour(site.clock.now())
    try:
        async with site.db.transaction() as tx:
            for workspace_id, app_id in sorted(taken):  # in a fixed order, so that processes don't deadlock
                requests, errors = taken[workspace_id, app_id]
                keys = {"workspace_id": workspace_id, "app_id": app_id, "hour": hour}
                await tx.execute(_ADD, **keys, requests=requests, errors=errors)
    except DatabaseAway:  # logged already
        site.app_calls.give_back(taken)
    except Exception:  # noqa: BLE001 - a failed flush must not stop the server
        _log.exception("usage_not_written")
        site.app_calls.give_back(taken)


async def purge_usage(site: Site) -> int:
    """Delete usage older than 90 days; returns how many rows."""
    async with site.db.transaction() as tx:
        return await tx.execute(_PURGE, before=site.clock.now() - KEEP)


async def list_usage(reader: Reader, app_id: str, since: datetime) -> list[Hour]:
    """Usage per hour, oldest first, over all workspaces that ever installed the app; empty hours are omitted."""
    found: dict[datetime, Hour] = {}
    installed = await reader.find_all(installations, app_id=app_id)
    workspace_ids = list({row["workspace_id"] for row in installed})
    for row in await reader.fetch_all(_CALLS, workspace_ids=workspace_ids, app_id=app_id, since=since):
        found[row["hour"]] = Hour(row["hour"], int(row["requests"]), int(row["errors"]))
    endpoints = await list_app_endpoints(reader, app_id)
    rows = await reader.fetch_all(
        _DELIVERED,
        workspace_ids=workspace_ids,
        endpoint_ids=[endpoint["id"] for endpoint in endpoints],
        since=since,
    )
    for row in rows:
        at = datetime.fromisoformat(f"{row['hour']}:00:00+00:00")
        found[at] = _add_deliveries(found.get(at, Hour(at)), row["status"], row["total"])
    return sorted(found.values())


def floor_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _add_deliveries(hour: Hour, status: str, total: int) -> Hour:
    if status == "delivered":
        return hour._replace(delivered=hour.delivered + total)
    if status == "pending":  # not decided yet
        return hour
    return hour._replace(undelivered=hour.undelivered + total)


def _add() -> Statement:
    # Both dialects spell the upsert alike, but Core has it only in their own modules, so it is written out.
    text = sa.text(
        "INSERT INTO app_usage (workspace_id, app_id, hour, requests, errors) "
        "VALUES (:workspace_id, :app_id, :hour, :requests, :errors) "
        "ON CONFLICT (workspace_id, app_id, hour) DO UPDATE "
        "SET requests = app_usage.requests + :requests, errors = app_usage.errors + :errors"
    )
    return Statement(
        text.bindparams(*(sa.bindparam(column.name, type_=column.type) for column in app_usage.c))
    )


_u, _d = app_usage.c, webhook_deliveries.c
_since = sa.bindparam("since", type_=Instant())
_ADD = _add()
_PURGE = Statement(sa.delete(app_usage).where(_u.hour < sa.bindparam("before", type_=Instant())))
_CALLS = Statement(
    sa.select(_u.hour, sa.func.sum(_u.requests).label("requests"), sa.func.sum(_u.errors).label("errors"))
    .where(
        any_of(_u.workspace_id, "workspace_ids", IdList()),
        _u.app_id == sa.bindparam("app_id", type_=_u.app_id.type),
        _u.hour >= _since,
    )
    .group_by(_u.hour)
)
_hour = hour_of(_d.created_at).label("hour")
_DELIVERED = Statement(
    sa.select(_hour, _d.status, sa.func.count().label("total"))
    .where(
        any_of(_d.workspace_id, "workspace_ids", IdList()),
        any_of(_d.endpoint_id, "endpoint_ids", IdList()),
        _d.created_at >= _since,
    )
    .group_by(hour_of(_d.created_at), _d.status)
)
