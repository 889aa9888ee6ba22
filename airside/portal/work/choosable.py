"""The projects to which an app can be given access."""

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.installations.project_choice import MAX_PROJECTS
from airside.runtime.site import Site
from airside.work.projects.tables import projects


async def list_choosable(site: Site, workspace_id: str) -> list[Row]:
    """By name: `id`, `name`, `identifier`."""
    if not is_id(workspace_id):
        return []
    return await site.db.fetch_all(_ALL, workspace_id=workspace_id, limit=MAX_PROJECTS)


_ALL = Statement(
    sa.select(projects.c.id, projects.c.name, projects.c.identifier)
    .where(
        tenant(projects),
        live(projects),
        projects.c.archived_at.is_(None),
    )
    .order_by(projects.c.name, projects.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
)
