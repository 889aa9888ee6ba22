"""The topics that a page can watch, each with its authorization rule."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import sqlalchemy as sa

from airside.apps.authors import is_author
from airside.apps.tables import apps
from airside.db.base import Id, Row
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.errors import NotFound
from airside.host.chosen import host_of
from airside.host.protocol import Viewer
from airside.installations.tables import installations
from airside.portal.visit import Visit
from airside.webhooks.tables import webhook_endpoints

MAX_TOPICS = 50  # of one page


async def require_topics(visit: Visit, text: str) -> list[str]:
    """Parse space-separated topics. Raises NotFound, also for a topic that the caller may not see."""
    topics = text.split()
    if not 0 < len(topics) <= MAX_TOPICS:
        raise NotFound(f"Name 1 to {MAX_TOPICS} topics.")
    for topic in topics:
        what, _, named = topic.partition(":")
        rule = RULES.get(what)
        if rule is None or not is_id(named) or not await rule(visit, named):
            raise NotFound("There is no such topic, or it isn't for you.")
    return topics


async def _is_here(visit: Visit, id: str) -> bool:
    return id == visit.workspace_id


async def _may_see_project(visit: Visit, id: str) -> bool:
    return await _may_read(visit, "project", id)


async def _may_see_work_item(visit: Visit, id: str) -> bool:
    return await _may_read(visit, "work_item", id)


async def _may_see_deliveries(visit: Visit, id: str) -> bool:
    """Admins see those of the workspace's webhooks; an app's managers those of the app, in any workspace."""
    keys = {"workspace_id": visit.workspace_id, "id": id}
    if visit.is_admin and await visit.site.db.find(webhook_endpoints, **keys):
        return True
    app = await visit.site.db.fetch_one(_OF_OWN_APP, **keys)
    return app is not None and _may_manage(visit, app)


async def _may_see_app(visit: Visit, id: str) -> bool:
    """People who may manage the app."""
    app = await visit.site.db.find(apps, id=id)
    return app is not None and app["workspace_id"] == visit.workspace_id and _may_manage(visit, app)


def _may_manage(visit: Visit, app: Row) -> bool:
    return visit.may_build and is_author(app, visit.role, visit.user_id)


async def _may_read(visit: Visit, kind: Literal["project", "work_item"], id: str) -> bool:
    viewer = Viewer(visit.workspace_id, visit.user_id, visit.is_admin)
    return await host_of(visit.site).may_read(visit.site, viewer, kind, id)


RULES: Mapping[str, Callable[[Visit, str], Awaitable[bool]]] = {
    "workspace": _is_here,  # anything in it
    "project": _may_see_project,  # anything in it
    "work_item": _may_see_work_item,  # it, its comments and links
    "deliveries": _may_see_deliveries,  # of the webhook endpoint with this id
    "app": _may_see_app,  # its registration, and the use of its secrets
}

_OF_OWN_APP = Statement(
    sa.select(apps.c.created_by_id)
    .join_from(apps, installations, installations.c.app_id == apps.c.id)
    .join(webhook_endpoints, webhook_endpoints.c.installation_id == installations.c.id)
    .where(tenant(apps), webhook_endpoints.c.id == sa.bindparam("id", type_=Id()))
)
