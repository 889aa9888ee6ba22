"""The delivery log as people and apps read it, and sending something again."""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Id, IdList, Row
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.errors import NotFound, Refused
from airside.events.catalog import get_kind
from airside.events.tables import events
from airside.wakeups import Wakeups
from airside.webhooks.queue import DELIVER
from airside.webhooks.tables import webhook_attempts, webhook_deliveries, webhook_endpoints

PAGE = 50


async def list_deliveries(
    reader: Reader, endpoints: list[Row], *, limit: int = PAGE, before: str | None = None
) -> list[Row]:
    """The newest deliveries of these endpoints, on from the delivery with the id `before`.

    Each has `event` and `action` as its version words them, `state` (pending, retrying, delivered, failed or
    cancelled), `attempt_count`, `url`, and `http_status`, `duration_ms` and `error` of its last attempt."""
    if not endpoints:
        return []
    keys = {
        "workspace_ids": list({endpoint["workspace_id"] for endpoint in endpoints}),
        "endpoint_ids": [endpoint["id"] for endpoint in endpoints],
    }
    rows = await reader.fetch_all(_NEWEST, before=before or _LAST_ID, limit=limit, **keys)
    return [_as_told(row) for row in rows]


async def find_delivery(reader: Reader, workspace_id: str, delivery_id: str) -> Row | None:
    """One delivery with the fields of `list_deliveries`."""
    row = await reader.fetch_one(_ONE, in_workspace=workspace_id, delivery=delivery_id)
    return None if row is None else _as_told(row)


async def list_attempts(reader: Reader, workspace_id: str, delivery_id: str) -> list[Row]:
    """Its attempts from the first, each with its `number`; headers are lists of name and value."""
    rows = await reader.fetch_all(_ATTEMPTS, in_workspace=workspace_id, delivery=delivery_id)
    return [{**row, "number": number} for number, row in enumerate(rows, start=1)]


async def redeliver(
    tx: Transaction, wakeups: Wakeups, *, workspace_id: str, delivery_id: str, now: datetime
) -> None:
    """Send it again as soon as possible, with the same event id and a whole new schedule of retries.

    Nothing changes for one that is being sent right now. Raises NotFound, or Refused when nobody listens."""
    delivery = await tx.lock(webhook_deliveries, workspace_id=workspace_id, id=delivery_id)
    if delivery is None:
        raise NotFound
    endpoint = await tx.find(webhook_endpoints, workspace_id=workspace_id, id=delivery["endpoint_id"])
    if endpoint is None or endpoint["deleted_at"] is not None or not endpoint["is_active"]:
        raise Refused("This webhook is switched off, so nothing can be sent to it.")
    if endpoint["is_suspended"]:
        raise Refused("The app is suspended in this workspace, so nothing can be sent to it.")
    if delivery["leased_until"] is not None and delivery["leased_until"] > now:
        return
    changes = {
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": now,
        "leased_until": None,
        "completed_at": None,
    }
    await tx.update(webhook_deliveries, changes, workspace_id=workspace_id, id=delivery_id)
    tx.on_commit(lambda: wakeups.wake(DELIVER))


def _as_told(row: Row) -> Row:
    is_retrying = row["status"] == "pending" and row["attempt_count"] > 0
    return {
        **row,
        "event": row["event_name"],
        "action": get_kind(row["name"]).v1_action if row["version"] == "v1" else "",
        "state": "retrying" if is_retrying else row["status"],
    }


_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_d, _a = webhook_deliveries.c, webhook_attempts.c


def _with_last_attempt() -> sa.Select[tuple[object, ...]]:
    last, counted = webhook_attempts.alias("last"), webhook_attempts.alias("counted")
    last_id = (
        sa.select(_a.id)
        .where(_a.workspace_id == _d.workspace_id, _a.delivery_id == _d.id)
        .order_by(_a.id.desc())
        .limit(sa.literal_column("1"))
        .correlate(webhook_deliveries)
        .scalar_subquery()
    )
    count = (
        sa.select(sa.func.count())
        .select_from(counted)
        .where(counted.c.workspace_id == _d.workspace_id, counted.c.delivery_id == _d.id)
        .scalar_subquery()
    )
    joined = (
        webhook_deliveries.join(
            events, sa.and_(events.c.workspace_id == _d.workspace_id, events.c.id == _d.event_id)
        )
        .join(
            webhook_endpoints,
            sa.and_(
                webhook_endpoints.c.workspace_id == _d.workspace_id, webhook_endpoints.c.id == _d.endpoint_id
            ),
        )
        .outerjoin(last, sa.and_(last.c.workspace_id == _d.workspace_id, last.c.id == last_id))
    )
    return sa.select(
        webhook_deliveries,
        events.c.name,
        events.c.entity_id,
        webhook_endpoints.c.url,
        webhook_endpoints.c.installation_id,
        count.label("attempt_count"),
        last.c.response_status.label("http_status"),
        last.c.duration_ms,
        last.c.error,
    ).select_from(joined)


_NEWEST = Statement(
    _with_last_attempt()
    .where(
        any_of(_d.workspace_id, "workspace_ids", IdList()),
        any_of(_d.endpoint_id, "endpoint_ids", IdList()),
        _d.id < sa.bindparam("before", type_=Id()),
    )
    .order_by(_d.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer()))
)
_in_workspace = sa.bindparam("in_workspace", type_=Id())
_delivery = sa.bindparam("delivery", type_=Id())
_ONE = Statement(_with_last_attempt().where(_d.workspace_id == _in_workspace, _d.id == _delivery))
_ATTEMPTS = Statement(
    sa.select(webhook_attempts)
    .where(_a.workspace_id == _in_workspace, _a.delivery_id == _delivery)
    .order_by(_a.started_at, _a.id)
)
