"""Which events an installed app may receive: those that its scopes can read, of the projects it has access to.

An installation's limits are copied to its endpoints (`limit_endpoints_of`), so that fan-out and retries needn't
import the packages above. Both check them: deliveries queued before an admin reduced the access must not be sent.
"""

from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import live
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.events.catalog import get_kind
from airside.webhooks.tables import webhook_endpoints

# The columns of `webhook_endpoints` that `may_receive` reads.
LIMITS = (
    webhook_endpoints.c.readable_scopes,
    webhook_endpoints.c.project_ids,
    webhook_endpoints.c.is_suspended,
)
_WIKI = "wiki.pages:read"  # the scope of a page that is in no project


class Limited(TypedDict):
    """The LIMITS of an endpoint."""

    readable_scopes: list[str] | None
    project_ids: list[str] | None
    is_suspended: bool


class Happened(TypedDict):
    """What the limits read of an event."""

    name: str
    project_id: str | None


def may_receive(endpoint: Limited, event: Happened) -> bool:
    """Whether the endpoint's LIMITS permit the event."""
    if endpoint["is_suspended"]:
        return False
    return _is_of_its_projects(endpoint, event) and _is_readable(endpoint, event)


def _is_of_its_projects(endpoint: Limited, event: Happened) -> bool:
    """An event of no project belongs to the workspace, and passes."""
    chosen, project_id = endpoint["project_ids"], event["project_id"]
    return chosen is None or project_id is None or project_id in chosen


def _is_readable(endpoint: Limited, event: Happened) -> bool:
    if endpoint["readable_scopes"] is None:
        return True
    scope = get_kind(event["name"]).scope
    if event["project_id"] is None and event["name"].startswith("page."):
        scope = _WIKI
    return not scope or scope in endpoint["readable_scopes"]


async def limit_endpoints_of(
    tx: Transaction,
    installation_id: str,
    *,
    readable_scopes: list[str] | None,
    project_ids: list[str] | None,
    is_suspended: bool,
) -> None:
    """Copy the installation's limits to its endpoints. None: no such limit."""
    await tx.execute(
        _LIMIT,
        of_installation=installation_id,
        readable_scopes=readable_scopes,
        project_ids=project_ids,
        is_suspended=is_suspended,
    )


_e = webhook_endpoints.c
_LIMIT = Statement(
    sa.update(webhook_endpoints)
    .where(_e.installation_id == sa.bindparam("of_installation", type_=Id()), live(webhook_endpoints))
    .values(
        {
            name: sa.bindparam(name, type_=_e[name].type)
            for name in ("readable_scopes", "project_ids", "is_suspended")
        }
    )
)
