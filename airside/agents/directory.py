"""The agents of a workspace: apps that are mentionable, installed there, and not suspended."""

from collections.abc import Iterable

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import IdList, Row
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.installations.tables import INSTALLED, installations

_i = installations.c
_AGENTS = (
    sa.select(
        *(_i.id.label("installation_id"), _i.app_id, _i.bot_user_id, _i.project_ids),
        *(apps.c.client_id, apps.c.slug, apps.c.name, apps.c.short_description, apps.c.logo_url),
        apps.c.receives_own_events,
    )
    .join_from(installations, apps, apps.c.id == _i.app_id)
    .where(
        tenant(installations),
        _i.status == INSTALLED,
        live(installations),
        apps.c.is_mentionable,
        live(apps),
    )
)
_ALL = Statement(_AGENTS.order_by(apps.c.name, _i.id))
_BY_USER = Statement(_AGENTS.where(any_of(_i.bot_user_id, "ids", IdList())).order_by(_i.id))
_BY_SLUG = Statement(_AGENTS.where(apps.c.slug == sa.bindparam("slug")))


async def list_agents(reader: Reader, workspace_id: str) -> list[Row]:
    """Every agent of the workspace, by name: `bot_user_id`, `name`, `logo_url` …"""
    return await reader.fetch_all(_ALL, workspace_id=workspace_id)


async def find_agents(reader: Reader, workspace_id: str, user_ids: Iterable[str]) -> dict[str, Row]:
    """The agents among these users, by user id."""
    ids = list(user_ids)
    found = await reader.fetch_all(_BY_USER, workspace_id=workspace_id, ids=ids) if ids else []
    return {row["bot_user_id"]: row for row in found}


async def find_agent_by_slug(reader: Reader, workspace_id: str, slug: str) -> Row | None:
    """The agent with this slug (wire: `agent_slug`)."""
    return await reader.fetch_one(_BY_SLUG, workspace_id=workspace_id, slug=slug)


def reaches(agent: Row, project_id: str | None) -> bool:
    """Whether the agent's installation may access the project; always for None."""
    return agent["project_ids"] is None or project_id is None or project_id in agent["project_ids"]
