"""Publishers verified by the instance's operators: a workspace under one name."""

import sqlalchemy as sa

from airside.audit.record import OPERATOR, PERSON, record_audit
from airside.db.base import Row
from airside.db.database import Reader, UniqueViolation
from airside.db.statements import Statement, any_of
from airside.identity.users import require_operator
from airside.marketplace.snapshot import publisher_of
from airside.marketplace.tables import verified_publishers
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace


async def set_verified(
    site: Site, workspace_id: str, name: str, by_user_id: str | None, *, is_verified: bool
) -> None:
    """Verify the workspace under that name, or end its verification. Idempotent. Raises Forbidden."""
    keys = {"workspace_id": workspace_id, "name": name}
    now = site.clock.now()
    try:
        async with site.db.transaction() as tx:
            if by_user_id is not None:
                await require_operator(tx, by_user_id)
            if (await tx.find(verified_publishers, **keys) is not None) == is_verified:
                return
            if is_verified:
                await tx.insert(
                    verified_publishers, keys | {"verified_at": now, "verified_by_id": by_user_id}
                )
            else:
                await tx.delete(verified_publishers, **keys)
            await record_audit(
                tx,
                "publisher.verified" if is_verified else "publisher.unverified",
                now,
                workspace_id=workspace_id,
                actor_id=by_user_id,
                actor_kind=PERSON if by_user_id else OPERATOR,
                target=("workspace", workspace_id),
                details={"name": name},
            )
    except UniqueViolation:
        return  # a concurrent request inserted it


async def is_verified(reader: Reader, workspace_id: str | None, name: str) -> bool:
    """Whether the workspace is verified under this name. False for an app without a workspace."""
    if workspace_id is None:
        return False
    return await reader.find(verified_publishers, workspace_id=workspace_id, name=name) is not None


async def is_app_verified(reader: Reader, app: Row) -> bool:
    """Whether the app's current publisher is verified."""
    if app["workspace_id"] is None:
        return False
    home = await get_workspace(reader, app["workspace_id"])
    return await is_verified(reader, app["workspace_id"], publisher_of(app, home["name"]))


async def find_verified(reader: Reader, workspace_ids: list[str]) -> set[tuple[str, str]]:
    """Workspace and name of each verified publisher among these workspaces."""
    rows = await reader.fetch_all(_AMONG, ids=list(set(workspace_ids)))
    return {(row["workspace_id"], row["name"]) for row in rows}


_AMONG = Statement(
    sa.select(verified_publishers.c.workspace_id, verified_publishers.c.name).where(
        any_of(verified_publishers.c.workspace_id, "ids")
    )
)
