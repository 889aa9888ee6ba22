"""Audits changes to listings, in the log of the author's workspace."""

from typing import Any

from airside.audit.record import OPERATOR, PERSON, record_audit
from airside.db.base import Row
from airside.db.database import Transaction
from airside.runtime.site import Site


async def record_listing(
    tx: Transaction, site: Site, action: str, listing: Row, by_user_id: str | None, **details: Any
) -> None:
    """`by_user_id` None: an operator on the command line."""
    await record_audit(
        tx,
        action,
        site.clock.now(),
        workspace_id=listing["workspace_id"],
        actor_id=by_user_id,
        actor_kind=PERSON if by_user_id else OPERATOR,
        app_id=listing["app_id"],
        target=("listing", listing["id"]),
        details=details,
    )
