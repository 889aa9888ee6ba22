"""The person's workspaces."""

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.db.conditions import live
from airside.db.statements import Statement, any_of
from airside.identity.tables import users
from airside.installations.tables import installations
from airside.portal.logos import shown_picture
from airside.portal.people.new_workspace import may_create
from airside.portal.rendering import redirect
from airside.portal.visit import Page, Visit, enter, enter_workspace
from airside.workspaces.find import list_workspaces_of
from airside.workspaces.roles import MEMBER, get_role
from airside.workspaces.tables import workspace_members


class Home(Page):
    """GET /"""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        found = await list_workspaces_of(self.site.db, visit.user_id)
        ids = [workspace["id"] for workspace in found]
        people = {row["workspace_id"]: row["total"] for row in await self.site.db.fetch_all(_PEOPLE, ids=ids)}
        apps = {row["workspace_id"]: row["total"] for row in await self.site.db.fetch_all(_APPS, ids=ids)}
        shown = [
            {
                "name": workspace["name"],
                "slug": workspace["slug"],
                "logo_url": shown_picture(workspace["logo_url"]),
                "role": get_role(workspace["role"]).name,
                "member_count": people.get(workspace["id"], 0),
                "app_count": apps.get(workspace["id"], 0),
            }
            for workspace in found
        ]
        can_create = may_create(self.site, visit.session.user)
        visit.show("home.html", workspaces=shown, can_create=can_create)


class WorkspaceHome(Page):
    """GET /<workspace>/ and /<workspace>/settings/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = await enter_workspace(self.site, req, resp, slug)
        redirect(self.site, resp, find_first_page(visit))


def find_first_page(visit: Visit) -> str:
    """Of the workspace. In front of a Community Edition, guests have no page of it here."""
    settings = visit.site.settings
    if not settings.upstream_url:
        return f"{visit.here}/projects/"
    is_member = visit.role >= MEMBER
    return f"{visit.here}/settings/integrations/" if is_member else settings.work_url(f"{visit.here}/")


_m, _i = workspace_members.c, installations.c
_PEOPLE = Statement(
    sa.select(_m.workspace_id, sa.func.count().label("total"))
    .join_from(workspace_members, users, users.c.id == _m.user_id)
    .where(any_of(_m.workspace_id, "ids"), _m.is_active, users.c.is_bot.is_(False))
    .group_by(_m.workspace_id)
)
_APPS = Statement(
    sa.select(_i.workspace_id, sa.func.count().label("total"))
    .where(any_of(_i.workspace_id, "ids"), live(installations))
    .group_by(_i.workspace_id)
)
