"""Last activity and health of installed apps, from their tokens and webhook deliveries."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.installations.tables import INSTALLED, InstallationRow
from airside.oauth.tables import access_tokens, token_families
from airside.webhooks.endpoints import FAILING, GONE, NO_URL
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints


class Activity(msgspec.Struct, frozen=True):
    """`health` is a sentence; `tone` is good, warn, bad or empty."""

    token_at: datetime | None  # when a token was last issued or used, approximate
    delivered_at: datetime | None  # when a webhook was last delivered
    tone: str
    health: str

    @property
    def last_at(self) -> datetime | None:
        return max((at for at in (self.token_at, self.delivered_at) if at is not None), default=None)


async def find_activity(
    reader: Reader, workspace_id: str, installed: Sequence[InstallationRow]
) -> dict[str, Activity]:
    """Installation id → its activity, in four statements regardless of how many there are."""
    ids = [row["id"] for row in installed]
    webhook_ids = [row["webhook_id"] for row in installed if row["webhook_id"] is not None]
    issued = await _read(reader, _ISSUED, ids=ids)
    used = await _read(reader, _USED, ids=ids)
    arrived = await _read(reader, _ARRIVED, ids=webhook_ids, workspace_id=workspace_id)
    endpoints = {
        row["id"]: row
        for row in await reader.fetch_all(_ENDPOINTS, ids=webhook_ids, workspace_id=workspace_id)
    }
    found: dict[str, Activity] = {}
    for row in installed:
        tokens = [at for at in (issued.get(row["id"]), used.get(row["id"])) if at is not None]
        delivered_at = arrived.get(row["webhook_id"] or "")
        tone, health = _assess_health(row, endpoints.get(row["webhook_id"]), delivered_at)
        found[row["id"]] = Activity(max(tokens, default=None), delivered_at, tone, health)
    return found


def _assess_health(
    installation: InstallationRow, endpoint: Row | None, delivered_at: datetime | None
) -> tuple[str, str]:
    if installation["status"] != INSTALLED:
        return "warn", "Suspended"
    if endpoint is None or endpoint["disabled_reason"] == NO_URL:
        return "", "Has no webhook"
    if not endpoint["is_active"]:
        reasons = {GONE: "Its webhook is gone", FAILING: "Its webhook failed for too long and is off"}
        return "bad", reasons.get(endpoint["disabled_reason"], "Its webhook is off")
    if endpoint["first_failure_at"] is not None:
        return "bad", "Its webhook doesn't answer"
    return ("good", "Its webhooks arrive") if delivered_at else ("", "Nothing sent yet")


async def _read(reader: Reader, statement: Statement, **keys: object) -> dict[str, datetime | None]:
    return {row["id"]: row["at"] for row in await reader.fetch_all(statement, **keys)}


def _latest(at: sa.Column[datetime]) -> sa.Label[datetime]:
    return sa.func.max(at, type_=at.type).label("at")


_ISSUED = Statement(
    sa.select(access_tokens.c.installation_id.label("id"), _latest(access_tokens.c.created_at))
    .where(any_of(access_tokens.c.installation_id, "ids"))
    .group_by(access_tokens.c.installation_id)
)
_USED = Statement(
    sa.select(token_families.c.installation_id.label("id"), _latest(token_families.c.last_used_at))
    .where(any_of(token_families.c.installation_id, "ids"))
    .group_by(token_families.c.installation_id)
)
_ARRIVED = Statement(
    sa.select(webhook_deliveries.c.endpoint_id.label("id"), _latest(webhook_deliveries.c.completed_at))
    .where(
        tenant(webhook_deliveries),
        any_of(webhook_deliveries.c.endpoint_id, "ids"),
        webhook_deliveries.c.status == sa.literal_column("'delivered'"),
    )
    .group_by(webhook_deliveries.c.endpoint_id)
)
_ENDPOINTS = Statement(
    sa.select(webhook_endpoints).where(
        tenant(webhook_endpoints),
        any_of(webhook_endpoints.c.id, "ids"),
    )
)
