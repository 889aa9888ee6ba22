"""The agents of a workspace: apps that are mentionable, installed there, and not suspended."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import IdList
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.installations.tables import INSTALLED, installations


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification needs of an agent."""

    client_id: str
    receives_own_events: bool
    installation_id: str | None  # None when it isn't installed any more, so that it receives no webhook


class Agent(Recipient, frozen=True, kw_only=True):
    """An agent of a workspace."""

    installation_id: str
    app_id: str
    bot_user_id: str
    project_ids: list[str] | None  # the only projects that it may access; None for all
    slug: str
    name: str
    short_description: str
    logo_url: str | None


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


async def list_agents(reader: Reader, workspace_id: str) -> list[Agent]:
    """Every agent of the workspace, by name."""
    return [Agent(**row) for row in await reader.fetch_all(_ALL, workspace_id=workspace_id)]


async def find_agents(reader: Reader, workspace_id: str, user_ids: Iterable[str]) -> dict[str, Agent]:
    """The agents among these users, by user id."""
    ids = list(user_ids)
    found = await reader.fetch_all(_BY_USER, workspace_id=workspace_id, ids=ids) if ids else []
    return {row["bot_user_id"]: Agent(**row) for row in found}


async def find_agent_by_slug(reader: Reader, workspace_id: str, slug: str) -> Agent | None:
    """The agent with this slug (wire: `agent_slug`)."""
    found = await reader.fetch_one(_BY_SLUG, workspace_id=workspace_id, slug=slug)
    return Agent(**found) if found else None


def reaches(agent: Agent, project_id: str | None) -> bool:
    """Whether the agent's installation may access the project; always for None."""
    return agent.project_ids is None or project_id is None or project_id in agent.project_ids
