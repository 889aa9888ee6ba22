"""Finding workspaces: by their slug, and those that somebody belongs to."""

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.storable import is_id, is_storable
from airside.workspaces.tables import workspace_members, workspaces


async def find_workspace(reader: Reader, slug: str) -> Row | None:
    return await reader.fetch_one(_BY_SLUG, slug=slug) if is_storable(slug) else None


async def get_workspace(reader: Reader, workspace_id: str) -> Row:
    """Raises NotFound."""
    found = await reader.fetch_one(_BY_ID, id=workspace_id) if is_id(workspace_id) else None
    if found is None:
        raise NotFound("There is no such workspace.")
    return found


async def list_workspaces_of(reader: Reader, user_id: str) -> list[Row]:
    """The workspaces that the user is an active member of, by name, each with the `role` held there."""
    return await reader.fetch_all(_OF_USER, user_id=user_id)


_live = workspaces.c.deleted_at.is_(None)
_BY_SLUG = Statement(sa.select(workspaces).where(workspaces.c.slug == sa.bindparam("slug"), _live))
_BY_ID = Statement(sa.select(workspaces).where(workspaces.c.id == sa.bindparam("id"), _live))
_OF_USER = Statement(
    sa.select(workspaces, workspace_members.c.role)
    .join_from(workspaces, workspace_members, workspace_members.c.workspace_id == workspaces.c.id)
    .where(workspace_members.c.user_id == sa.bindparam("user_id"), workspace_members.c.is_active, _live)
    .order_by(workspaces.c.name, workspaces.c.id)
)
